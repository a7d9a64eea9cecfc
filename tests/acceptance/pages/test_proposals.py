"""Changes that need two people, by their pages: one proposes and sees what it would do, another decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import chromium, person
from tests.support.duties_server import Duties, duties

BLOCK = {"verdicts": {"malicious": "block", "suspicious": "block", "inconclusive": "block"}}
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\x1b[31m{{ 7*7 }}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def world() -> Iterator[Duties]:
    with duties(credential_cache_seconds=0.0) as found:
        found.scan(b"inconclusive")
        yield found


@pytest.mark.parametrize(("width", "dark", "scripts"), [(1440, False, True), (390, True, False)])
def test_one_proposes_and_another_approves(
    browser: Any, world: Duties, width: int, dark: bool, scripts: bool
) -> None:
    days = "21" if scripts else "22"
    with person(browser, world.base, "dev", width=width, dark=dark, scripts=scripts) as dev:
        dev.go("/proposals/new")
        dev.page.click("text=How many approvals changes take")
        dev.page.select_option("[name=place]", f"project:{world.project}")
        dev.page.fill("[name=days]", days)
        dev.page.click("text=What would it do?")
        assert "people may approve there" in dev.page.text_content("#seen")
        assert dev.page.input_value("[name=days]") == days
        dev.fits()
        dev.page.click("main button >> text=Propose")
        assert "Why" in dev.page.content() and dev.page.url.endswith("/proposals/new"), "a reason is needed"
        dev.page.fill("[name=why]", "sooner")
        dev.page.click("main button >> text=Propose")
        assert "It is proposed." in dev.page.text_content("[role=status]")
        where = dev.page.url.partition("?")[0].removeprefix(world.base)
        assert "ana, bea" in dev.page.text_content("main")
        assert dev.page.locator("text=You wrote it").count() == 1
        dev.calm()
    with person(browser, world.base, "bea", width=width, dark=dark, scripts=scripts) as bea:
        bea.go("/proposals?waiting=true")
        bea.page.click(f"a[href='{where}']")
        bea.fits()
        if scripts:
            bea.accessible()
        bea.page.click("main button >> text=Approve")
        assert "it holds now" in bea.page.text_content("[role=status]")
        assert "applied" in bea.page.text_content(".sentence")
        bea.calm()


def test_who_signed_in_long_ago_shows_once_more_who_he_is(browser: Any, world: Duties) -> None:
    made = world.propose("approval-settings", {"days": 30})
    with person(browser, world.base, "bea") as bea:
        world.sessions_grow_old("bea")
        bea.go(f"/proposals/{made['number']}")
        bea.accessible()
        bea.page.click("main button >> text=Approve")
        assert "once more" in bea.page.text_content("[role=alert]")
        bea.page.fill("#pw-approve", "wrong horse")
        bea.page.click("main button >> text=Approve")
        assert "credentials" in bea.page.text_content("[role=alert]")
        bea.page.fill("#pw-approve", "correct horse")
        bea.page.click("main button >> text=Approve")
        assert "it holds now" in bea.page.text_content("[role=status]")
        bea.calm()


def test_what_is_rejected_edited_withdrawn_or_applied_in_an_emergency(browser: Any, world: Duties) -> None:
    rules = ({"rule": [{"decision": decision, "kind": "mining"}]} for decision in ("review", "block"))
    rejected, edited = (world.propose("policy", rule) for rule in rules)
    with person(browser, world.base, "bea") as bea:
        bea.go(f"/proposals/{rejected['number']}")
        bea.page.fill("#why-reject", "mining is blocked anyway")
        bea.page.click("main button >> text=Reject")
        assert "mining is blocked anyway" in bea.page.text_content("main")
        bea.go(f"/proposals/{edited['number']}")
        bea.page.click("text=No time to wait")
        assert "without anybody's approval" in bea.page.text_content("details.danger")
        bea.page.fill("#why-break-glass", "a worm is loose")
        bea.page.click("text=Break the glass, and apply it now")
        assert "a worm is loose" in bea.page.text_content("main")
        assert bea.page.locator("#why-review").count() == 1
        bea.page.fill("#why-review", "fine")
        bea.page.click("text=I have looked at it")
        assert "does not review" in bea.page.text_content("[role=alert]")
        assert bea.page.input_value("#why-review") == "fine", "nothing that was typed is lost"
        bea.accessible()
    with person(browser, world.base) as ana:
        ana.go("/proposals?unreviewed=true")
        ana.page.click(f"a[href='/proposals/{edited['number']}']")
        ana.page.fill("#why-review", "looked at the worm")
        ana.page.click("text=I have looked at it")
        assert "looked at the worm" in ana.page.text_content(".told.good >> nth=1")
        ana.calm()
    mine = world.propose("approval-settings", {"days": 40})
    with person(browser, world.base, "dev") as dev:
        dev.go(f"/proposals/{mine['number']}/edit")
        dev.page.fill("[name=days]", "41")
        dev.page.click("text=Save the edit")
        assert "days: 41" in dev.page.text_content(".diff")
        dev.page.fill("#why-withdraw", "not needed")
        dev.page.click("main button >> text=Withdraw")
        assert "withdrawn" in dev.page.text_content(".sentence")
        dev.calm()


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1440, True)])
def test_a_policy_s_dry_run_and_hostile_words(browser: Any, world: Duties, width: int, dark: bool) -> None:
    rule = {"name": HOSTILE, "decision": "block", "package": HOSTILE}
    made = world.propose(
        "policy", BLOCK | {"rule": [rule], "waiver": []} | {"rule": [rule] * (width // 100)}, HOSTILE
    )
    with person(browser, world.base, "bea", width=width, dark=dark) as bea:
        for path in (f"/proposals/{made['number']}", f"/proposals/{made['number']}/edit", "/proposals"):
            bea.go(path)
            bea.fits()
            bea.accessible()
            assert "\u202e" not in bea.page.content() and "\x1b" not in bea.page.content()
        bea.go(f"/proposals/{made['number']}")
        assert "would be decided otherwise" in bea.page.text_content("main")
        bea.calm()


@pytest.mark.parametrize("path", ["/proposals/99999", "/proposals/x", "/proposals/99999/edit"])
def test_what_is_not_there(browser: Any, world: Duties, path: str) -> None:
    with person(browser, world.base) as ana:
        assert ana.go(path).status in (400, 404)
        assert ana.page.locator("[role=alert]").count() == 1
