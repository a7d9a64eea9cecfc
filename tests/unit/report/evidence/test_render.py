"""Hostile text on the page: shown, harmless, cut, with a way to see all of it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from jinja2 import DictLoader, Environment

from package_hunter.model.observation import FileChange
from package_hunter.report import evidence, html
from package_hunter.report.evidence import Exhibits
from tests.support.evidence_samples import BEGAN, alert, build, process, with_processes

HTML = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}'
BIDI = "safe\u202egnp.exe\u2066\u200b\ufeff"
TERMINAL = "\x1b[2J\x1b]0;owned\x07\r\x9b31m"


class _Attributes(HTMLParser):
    """All names of attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {name for name, _ in attrs}


def attributes(shown: str) -> set[str]:
    parser = _Attributes()
    parser.feed(shown)
    return parser.found


def page(cmdline: str, **changes: object) -> str:
    box = [process(1, None, "init"), process(2, 1, cmdline, name=cmdline[:15])]
    report = with_processes(box, [alert(2, cmdline[:200])], **changes)
    return html.render(report)


@pytest.mark.parametrize("text", [HTML, BIDI, TERMINAL, "\ud800", "\0", "a\nb\nc"])
def test_whatever_a_process_calls_itself(text: str) -> None:
    files = (FileChange(f"/tmp/{text}", "created", 2, BEGAN, text),)
    shown = page(f"node {text}", files=files)
    assert not re.search(r"<(script|img|iframe|object|link)\b", shown)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x1b\x07\x9b\0]", shown)
    assert not {name for name in attributes(shown) if name.startswith("on") or name == "style"}
    shown.encode()


def test_what_nobody_sees_is_made_visible() -> None:
    shown = page(f"node {BIDI}")
    for escape in ("\\u202e", "\\u2066", "\\u200b", "\\ufeff"):
        assert escape in shown


def test_ten_megabytes_are_cut_with_a_way_to_see_more() -> None:
    shown = page("node " + "A" * (10 << 20))
    assert len(shown) < 1_000_000
    assert "all of its command line</summary>" in shown
    assert "more characters: the JSON report has all of it." in shown


def test_a_command_of_many_lines_can_be_read_line_by_line() -> None:
    shown = page("node -e 'one\ntwo\nthree'")
    assert "one two three" in shown
    assert "one\ntwo\nthree" in shown


@pytest.mark.parametrize("number", [2, 100_000])
def test_the_page_stays_a_page(number: int) -> None:
    shown = html.render(build(number))
    assert len(shown) < 700_000
    assert f"{number:,} processes" in shown


def test_every_link_leads_to_a_place_of_the_page() -> None:
    shown = html.render(build(3_000, noted=500))
    targets, places = set(re.findall(r'href="#([^"]+)"', shown)), re.findall(r'\bid="([^"]+)"', shown)
    assert len(set(places)) == len(places), "no place twice"
    assert targets - set(places) == set()


def test_components_are_drawn_elsewhere_too() -> None:
    """As the server's pages do: another environment, without the report's own ways of showing text."""
    environment = Environment(
        autoescape=True,
        loader=DictLoader(
            {
                **evidence.TEMPLATES,
                "page": '{% from "evidence/tree.html.j2" import process_tree %}{{ process_tree(x.tree) }}',
            }
        ),
    )
    evidence.install(environment)
    box = [process(1, None, "init"), process(2, 1, HTML + BIDI)]
    shown = environment.get_template("page").render(x=Exhibits(with_processes(box, [alert(2)])))
    assert "<script" not in shown
    assert "\u202e" not in shown
    assert "\\u202e" in shown


def test_an_empty_report_has_no_empty_components() -> None:
    from package_hunter.report.sample import sample

    bare = replace(
        sample(),
        processes=(),
        alerts=(),
        findings=(),
        files=(),
        network=type(sample().network)(),
        canaries=type(sample().canaries)(),
    )
    shown = html.render(bare)
    for name in ("timeline", "secrets", "network", "processes", "files", "attack", "iocs"):
        assert f'<h2 id="{name}"' not in shown
