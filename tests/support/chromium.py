"""Debian's Chromium, driven by Playwright: a signed-in person before a real server, who notices what he should not see.

Whatever a page loads from elsewhere, writes to the console as an error, or runs out of foreign text, is kept in
``Person.wrong``; `Person.calm` asserts that there was nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import requires
from tests.support.service_harness import PASSWORD, USER

WIDTHS = {"phone": 390, "desk": 1440}
_SERIOUS = ("serious", "critical")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; pages are made of it by `person`."""
    api = requires.needs_module("playwright.sync_api")
    requires.needs_program("chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Person:
    """Somebody before a browser. ``page`` is Playwright's."""

    page: Any
    base: str
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> Any:
        """Open a page of the server; Playwright's response."""
        return self.page.goto(self.base + path, wait_until="load")

    def calm(self) -> None:
        """Nothing came from elsewhere, nothing foreign ran, nothing was refused by the page's own policy."""
        assert not self.wrong, self.wrong

    def accessible(self) -> None:
        """axe finds nothing serious or critical on this page."""
        run = requires.needs_module("axe_playwright_python.sync_playwright").Axe().run(self.page)
        bad = [one for one in run.response["violations"] if one["impact"] in _SERIOUS]
        assert not bad, [(one["id"], one["help"], [n["target"] for n in one["nodes"]][:5]) for one in bad]

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        over = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, f"{self.page.url} is {over} px too wide"

    def shoot(self, file: Path) -> None:
        """A picture of the whole page."""
        self.page.screenshot(path=str(file), full_page=True)


@contextmanager
def person(
    browser: Any,
    base: str,
    name: str | None = USER,
    password: str = PASSWORD,
    *,
    width: int = 1440,
    dark: bool = False,
    scripts: bool = True,
) -> Iterator[Person]:
    """Somebody who has signed in by the page (``name`` None: who has not)."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    who = Person(page, base)
    page.on("request", lambda r: None if r.url.startswith((base, "data:")) else who.wrong.append(r.url))
    page.on("console", lambda m: who.wrong.append(m.text) if _is_wrong(m) else None)
    page.on("pageerror", lambda e: who.wrong.append(str(e)))
    page.on("dialog", lambda d: (who.wrong.append(f"dialog {d.message}"), d.dismiss()))
    try:
        if name is not None:
            sign_in(who, name, password)
        yield who
    finally:
        context.close()


def _is_wrong(message: Any) -> bool:
    refused_by_the_server = "Failed to load resource: the server responded" in message.text
    return message.type == "error" and not refused_by_the_server


def sign_in(who: Person, name: str, password: str) -> None:
    """By the form, as people do."""
    who.go("/sign-in")
    who.page.fill("[name=name]", name)
    who.page.fill("[name=password]", password)
    who.page.click("main button")
    who.page.wait_for_url(lambda url: "/sign-in" not in url)
