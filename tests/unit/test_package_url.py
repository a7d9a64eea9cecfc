"""Which package URLs can be scanned: decided once, the same for the API, the command line, schedules and plans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter import package_url
from package_hunter.access.roles import Role
from package_hunter.config import Settings
from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.errors import HunterError, NothingToScanError, UsageError
from package_hunter.governance import policies, schedules
from package_hunter.intake.receive import receive
from package_hunter.package_url import scannable
from package_hunter.store.members import Place
from package_hunter.store.scans import NewScan
from tests.support.access_server import OWN, TEST, AccessServer

WRONG = [
    ("pkg:npm/%00@1", None, "names no npm package"),
    ("pkg:npm/a@%00", None, "is no version"),
    ("pkg:npm/%2e%2e/x", None, "names no npm package"),
    ("pkg:npm/node_modules", None, "names no npm package"),
    ("pkg:npm/a/b/c", None, "names no npm package"),
    ("pkg:npm/a@1%202", None, "is no version"),
    ("pkg:npm/ä", None, "names no npm package"),
    ("pkg:npm/" + "a" * 300, None, "names no npm package"),
    ("pkg:pypi/a/b", None, "names no pypi package"),
    ("pkg:pypi/-x", None, "names no pypi package"),
    ("pkg:pypi/x@latest", None, "is no version"),
    ("pkg:gem/x@1%22;y", None, "is no version"),
    ("pkg:gem/..", None, "no purl|names no gem package"),
    ("pkg:cargo/x@1", None, "is not scanned here"),
    ("pkg:golang/github.com/a/b@v1", None, "is not scanned here"),
    ("pkg:yarn/left-pad", None, "is not scanned here"),  # a manager, and no type of purls
    ("pkg:npm/x@1", "pypi", "is a package of npm, and not of “pypi”"),
    ("pkg:pypi/x", "yarn", "is a package of pypi"),
    ("pkg:npm/x?vcs_url=y", None, "qualifiers"),
    ("pkg:npm/x@1#sub", None, "qualifiers"),
    ("pkg:npm", None, "is no purl"),
    ("npm/x", None, "is no purl"),
]
GOOD = [
    ("pkg:npm/@acme/x", "pnpm", ("pkg:npm/%40acme/x", "npm", "@acme/x", "")),
    ("pkg:npm/left-pad@1.3.0", None, ("pkg:npm/left-pad@1.3.0", "npm", "left-pad", "1.3.0")),
    ("pkg:npm/-@latest", "npm", ("pkg:npm/-@latest", "npm", "-", "latest")),
    ("pkg:pypi/Zope.Interface@5!1.0.post1", "poetry", None),
    ("pkg:pypi/x@2.*", None, None),
    ("pkg:gem/nokogiri@1.15.0-x86_64-linux", "bundler", None),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("purls"))
    yield made
    made.store.close()


@pytest.mark.parametrize(("text", "ecosystem", "found"), GOOD)
def test_what_a_registry_can_have_is_asked_for(
    text: str, ecosystem: str | None, found: tuple[str, ...] | None
) -> None:
    made = scannable(text, ecosystem)
    assert found is None or (made.purl, made.ecosystem, made.name, made.version) == found
    assert plans(stage("x", purl=made.purl), PlanOptions()), "it can be planned, too"


@pytest.mark.parametrize(("text", "ecosystem", "says"), WRONG)
def test_all_who_take_one_refuse_the_same(
    server: AccessServer, tmp_path: Path, text: str, ecosystem: str | None, says: str
) -> None:
    with pytest.raises(package_url.UnscannableError, match=says) as told:
        scannable(text, ecosystem)
    assert told.value.advice
    token = server.token(f"t{abs(hash((text, ecosystem)))}", (Role.DEVELOPER, OWN))
    query = {} if ecosystem is None else {"ecosystem": ecosystem}
    answer = server.ask(token, "POST", "/api/v1/scans", params=query, json={"purl": text})
    body = answer.json()
    assert (answer.status_code, body["detail"]) == (400, told.value.message)
    assert body["type"].endswith(":not-scannable")
    assert server.ask(token, "GET", "/api/v1/scans?status=pending").json()["scans"] == []
    if text.startswith("pkg:"):
        with pytest.raises(NothingToScanError, match=says):
            receive(text, Settings(data_dir=tmp_path), ecosystem=ecosystem)


@pytest.mark.parametrize("text", [text for text, ecosystem, _ in WRONG if ecosystem is None])
def test_no_plan_is_laid_for_it(text: str) -> None:
    with pytest.raises(HunterError):
        plans(stage("x", purl=text), PlanOptions())


def test_no_schedule_names_one(server: AccessServer) -> None:
    document = {"schedule": [{"name": "weekly", "cron": "0 3 * * 1", "targets": ["pkg:cargo/x@1"]}]}
    with server.store.write() as session, pytest.raises(UsageError, match=r"weekly.*not scanned here"):
        policies.put(session, TEST, Place(), document)
    assert policies.check(Place(), document).schedules, "what stands already goes on being read"


def test_a_schedule_of_before_says_what_it_left_out(server: AccessServer) -> None:
    targets = ("pkg:npm/%00@1", "pkg:npm/Left-Pad", "pkg:cargo/y")
    weekly = policies.check(
        Place(), {"schedule": [{"name": "w", "cron": "0 3 * * 1", "targets": list(targets)}]}
    ).schedules[0]
    due = schedules.Due("key", weekly, server.ids[OWN], OWN, 0)
    submitted: list[NewScan] = []
    with server.store.write() as session:
        row = schedules.serve(session, due, lambda _, new: submitted.append(new))
        assert [new.purl for new in submitted] == ["pkg:npm/left-pad"]
        assert "cargo" in row.said and "names no npm package" in row.said
        session.rollback()


def test_a_scan_of_before_is_not_made_again(server: AccessServer) -> None:
    from package_hunter.store import scans

    with server.store.write() as session:
        old = scans.add(session, NewScan("x", "ana", purl="pkg:cargo/x@1", project=server.ids[OWN])).id
    token = server.token("again", (Role.DEVELOPER, OWN))
    answer = server.ask(token, "POST", f"/api/v1/scans/{old}/rescan", json={})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (400, "not-scannable")
