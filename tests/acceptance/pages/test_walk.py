"""The walk of docs/triage.md, step after step, on a server that is filled as `make demo-server` does, with real boxes.
A step goes on from where the one before it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ci.demo_server import folder as folders
from ci.demo_server.fill import fill, team
from ci.demo_server.plan import ANA, BEN, PROJECTS, WALK
from ci.demo_server.server import serving

from tests.support.chromium import Person, chromium, person
from tests.support.requires import ROOT, needs_btf, needs_runc
from tests.support.service_harness import free_port, open_folder

pytestmark = pytest.mark.timeout(1_500)  # the first one waits for scans
WALK_TEXT = (ROOT / "docs/triage.md").read_text(encoding="utf-8").partition("## What a finding is")[0]
RULES = re.findall(r"^```yaml\n(.*?)^```$", WALK_TEXT, re.MULTILINE | re.DOTALL)
REMARK = "It fetches its own list of words."
WHY = "Who reads the npm settings is looked at before he sends them."


@dataclass(frozen=True)
class Demo:
    """A filled server."""

    base: str
    folder: Path
    said: list[str]

    def person(self, browser: Any, name: str, **how: Any) -> Any:
        """Somebody of the team, signed in."""
        return person(browser, self.base, name, folders.passwords(self.folder)[name], **how)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    needs_runc()
    needs_btf()
    with open_folder() as place:
        folder, said = place / "demo", []
        folders.prepare(folder, fresh=False)
        with serving(folder, free_port(), folders.passwords(folder)[ANA.name]) as server:
            fill(WALK, server.url, folder, said.append)
            yield Demo(server.url, folder, said)


def _reads(who: Person, *said: str) -> None:
    """All of this stands on the page that is open."""
    text = " ".join(who.page.inner_text("main").split())
    for one in said:
        assert one in text, f"not on {who.page.url}: {one}\n{text[:6_000]}"


def test_what_was_filled_stays_as_it_is(demo: Demo) -> None:
    assert [line.split()[-2:] for line in demo.said] == [
        ["no_findings,", "pass"],
        ["suspicious,", "review"],
        ["malicious,", "block"],
    ]
    fill(WALK, demo.base, demo.folder, demo.said.append)
    with team(demo.base, folders.passwords(demo.folder)) as who:
        assert len(list(who[ANA.name].all("/scans", "scans", "before"))) == len(demo.said) // 2
        assert {one["path"] for one in who[ANA.name].get("/projects")["items"]} >= set(PROJECTS)


def test_where_the_stolen_token_went(browser: Any, demo: Demo) -> None:
    with demo.person(browser, BEN.name) as ben:
        ben.page.click("nav >> text=Scans")
        ben.page.select_option("[name=verdict]", "malicious")
        ben.page.wait_for_url("**verdict=malicious**")
        ben.page.click("#list >> text=eslint-scope")
        _reads(ben, "malicious", "scope-lint", "npm token", "What to do")
        ben.page.click("nav >> text=Secrets")
        ben.page.wait_for_url("**/secrets")
        _reads(ben, "/home/dev/.npmrc", "scope-lint 1.0.1, postinstall script (certain)")
        _reads(ben, "stats[.]example", "counter[.]example", "http-header")
        ben.calm()


def test_no_single_person_silences_the_theft(browser: Any, demo: Demo) -> None:
    with demo.person(browser, BEN.name) as ben:
        ben.go("/findings?project=web/shop&kind=exfiltration")
        ben.page.click("#list >> text=stats.example")
        _reads(ben, "proof of malice", "No single person may silence it")
        assert ben.page.locator("[name=state] option[value=false_positive]").count() == 0
        ben.calm()


def test_a_false_alarm_is_dismissed(browser: Any, demo: Demo) -> None:
    with demo.person(browser, BEN.name) as ben:
        ben.page.click("nav >> text=Findings")
        ben.page.fill("[name=project]", "web/portal")
        ben.page.select_option(".filters [name=kind]", "download")
        ben.page.click(".filters button")
        ben.page.wait_for_url("**kind=download**")
        ben.page.click("#list >> text=download tool")
        _reads(ben, "maldep", "wget -qO list.txt", "needs triage")
        ben.page.select_option("[name=state]", "false_positive")
        ben.page.select_option("[name=reason]", "stated_purpose")
        ben.page.fill("[name=remark]", REMARK)
        ben.page.click("button:text-is('Set it')")
        ben.page.wait_for_selector("[role=status]")
        _reads(ben, "false positive for project:web/portal by ben", REMARK, "does not count")
        ben.calm()


def test_a_rule_is_proposed_with_what_it_would_do(browser: Any, demo: Demo) -> None:
    with demo.person(browser, BEN.name) as ben:
        ben.page.click("nav >> text=Rules")
        ben.page.click("text=Write and try rules")
        ben.page.fill("[name=rules]", RULES[0])
        ben.page.select_option("[name=project]", "web/shop")
        ben.page.click("button:text-is('Try them')")
        ben.page.wait_for_selector("#tried")
        _reads(ben, "2 matches in", "of 2 scans", "file=/home/dev/.npmrc")
        ben.page.fill("[name=name]", "web-settings")
        ben.page.select_option("[name=place]", label="group web")
        ben.page.fill("[name=why]", WHY)
        ben.page.click("button:text-is('What would it do?')")
        ben.page.wait_for_selector("#seen")
        _reads(ben, "None of 3 recordings would be decided otherwise.", "Nothing is proposed yet")
        _reads(ben, "Package settings read: 0 alerts before, 2 then.")
        ben.page.click("button:text-is('Propose it')")
        ben.page.wait_for_url("**/proposals/*")
        _reads(ben, "You wrote it: somebody else approves it.", WHY, "0 of 1 approvals")
        ben.calm()


def test_somebody_else_approves_it(browser: Any, demo: Demo) -> None:
    with demo.person(browser, ANA.name) as ana:
        ana.page.click("nav >> text=Proposals")
        ana.page.click("text=Wait for you")
        ana.page.click("#list >> text=web-settings")
        _reads(ana, "It waits for you", WHY, "Package settings read: 0 alerts before, 2 then.")
        ana.page.click("button:text-is('Approve')")  # she has just shown who she is, by signing in
        ana.page.wait_for_selector("[role=status]")
        _reads(ana, "It holds since", "ana")
        ana.go("/rules")
        _reads(ana, "web-settings", "group web")
        ana.calm()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_history_tells_both(browser: Any, demo: Demo, scripts: bool) -> None:
    with demo.person(browser, ANA.name, scripts=scripts) as ana:
        ana.page.click("nav >> text=History")
        ana.page.select_option("[name=action]", "finding")
        ana.page.click(".filters button")
        ana.page.wait_for_url("**action=finding**")
        _reads(ana, "ben set the state of the finding", "to false positive")
        assert REMARK in ana.page.text_content("#list")  # in the details of the entry
        ana.go("/history?action=proposal")
        _reads(ana, "ben made proposal 1", "ana approved proposal 1", "ana applied proposal 1")
        ana.calm()


def test_the_walk_names_what_is_there() -> None:
    assert len(RULES) == 1
    steps = re.findall(r"^\*\*(\d)\. ", WALK_TEXT, re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5"]
