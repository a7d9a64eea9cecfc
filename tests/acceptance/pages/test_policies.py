"""A policy by its page: as a form and as its source, with errors where they are, what it would do, and what holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import chromium, person
from tests.support.duties_server import PROJECT, Duties, duties

MORE = {
    "pipeline": [{"issuer": "https://gitlab.example", "definition": "a//b.yml@refs/heads/main"}],
    "rule": [
        {"decision": "review", "kind": "mining", "direct": True, "name": "<script>alert(1)</script>\u202e"}
    ],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def world() -> Iterator[Duties]:
    with duties() as found:
        found.scan(b"inconclusive")
        made = found.propose("policy", MORE, "what we begin with", "bea")
        proof = {
            "content_hash": made["content_hash"],
            "version": made["version"],
            "password": "correct horse",
        }
        found.ask("POST", f"/proposals/{made['number']}/approve", proof)
        yield found


@pytest.mark.parametrize(("width", "dark", "scripts"), [(1440, True, True), (390, False, False)])
def test_the_form_and_the_source_are_one_document(
    browser: Any, world: Duties, width: int, dark: bool, scripts: bool
) -> None:
    with person(browser, world.base, "dev", width=width, dark=dark, scripts=scripts) as dev:
        dev.go("/policies")
        dev.page.click(f"table >> text=project {PROJECT}")
        dev.page.select_option("#f-verdict-inconclusive", "block")
        dev.page.click("summary >> text=Add a rule")
        dev.page.fill("#f-rule-1-name", "no git hooks")
        dev.page.select_option("#f-rule-1-decision", "block")
        dev.page.fill("#f-rule-1-kind", "git_hook")
        dev.page.fill("#f-rule-1-enforce_from", "2027-02-01")
        dev.page.select_option("#f-require-0-scan", "merge_request")
        dev.page.click("text=What would it do?")
        assert "1 of 1 scans would be decided otherwise." in dev.page.text_content("#seen")
        dev.fits()
        if scripts:
            dev.accessible()
        dev.page.click("button >> text=Source")
        text = dev.page.input_value("#f-source")
        for line in ('inconclusive = "block"', "enforce_from = 2027-02-01", "direct = true", "[[pipeline]]"):
            assert line in text, text
        dev.page.fill("#f-source", text.replace('"git_hook"', '"git_hook"\ncolour = "red"'))
        if scripts:
            dev.page.wait_for_selector("#problems .error")
        else:
            dev.page.click("text=What would it do?")
        number = text.partition('"git_hook"')[0].count("\n") + 2
        assert f"{number}:1" in dev.page.text_content("#problems") and "colour" in dev.page.text_content(
            "#problems"
        )
        dev.page.fill("#f-source", text)
        dev.page.click("button >> text=Form")
        assert dev.page.input_value("#f-rule-1-name") == "no git hooks"
        dev.page.fill("#f-why", "the new year's rules")
        dev.page.click("main button >> text=Propose it")
        assert "It is proposed." in dev.page.text_content("[role=status]")
        assert '+verdicts.inconclusive: "block"' in dev.page.text_content(".diff")
        changed = dev.page.locator(".diff .plus, .diff .minus").all_text_contents()
        assert not any("pipeline" in line or "script" in line for line in changed), "the rest stays as it is"
        dev.page.fill("#why-withdraw", "again")
        dev.page.click("main button >> text=Withdraw")
        dev.calm()


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1440, False)])
def test_what_holds_in_a_project_and_why(browser: Any, world: Duties, width: int, dark: bool) -> None:
    with person(browser, world.base, "dev", width=width, dark=dark) as dev:
        for path in (
            f"/policies?project={world.project}",
            f"/policies/{world.project}",
            "/policies/all?view=source",
        ):
            dev.go(path)
            dev.fits()
            dev.accessible()
            assert "\u202e" not in dev.page.content()
        assert dev.page.locator("button >> text=Propose it").count() == 0, (
            "a developer proposes nothing for all"
        )
        dev.go(f"/policies?project={world.project}")
        assert "review (enforce)" in dev.page.text_content("#holds")
        for gone in ("x", "00000000-0000-4000-8000-00000000ffff"):
            assert dev.go(f"/policies/{gone}").status == 404
        dev.calm()
