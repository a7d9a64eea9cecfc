"""What forges are told, against servers that take only the documented forms."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from package_hunter.errors import HunterError
from package_hunter.governance.gate.forges import Forge
from package_hunter.governance.gate.statuses import At, NotToldError, Standing, Teller, check_run, summary
from tests.support import forge_api
from tests.support.forge_api import TOKEN, serving

COMMIT = "a" * 40
LOOPBACK = ("127.0.0.0/8",)


def body(result: str, waits: bool = False, *reasons: dict[str, Any]) -> dict[str, Any]:
    says = f"It is {result}."
    return {
        "project": "web/shop",
        "commit": COMMIT,
        "result": result,
        "says": says,
        "waits": waits,
        "reasons": reasons,
    }


def lab(url: str, **more: Any) -> Forge:
    return Forge(
        "lab", "gitlab", "https://g.example/", api=f"{url}/api/v4", token=TOKEN, networks=LOOPBACK, **more
    )


def hub(url: str, **more: Any) -> Forge:
    given = {"token": TOKEN} | more
    return Forge("hub", "github", "https://h.example/", api=url, networks=LOOPBACK, **given)


@pytest.mark.parametrize(
    ("result", "waits", "check", "state"),
    [
        ("pass", False, "passed", "success"),
        ("block", False, "failed", "failed"),
        ("block", True, "failed", "failed"),
        ("review", False, "failed", "failed"),
        ("missing", False, "failed", "failed"),
        ("missing", True, "pending", "running"),
    ],
)
def test_gitlab_is_told_by_status_check_or_by_commit_status(
    result: str, waits: bool, check: str, state: str
) -> None:
    with serving(forge_api.gitlab) as api:
        teller = Teller(lab(api.url))
        teller.tell(Standing(body(result, waits), "7"), At("web/shop", "3"))
        teller.tell(Standing(body(result, waits), None, "https://hunter.example/x"), At("web/shop", "3"))
        first, second = api.told
    assert first == {
        "path": "/api/v4/projects/web%2Fshop/merge_requests/7/status_check_responses",
        "sha": COMMIT,
        "external_status_check_id": 3,
        "status": check,
    }
    assert (second["path"], second["state"]) == (f"/api/v4/projects/web%2Fshop/statuses/{COMMIT}", state)
    assert (second["name"], second["target_url"]) == ("package-hunter", "https://hunter.example/x")


@pytest.mark.parametrize(
    ("result", "waits", "status", "conclusion"),
    [
        ("pass", False, "completed", "success"),
        ("block", False, "completed", "failure"),
        ("review", False, "completed", "action_required"),
        ("missing", False, "completed", "failure"),
        ("missing", True, "in_progress", None),
    ],
)
def test_github_is_told_by_a_check_run_that_is_then_changed(
    result: str, waits: bool, status: str, conclusion: str | None
) -> None:
    with serving(forge_api.github()) as api:
        teller = Teller(hub(api.url))
        made = teller.tell(Standing(body(result, waits), None, "https://hunter.example/x"), At("corp/shop"))
        teller.tell(Standing(body("pass"), None), At("corp/shop", made=made))
        first, second = api.told
    assert (first["status"], first.get("conclusion"), first["head_sha"]) == (status, conclusion, COMMIT)
    assert (made, second["path"], second["conclusion"]) == (
        "4242",
        "/repos/corp/shop/check-runs/4242",
        "success",
    )


def test_a_github_app_makes_its_token_of_its_key_and_keeps_it() -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with serving(forge_api.github(key.public_key())) as api:
        forge = hub(api.url, token="", app_id="12345", installation_id="77", private_key=pem)
        teller = Teller(forge)
        teller.tell(Standing(body("pass"), None), At("corp/shop"))
        teller.tell(Standing(body("block"), None), At("corp/shop"))
        assert [told["path"] for told in api.told].count("/app/installations/77/access_tokens") == 1
        other = rsa.generate_private_key(65_537, 2_048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(NotToldError, match="401"):
            Teller(
                hub(api.url, token="", app_id="12345", installation_id="77", private_key=other.decode())
            ).tell(Standing(body("pass"), None), At("corp/shop"))


def test_what_may_go_well_later_is_told_apart_from_what_may_not() -> None:
    with serving(forge_api.gitlab) as api:
        teller = Teller(lab(api.url))
        for status, final in ((503, False), (429, False), (404, True), (422, True)):
            api.failing.append(status)
            with pytest.raises(NotToldError, match=f"answered {status}") as error:
                teller.tell(Standing(body("pass"), None), At("web/shop"))
            assert error.value.final is final
        wrong = Teller(
            Forge("lab", "gitlab", "https://g.example/", f"{api.url}/api/v4", "wrong", networks=LOOPBACK)
        )
        with pytest.raises(NotToldError, match="401") as refused:
            wrong.tell(Standing(body("pass"), None), At("web/shop"))
        assert "wrong" not in str(refused.value)


def test_an_api_that_leads_inside_is_not_spoken_to() -> None:
    with serving(forge_api.gitlab) as api:
        inside = Forge("lab", "gitlab", "https://g.example/", api=f"{api.url}/api/v4", token=TOKEN)
        with pytest.raises(HunterError, match="not public"):
            Teller(inside).tell(Standing(body("pass"), None), At("web/shop"))
        assert api.told == []


@pytest.mark.parametrize("external", ["corp", "corp/shop/more", "7"])
def test_a_name_that_github_has_not(external: str) -> None:
    with serving(forge_api.github()) as api, pytest.raises(NotToldError) as error:
        Teller(hub(api.url)).tell(Standing(body("pass"), None), At(external))
    assert error.value.final


def test_what_a_package_says_of_itself_marks_nothing_up() -> None:
    odd = "<img src=x> [a](http://evil.example) **b** @everybody `c`\n\n# d \u202e" + "x" * 9_000
    reason = {"what": odd, "who_can_lift_it": ["@ana"], "how_to_ask": "a | b"}
    made = check_run(Standing(body("block", False, *[reason] * 50), None))
    text = made["output"]["summary"]
    assert len(text) <= 65_535
    assert text.count("<") == text.count("\\<") > 0
    for mark in ("[a](", "**b**", "@everybody", "@ana", "\n# d", "\u202e"):
        assert mark not in text, mark
    assert summary(body("pass")) == "It is pass.\n"
