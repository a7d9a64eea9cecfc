"""Rules by their pages: found and read, written, checked, tried on a recording, proposed, and there as a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chromium import chromium, person
from tests.support.duties_server import PROJECT, Duties, duties

RULE = """- rule: closes something
  desc: d
  condition: evt.type = close
  output: closed %proc.pid
  priority: CRITICAL
"""
HOSTILE = RULE.replace(
    "desc: d", 'desc: "<img src=x onerror=alert(1)> \\u202egnp </textarea><script>alert(2)</script>"'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def world() -> Iterator[Duties]:
    with duties(recordings_bytes=1 << 24) as found:
        found.record(found.scan(b"nothing"))
        yield found


@pytest.mark.parametrize(("width", "dark", "scripts"), [(1440, False, True), (390, True, False)])
def test_rules_are_written_tried_proposed_and_hold(
    browser: Any, world: Duties, width: int, dark: bool, scripts: bool
) -> None:
    name = "with-scripts" if scripts else "without"
    with person(browser, world.base, "bea", width=width, dark=dark, scripts=scripts) as bea:
        bea.go("/rules/try")
        bea.page.fill("#f-rules", RULE.replace("evt.type", "evt.typ"))
        if scripts:
            bea.page.wait_for_selector("#problems .error")
        else:
            bea.page.click("button:text-is('Check')")
        assert "3:" in bea.page.text_content("#problems .error >> nth=0")
        bea.page.fill("#f-rules", RULE)
        bea.page.click("text=Explain in English")
        assert "It matches where" in bea.page.text_content("#explained")
        bea.page.select_option("#f-project", PROJECT)
        bea.page.click("main button >> text=Try them")
        assert "3 matches in 3 events of 1 scan;" in bea.page.text_content("#tried .sentence")
        assert "µs an event" in bea.page.text_content("#tried") and "closed 8" in bea.page.text_content(
            "#tried"
        )
        bea.fits()
        if scripts:
            bea.accessible()
        bea.page.fill("#f-name", name)
        bea.page.select_option("#f-place", f"project:{world.project}")
        bea.page.click("text=What would it do?")
        assert "closes something: 0 alerts before, 3 then." in bea.page.text_content("#seen")
        bea.page.fill("#f-why", "we want to know")
        bea.page.click("main button >> text=Propose it")
        number = int(bea.page.url.rpartition("/")[2].partition("?")[0])
        bea.calm()
    world.ask("POST", f"/proposals/{number}/withdraw", {"why": "enough"}, "bea")


def test_a_rule_is_found_and_read(browser: Any, world: Duties) -> None:
    with person(browser, world.base, "dev") as dev:
        dev.go("/rules")
        dev.page.fill("#f-text", "metadata")
        dev.page.click("main form button >> text=Show")
        dev.page.wait_for_url("**/rules?*text=metadata*")
        dev.page.click("text=Cloud metadata service contacted")
        assert "It looks at" in dev.page.text_content(".outline")
        dev.go("/rules")
        dev.page.click("text=package_install.yaml >> nth=0")
        assert "- rule:" in dev.page.text_content("pre")
        dev.accessible()
        dev.go("/rules/try")
        assert dev.page.locator("text=Try them on stored").count() == 1
        assert dev.page.locator("button[value=try]").count() == 0, "a developer may not look into recordings"
        dev.calm()


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1440, True)])
def test_hostile_rules_and_a_file_that_is_chosen(
    browser: Any, world: Duties, width: int, dark: bool, tmp_path: Path
) -> None:
    file = tmp_path / "falco_rules.yaml"
    file.write_text(HOSTILE, encoding="utf-8")
    made = world.propose("rule-set", {"name": f"hostile-{width}", "rules": HOSTILE}, name="bea")
    proof = {"content_hash": made["content_hash"], "version": made["version"], "password": "correct horse"}
    world.ask("POST", f"/proposals/{made['number']}/approve", proof)
    with person(browser, world.base, "bea", width=width, dark=dark) as bea:
        bea.go("/rules/try")
        bea.page.set_input_files("[data-file]", str(file))
        bea.page.wait_for_function("document.getElementById('f-rules').value.includes('onerror')")
        bea.page.click("text=Explain in English")
        assert "onerror" in bea.page.text_content("#explained")
        for path in (f"/rules?project={PROJECT}", f"/rules/files/{world.project}/hostile-{width}"):
            bea.go(path)
            bea.fits()
            bea.accessible()
            assert "\u202e" not in bea.page.content()
        bea.page.click("text=Change and try it")
        assert "onerror" in bea.page.input_value("#f-rules")
        bea.calm()
