"""The HTML report in a real browser: as wide as the screen, nothing refused, nothing loaded, usable by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from package_hunter.report import html
from package_hunter.report.sample import sample
from tests.support import requires
from tests.support.evidence_samples import alert, build, process, with_processes

WIDTHS = (320, 390, 1440, 1920)
HOSTILE = "node \u202e<script>document.title='owned'</script>\x1b[2J " + "A" * 300 + " " + "b" * 5_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    api = requires.needs_module("playwright.sync_api")
    requires.needs_program("chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    box = [process(1, None, "init"), process(2, 1, HOSTILE, name="node"), process(3, 2, "sh " + HOSTILE)]
    reports = {
        "sample": sample(),
        "hostile": with_processes(box, [alert(2), alert(3, HOSTILE)]),
        "large": build(20_000, noted=200),
    }
    made = {}
    for name, report in reports.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(html.render(report), encoding="utf-8")
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sample", "hostile", "large"])
def test_fits_and_runs_nothing(chromium: Any, pages: dict[str, Path], name: str, scheme: str) -> None:
    asked: list[str] = []
    said: list[str] = []
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(pages[name].as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{width} px"
    assert said == [], "nothing that the page's own policy refuses"
    assert set(asked) == {pages[name].as_uri()}
    assert page.title() != "owned"
    context.close()


def test_a_fold_opens_by_keyboard_and_a_mark_leads_to_its_process(
    chromium: Any, pages: dict[str, Path]
) -> None:
    page = chromium.new_page()
    page.goto(pages["large"].as_uri())
    fold = page.locator(".ptree .fold > details").first
    assert fold.evaluate("d => d.open") is False
    fold.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("d => d.open") is True
    mark = page.locator("svg.lane a").first
    place = mark.get_attribute("href")
    mark.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith(place)
    assert page.locator(f"[id='{place[1:]}']").count() == 1
    page.close()
