"""What is said of loads that failed, and of those that there was no time for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.ecosystems import loads
from package_hunter.ecosystems.base import Inventory, PlanOptions
from package_hunter.ecosystems.coverage import coverage
from package_hunter.model.scan import Command, CommandRun, Phase

PYTHON = """Traceback (most recent call last):
  File "<string>", line 1, in <module>
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "x.py", line 3, in <module>
ModuleNotFoundError: No module named 'django'
"""
NODE = """/home/dev/projects/a/index.js:1
throw new TypeError('no', { cause: new Error('why') })
^

TypeError [ERR_X]: no
    at Object.<anonymous> (/home/dev/projects/a/index.js:1:7)
  [cause]: Error: why
Node.js v20.0.0
"""
RUBY = "<internal:/x>:37:in `require': cannot load such file -- y (LoadError)\n\tfrom -e:1:in `<main>'\n"


def ran(script: str, code: int | None, tail: str = "", within: float | None = None) -> CommandRun:
    command = Command(("x",), "/", timeout=5, blame_purl="pkg:npm/a@1", script=script, within=within)
    return CommandRun("import", "default", command, 1, 0, 1, code, tail)


@pytest.mark.parametrize(
    ("tail", "cause"),
    [
        (PYTHON, "ModuleNotFoundError: No module named 'django'"),
        (NODE, "TypeError [ERR_X]: no"),
        (RUBY, "<internal:/x>:37:in `require': cannot load such file -- y (LoadError)"),
        ("Segmentation fault", "exit code 3"),
        ("Error: a\x1b[2Jb", "Error: a [2Jb"),
    ],
    ids=["python", "node", "ruby", "none", "controls"],
)
def test_the_cause_in_the_interpreters_words(tail: str, cause: str) -> None:
    assert loads.cause(ran("require", 3, tail)) == cause


def test_all_that_failed_is_one_sentence_and_one_cause_is_told_once() -> None:
    runs = [ran(f"import a.m{n}", 1, PYTHON) for n in range(5)] + [ran("import a", 0), ran("bin a", None)]
    (said,) = loads.failed(runs)
    assert said.startswith("6 of 7 loads ended with an error: ")
    assert said.count("django") == 1
    assert "import a.m0 of pkg:npm/a@1" in said and "and 2 more" in said
    assert "bin a of pkg:npm/a@1: still running after 5 s and stopped" in said
    assert list(loads.failed([ran("import a", 0)])) == []


def test_many_causes_make_no_endless_sentence() -> None:
    runs = [ran(f"require/{n}", 1, f"Error: {n} {'x' * 10_000}") for n in range(300)]
    (said,) = loads.failed(runs)
    assert len(said) < 2_000 and "295 other causes" in said


def test_a_budget_that_was_used_up_is_a_note_and_no_reason() -> None:
    planned = {
        "fetch": Phase("fetch", ()),
        "install": Phase("install", ()),
        "import": Phase(
            "import", tuple(run.command for run in (ran("a", 0), *[ran("a/b", 0, within=30)] * 3))
        ),
    }
    runs = [ran("a", 0), ran("a/b", 0, within=30)]
    found = coverage(planned, PlanOptions(), Inventory(), runs, ())
    assert found.reasons == ()
    assert found.notes == (
        "2 of 3 sub-modules and commands were not loaded: the time for them (30 s) was over.",
    )
    assert all(phase.status == "ok" for phase in found.phases)
    missed = coverage(planned, PlanOptions(), Inventory(), runs[1:], ())
    assert any("steps were run" in reason for reason in missed.reasons), "what has no budget must be run"


def test_what_was_loaded_together_is_told_as_such() -> None:
    planned = {"import": Phase("import", tuple(run.command for run in [ran("a/b", 0, within=30)] * 5))}
    together = ran("3 further modules", 0)
    together = replace(together, command=replace(together.command, joined=3))
    told = list(loads.not_tried(planned, [ran("a/b", 0, within=30), together]))
    assert told == [
        "3 of 5 sub-modules were loaded together, in one process for each package: the time to load them apart (30 s) "
        "was over.",
        "1 of 5 sub-modules and commands were not loaded: the time for them (30 s) was over.",
    ]
    assert list(loads.not_tried(planned, [ran("a/b", 0, within=30)] * 5)) == []
