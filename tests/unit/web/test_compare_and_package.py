"""Versions beside each other: which scan came before, what is new in one, which behaviour came with which version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from package_hunter.access.roles import Role
from package_hunter.model.finding import Finding
from package_hunter.model.scan import Package
from package_hunter.report.sample import sample
from package_hunter.web.pages.package import in_order
from tests.support.access_server import OWN
from tests.support.evidence_samples import HOSTILE
from tests.support.pages_server import PagesServer


def _deed(number: int, version: str, **changes: Any) -> Finding:
    first = sample().findings[0]
    assert first.blame is not None
    blame = replace(first.blame, package=f"pkg:npm/demo@{version}")
    return replace(first, fingerprint=f"{number:032x}", title=f"Deed {number}", blame=blame, **changes)


def _version(server: PagesServer, version: str, *deeds: int) -> str:
    held = (Package(f"pkg:npm/demo@{version}", "demo", version, integrity=f"sha512-{version}"),)
    findings = tuple(_deed(number, version) for number in deeds)
    return server.ended(replace(sample(), packages=held, findings=findings), f"pkg:npm/demo@{version}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("versions"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def lead(server: PagesServer) -> str:
    return server.token("lead", (Role.SECURITY_ADMIN, ""))


@pytest.fixture(scope="module")
def versions(server: PagesServer) -> dict[str, str]:
    deeds: dict[str, tuple[int, ...]] = {"1.9.0": (1,), "1.10.0": (1, 2), "1.10.1": (2, 3)}
    return {version: _version(server, version, *done) for version, done in deeds.items()}


def test_the_scan_before_is_of_another_version(
    server: PagesServer, lead: str, versions: dict[str, str]
) -> None:
    again = _version(server, "1.10.1", 2, 3)  # the same once more: not what is new against
    for scan, before in ((again, "1.10.0"), (versions["1.10.1"], "1.10.0"), (versions["1.10.0"], "1.9.0")):
        found = server.ask(lead, "GET", f"/api/v1/scans/{scan}/earlier").json()["scan"]
        assert found["purl"] == f"pkg:npm/demo@{before}"
    first = server.ask(lead, "GET", f"/api/v1/scans/{versions['1.9.0']}/earlier")
    assert first.json() == {"scan": None}


def test_what_is_in_one_and_not_in_the_other(
    server: PagesServer, lead: str, versions: dict[str, str]
) -> None:
    url = f"/api/v1/scans/{versions['1.10.1']}/compare"
    found = server.ask(lead, "GET", url).json()
    assert [f["title"] for f in found["new_findings"]] == ["Deed 3"]
    assert [f["title"] for f in found["gone_findings"]] == ["Deed 1"]
    assert found["packages"] == [{"package": "pkg:npm/demo", "old": "1.10.0", "new": "1.10.1"}]
    page = server.ask(lead, "GET", f"/scans/compare?two={versions['1.10.1']}").text
    assert "Deed 3" in page.partition("Gone since")[0]
    assert "Deed 1" in page.partition("Gone since")[2]
    ticked = f"/scans/compare?scan={versions['1.10.1']}&scan={versions['1.9.0']}"
    assert "In pkg:npm/demo@1.10.1, and not in pkg:npm/demo@1.9.0" in server.ask(lead, "GET", ticked).text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 200, "Name two scans"),
        ("scan=x", 400, "Choose two scans."),
        ("two=x", 404, "There is no scan of this id."),
        ("one=x&two={first}", 404, "There is no scan of this id."),
        ("two={first}", 200, "No other version was scanned before this one."),
    ],
)
def test_what_cannot_be_compared_is_asked_for_again(
    server: PagesServer, lead: str, versions: dict[str, str], query: str, status: int, said: str
) -> None:
    page = server.ask(lead, "GET", f"/scans/compare?{query.format(first=versions['1.9.0'])}")
    assert (page.status_code, said in page.text) == (status, True), page.text


def test_a_scan_without_a_report_is_not_compared(
    server: PagesServer, lead: str, versions: dict[str, str]
) -> None:
    waits = server.waiting("pkg:npm/demo@2.0.0")
    refused = server.ask(lead, "GET", f"/api/v1/scans/{waits}/compare?with={versions['1.9.0']}")
    assert refused.status_code == 409
    assert "has no report" in refused.json()["detail"]
    server.post(lead, f"/scans/{waits}/cancel")


def test_which_behaviour_came_with_which_version(
    server: PagesServer, lead: str, versions: dict[str, str]
) -> None:
    found = server.ask(lead, "GET", "/api/v1/behaviours", params={"purl": "pkg:npm/demo@1.9.0"}).json()
    seen = {one["title"]: one["versions"] for one in found["items"]}
    assert seen == {"Deed 1": ["1.10.0", "1.9.0"], "Deed 2": ["1.10.0", "1.10.1"], "Deed 3": ["1.10.1"]}
    page = server.ask(lead, "GET", "/packages/pkg%3Anpm%2Fdemo").text
    assert page.index("1.9.0</th>") < page.index("1.10.0</th>") < page.index("1.10.1</th>")
    assert "new in <strong>1.10.0</strong>" in page
    assert "new in <strong>1.10.1</strong>" in page
    assert page.count("new in") == 2
    assert OWN in page


def test_behaviour_is_of_the_projects_that_one_sees(server: PagesServer, versions: dict[str, str]) -> None:
    stranger = server.token("stranger", (Role.VIEWER, "ops/pay"), home="ops/pay")
    found = server.ask(stranger, "GET", "/api/v1/behaviours", params={"purl": "pkg:npm/demo"}).json()
    assert found["items"] == []
    page = server.ask(stranger, "GET", "/packages/pkg%3Anpm%2Fdemo")
    assert (page.status_code, "Deed" in page.text, OWN in page.text) == (200, False, False)


@pytest.mark.parametrize(
    "asked", ["pkg:npm/demo", "collect.example", "sha512:" + "ab" * 64, "0" * 32, "<b>x", "pkg:"]
)
def test_looking_something_up(server: PagesServer, lead: str, versions: dict[str, str], asked: str) -> None:
    page = server.ask(lead, "GET", "/packages", params={"q": asked})
    if page.status_code == 303:
        page = server.ask(lead, "GET", page.headers["location"])
    assert page.status_code == (400 if asked == "pkg:" else 200)
    assert "<b>x" not in page.text
    if asked == "collect.example":
        assert OWN in page.text


def test_what_attackers_call_things_is_text(server: PagesServer, lead: str) -> None:
    old = _version(server, "8.0.0", 80)
    odd = replace(_deed(81, "9.0.0"), title=HOSTILE)
    new = server.ended(replace(sample(), findings=(odd,)), "pkg:npm/demo@9.0.0")
    for path in (
        f"/scans/compare?one={old}&two={new}",
        "/packages/pkg%3Anpm%2Fdemo",
        f"/packages?{urlencode({'q': HOSTILE[:200]})}",
    ):
        page = server.ask(lead, "GET", path).text
        for foreign in ("<script>document", "<img src=x", "\u202e", "\x1b"):
            assert foreign not in page


def test_versions_follow_each_other() -> None:
    wanted = ["1.0.0-rc1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0a2", "2.0", "10"]
    assert sorted(set(wanted), key=in_order) == wanted
    assert in_order("x" * 10_000) and in_order("9" * 50)
