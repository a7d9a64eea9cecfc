"""Encodings are tried only where something was fetched in vain, and only what runs is added."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.model.depth import QUICK, STANDARD, Depth
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Blame, DecoyMark, NetworkLog, Observation, Request
from package_hunter.model.scan import Coverage
from package_hunter.pipeline import encoded
from package_hunter.pipeline.encoded import try_encodings
from package_hunter.pipeline.hurried import is_of_hurried
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import Round
from tests.support.pipeline_samples import TreePlan

URL = "https://stage.example/v2"
PURL = "pkg:npm/loader@1.0.0"
RAN = DecoyMark(2, "remote_code_execution", "ran", "stage.example:443", 1, None, {"url": URL})
LOADER = Finding("f", "remote_code_execution", "high", "ran", None, (), (), 1)


def asked(url: str = URL, package: str | None = PURL, **more: Any) -> Request:
    blame = Blame("install", package, (), "postinstall", 1, "node", "", "certain")
    return replace(Request(1, "GET", url, (), b"", 0, 200, 1, blame=blame), **more)


def result(
    *requests: Request, marks: tuple[DecoyMark, ...] = (), findings: tuple[Finding, ...] = ()
) -> RoundResult:
    turn = Round(TreePlan({"a": []}, ["a"]), WORLDS["default"], "id", Path("/nonexistent/r"))
    log = NetworkLog(requests=requests, marks=marks)
    sources = {PURL: b"eval(atob(t))"}
    return RoundResult(turn, (), Observation(), log, (), (), Coverage(), findings, sources=sources)


def tried(item: RoundResult, *shown: RoundResult, depth: Depth = STANDARD) -> tuple[RoundResult, list[str]]:
    scan: Any = SimpleNamespace(deadline=time.monotonic() + 600, say=lambda _: None, depth=depth)
    left, names = list(shown), []

    def run(turn: Round, after: int) -> RoundResult:
        assert turn.encoding is not None
        names.append("/".join(name for _, name, _ in turn.encoding.answers))
        return left.pop(0)

    return try_encodings(scan, None, item, run), names  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded, "encoded", lambda s, t, earlier, how, n: replace(earlier, encoding=how))


def test_the_first_that_runs_is_added_and_ends_it() -> None:
    found, names = tried(result(asked()), result(), result(marks=(RAN,), findings=(LOADER,)))
    assert names == ["base64", "json"] and [f.kind for f in found.findings] == ["remote_code_execution"]
    assert "answered as json" in found.findings[0].explain[-1] and is_of_hurried(found.findings[0])


def test_what_runs_in_none_is_a_note_and_nothing_else() -> None:
    item = result(asked())
    found, names = tried(item, *[result(findings=(replace(LOADER, kind="persistence"),))] * 3)
    assert len(names) == 3 and found.findings == () and "nothing of it ran" in found.coverage.notes[-1]


@pytest.mark.parametrize(
    "request_",
    [
        asked(package=None),
        asked(registry=True),
        asked(method="POST"),
        asked(status=404),
        asked("http://ip-api.com/json"),
    ],
)
def test_no_box_where_nothing_was_downloaded(request_: Request) -> None:
    assert tried(result(request_))[1] == []


def test_no_box_where_it_ran_already_or_nobody_asked_for_so_much() -> None:
    assert tried(result(asked(), marks=(RAN,)))[1] == []
    assert tried(result(asked()), depth=QUICK)[1] == []


def test_each_address_is_answered_as_its_own_askers_source_names_it() -> None:
    other, purl = "https://hex.example/v1", "pkg:npm/other@1.0.0"
    item = result(asked(), asked(other, purl))
    item = replace(item, sources={**item.sources, purl: b"Buffer.from(t, 'hex')"})
    ran = replace(RAN, evidence={"url": other})
    first = result(marks=(ran,), findings=(LOADER,))
    found, names = tried(item, first, result(marks=(RAN,)))
    assert names == ["hex/base64", "json"]
    assert "was answered as hex." in found.findings[0].explain[-1]
