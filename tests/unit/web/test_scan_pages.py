"""A scan's page, tab by tab: what it shows, whatever is in it; who may do what; that a large one is light."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from html import escape

import pytest

from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.model.scan import Verdict
from package_hunter.report.sample import sample
from package_hunter.storage.base import Kind
from package_hunter.store import scans
from package_hunter.web.pages.scan import TABS
from package_hunter.web.shown import Findings
from tests.support.access_server import FOREIGN, OWN
from tests.support.duty_store import LOOK
from tests.support.evidence_samples import build, hostile
from tests.support.pages_server import PagesServer
from tests.support.scan_asks import new_scan, with_file

EVERY_TAB = [f"/{tab}".rstrip("/") for tab in TABS]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesServer]:
    made = PagesServer(tmp_path_factory.mktemp("pages"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def lead(server: PagesServer) -> str:
    return server.token("lead", (Role.SECURITY_ADMIN, ""), (Role.ADMINISTRATOR, ""))


@pytest.fixture(scope="module")
def viewer(server: PagesServer) -> str:
    return server.token("viewer", (Role.VIEWER, OWN))


@pytest.fixture(scope="module")
def whole(server: PagesServer) -> str:
    return server.ended(sample())


@pytest.mark.parametrize("tab", EVERY_TAB)
def test_each_tab_says_who_it_is_and_what_was_found(
    server: PagesServer, lead: str, whole: str, tab: str
) -> None:
    page = server.ask(lead, "GET", f"/scans/{whole}{tab}")
    assert page.status_code == 200, page.text
    assert "sample 1.0.0: sample of exfiltration" in page.text
    assert 'aria-current="page"' in page.text
    assert len(page.content) < 150_000


def test_the_summary_leads_to_the_stolen_token(server: PagesServer, lead: str, whole: str) -> None:
    page = server.ask(lead, "GET", f"/scans/{whole}").text
    assert "Rotate secrets of these kinds: npm token." in page
    assert "Secrets that left" in page
    assert "collect[.]example[:]443" in page
    assert f"/scans/{whole}/processes#p1" in server.ask(lead, "GET", f"/scans/{whole}/timeline").text
    assert "--format" not in page, "a page has links in place of options of a command line"


@pytest.mark.parametrize("tab", EVERY_TAB)
def test_what_attackers_write_is_text(server: PagesServer, lead: str, tab: str) -> None:
    scan = server.ended(hostile(sample()))
    page = server.ask(lead, "GET", f"/scans/{scan}{tab}").text
    for foreign in ("<script>document", "<img src=x", "\u202e", "\x1b"):
        assert foreign not in page
    assert "b" * 2_500 not in page or "<pre" in page, "what is long is cut where it is not to be opened"


def test_a_hundred_thousand_processes_are_a_light_page(server: PagesServer, lead: str) -> None:
    scan = server.ended(build(100_000))
    for tab in EVERY_TAB:
        page = server.ask(lead, "GET", f"/scans/{scan}{tab}")
        assert page.status_code == 200
        assert len(page.content) < 150_000, tab
    assert "100,000 processes" in server.ask(lead, "GET", f"/scans/{scan}/processes").text


def test_many_findings_come_a_page_at_a_time(server: PagesServer, lead: str) -> None:
    first = sample().findings[0]
    many = tuple(
        replace(first, fingerprint=f"{n:032x}", title=f"Deed {n} of many", kind=f"k{n}") for n in range(60)
    )
    scan = server.ended(replace(sample(), findings=many))
    assert "Deed 59" not in server.ask(lead, "GET", f"/scans/{scan}").text
    seen, path = "", f"/scans/{scan}/findings"
    for page in ("1", "2", "3"):
        seen += server.ask(lead, "GET", f"{path}?show=counting&page={page}").text
    assert all(f"Deed {n} of many" in seen for n in range(60))
    for odd in ("?page=0", "?page=-1", "?page=x", "?page=99999", "?show=<b>"):
        assert server.ask(lead, "GET", path + odd).status_code == 200


def test_a_report_that_was_replaced_is_not_shown_as_it_was(server: PagesServer, lead: str) -> None:
    scan = server.ended(sample())
    assert "Sample of exfiltration" in server.ask(lead, "GET", f"/scans/{scan}").text
    with server.store.write() as session:
        data = scans.report(session, EVERYTHING, uuid.UUID(scan))
        assert data is not None
        data["findings"][0]["title"] = "Another sentence"
        scans.reports.replace(session, uuid.UUID(scan), data)
    assert "Another sentence" in server.ask(lead, "GET", f"/scans/{scan}").text


def test_who_may_not_see_a_scan_does_not_see_that_it_is_kept(
    server: PagesServer, lead: str, viewer: str
) -> None:
    scan = server.ended(sample(), project=FOREIGN)
    assert server.ask(lead, "GET", f"/scans/{scan}").status_code == 200
    for tab in EVERY_TAB:
        assert server.ask(viewer, "GET", f"/scans/{scan}{tab}").status_code == 404
    assert server.ask(viewer, "GET", f"/scans/compare?two={scan}").status_code == 404


def test_who_may_only_look_has_no_buttons(server: PagesServer, viewer: str, whole: str) -> None:
    page = server.ask(viewer, "GET", f"/scans/{whole}")
    assert "Scan again" not in page.text
    kept = server.ask(viewer, "GET", f"/scans/{whole}/keep").text
    assert "may not fetch recordings" in kept
    assert "Delete it" not in kept
    refused = server.post(viewer, f"/scans/{whole}/delete", why="I want to")
    assert refused.status_code == 404
    assert server.ask(viewer, "GET", f"/scans/{whole}").status_code == 200


def test_a_scan_that_waits_follows_itself_and_is_cancelled(server: PagesServer, lead: str) -> None:
    scan = new_scan(server, OWN)
    page = server.ask(lead, "GET", f"/scans/{scan}").text
    assert "It waits for a worker." in page
    assert f'hx-get="/scans/{scan}"' in page
    done = server.post(lead, f"/scans/{scan}/cancel")
    assert (done.status_code, done.headers["location"]) == (303, f"/scans/{scan}?done=scan-cancelled")
    ended = server.ask(lead, "GET", f"/scans/{scan}").text
    assert "cancelled it" in ended
    assert "hx-trigger" not in ended
    again = server.post(lead, f"/scans/{scan}/cancel")
    assert again.status_code == 409
    assert "This scan has ended already." in again.text


def test_the_same_is_scanned_again(server: PagesServer, lead: str, whole: str) -> None:
    done = server.post(lead, f"/scans/{whole}/rescan")
    assert done.status_code == 303
    new = done.headers["location"].removeprefix("/scans/").partition("?")[0]
    assert new != whole
    assert "this is the new scan" in server.ask(lead, "GET", done.headers["location"]).text
    server.post(lead, f"/scans/{new}/cancel")


def test_what_is_held_is_not_deleted_until_the_hold_is_lifted(server: PagesServer, lead: str) -> None:
    scan = server.ended(replace(sample(), findings=(), verdict=Verdict.NO_FINDINGS))
    assert server.post(lead, f"/scans/{scan}/hold", why="case <7>").status_code == 303
    page = server.ask(lead, "GET", f"/scans/{scan}/keep").text
    assert "case &lt;7&gt;" in page
    refused = server.post(lead, f"/scans/{scan}/delete", why="no use")
    assert refused.status_code == 409
    number = page.partition('name="hold" value="')[2].partition('"')[0]
    assert server.post(lead, f"/scans/{scan}/lift", hold=number, why="over").status_code == 303
    assert server.post(lead, f"/scans/{scan}/delete", why="").status_code == 400
    assert (
        server.post(lead, f"/scans/{scan}/delete", why="no use").headers["location"]
        == "/scans?done=scan-deleted"
    )
    assert server.ask(lead, "GET", f"/scans/{scan}").status_code == 404


def test_recordings_and_bundles_are_asked_for_and_shown(server: PagesServer, lead: str) -> None:
    scan = server.scans[OWN]
    refused = server.post(lead, f"/scans/{scan}/rejudge")
    assert refused.status_code == 409
    assert "No recording of this scan is kept." in refused.text
    digest = with_file(server, OWN, Kind.RECORDING)
    dropped = with_file(server, OWN, Kind.DROPPED)
    assert server.post(lead, f"/scans/{scan}/rejudge").status_code == 303
    assert server.post(lead, f"/scans/{scan}/bundle").status_code == 303
    page = server.ask(lead, "GET", f"/scans/{scan}/keep").text
    assert f"/api/v1/scans/{scan}/recordings/{digest}" in page
    assert f"/api/v1/scans/{scan}/dropped/{dropped}" in page
    assert "\x1b" not in page
    assert "It is being made" in page
    assert "it waits." in page


@pytest.mark.parametrize(
    ("condition", "shown", "hidden"),
    [
        ("evt.type = connect and fd.sport = 443", "connect collect.example:443", "started sh -c x"),
        ("proc.name = sh and evt.type = execve", "started sh -c x", "connect collect.example"),
        ("fd.name startswith /home/dev/.b", "written /home/dev/.bashrc", "started sh -c x"),
        ("proc.cmdline contains x.js", "rule Sample rule", "started sh -c x"),
    ],
)
def test_events_that_fit_a_falco_condition(
    server: PagesServer, lead: str, whole: str, condition: str, shown: str, hidden: str
) -> None:
    page = server.ask(lead, "GET", f"/scans/{whole}/events", params={"condition": condition})
    assert page.status_code == 200
    assert shown in page.text
    assert hidden not in page.text


@pytest.mark.parametrize("condition", ["evt.typo = x", "proc.name =", "<b>bold", "not " * 3_000 + "a"])
def test_a_condition_that_is_none_is_told_and_kept(
    server: PagesServer, lead: str, whole: str, condition: str
) -> None:
    page = server.ask(lead, "GET", f"/scans/{whole}/events", params={"condition": condition})
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert escape(condition)[:100] in page.text
    assert "<b>bold" not in page.text


def test_parts_that_are_decided_about_are_told_apart() -> None:
    """By their packages where those differ, else by what each says."""
    project = str(uuid.UUID(int=1))
    one, two = (replace(LOOK, fingerprint=mark * 32, title=f"It reads {mark}") for mark in "ab")
    found = Findings("counting", 1, [one], 0, {}, {}, {one.fingerprint: (one, two)})
    assert [told for _, told in found.decided_at(one, project)] == ["It reads a", "It reads b"]
    assert len({page for page, _ in found.decided_at(one, project)}) == 2
    assert one.blame is not None
    other = replace(two, blame=replace(one.blame, package="pkg:npm/other@1"))
    apart = replace(found, _members={one.fingerprint: (one, other)})
    assert [told for _, told in apart.decided_at(one, project)] == [one.blame.package, "pkg:npm/other@1"]
