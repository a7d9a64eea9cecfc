"""Commands that failed: our sentence first, their own last words kept, and never more than a report can hold."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.base import Inventory, PlanOptions
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.reasons.failed import MAX_FAILED, Failures
from package_hunter.model.scan import Command, CommandRun, Package, Phase

PIP = Command(("python", "-m", "pip", "install", "."), "/", script="pip install")
SCRIPT = Command(("sh",), "/", blame_purl="pkg:npm/a@1", script="postinstall", essential=False)
LIBPQ = """Collecting a
x.c:1:10: fatal error: libpq-fe.h: No such file or directory
ERROR: Failed building wheel for x
"""


def ran(command: Command, code: int | None, tail: str, phase: str = "install") -> CommandRun:
    return CommandRun(phase, "default", command, 1, 0, 10**9, code, tail)


def test_a_failed_install_says_what_is_missing_and_what_to_do() -> None:
    found = coverage(
        {"install": Phase("install", (PIP,))}, PlanOptions(), Inventory(), [ran(PIP, 1, LIBPQ)], ()
    )
    (reason,) = [text for text in found.reasons if "pip install" in text]
    assert reason.startswith(
        "`pip install` (it was building x) failed: it needs libpq-fe.h (Debian's libpq-dev), a system library that the "
        "image does not have. Scan with an image that has it"
    )
    assert reason.endswith("It said: “x.c:1:10: fatal error: libpq-fe.h: No such file or directory”")
    (failed,) = found.failed
    assert (failed.phase, failed.command, failed.package, failed.exit_code) == (
        "install",
        "pip install",
        None,
        1,
    )
    assert failed.reason == reason and failed.output[0] == "Collecting a" and len(failed.output) == 3


@pytest.mark.parametrize(
    ("code", "tail", "says"),
    [
        (1, "", "postinstall of pkg:npm/a@1 ended with error 1 and printed nothing."),
        (-9, "", "postinstall of pkg:npm/a@1 was ended by SIGKILL and printed nothing."),
        (-200, "\n", "postinstall of pkg:npm/a@1 was ended by signal 200 and printed nothing."),
        (1, "oops\n", "postinstall of pkg:npm/a@1 failed. It said: “oops”"),
        (1, "x" * 900, "postinstall of pkg:npm/a@1 failed. It said: “" + "x" * 240),
    ],
)
def test_a_script_that_failed(code: int, tail: str, says: str) -> None:
    planned = {"install": Phase("install", (SCRIPT,))}
    found = coverage(planned, PlanOptions(), Inventory(), [ran(SCRIPT, code, tail)], ())
    assert any(note.startswith(says) for note in found.notes), found.notes
    assert "exit code" not in " ".join((*found.notes, *found.reasons))


def test_what_was_stopped_keeps_its_last_words() -> None:
    found = coverage(
        {"install": Phase("install", (PIP,))}, PlanOptions(), Inventory(), [ran(PIP, None, "a\nb\n")], ()
    )
    assert found.failed[0].exit_code is None and found.failed[0].output == ("a", "b")


def test_few_are_kept_the_essential_ones_first() -> None:
    failures = Failures()
    runs = [ran(SCRIPT, 1, f"error {n}") for n in range(100)] + [ran(PIP, 1, LIBPQ)]
    for run in runs:
        failures.sentence(run, "it")
    kept = failures.records()
    assert len(kept) == MAX_FAILED and kept[0].command == "pip install"
    assert failures.sentence(runs[0], "it") == kept[1].reason


@pytest.mark.parametrize(
    ("what", "refused"),
    [("only-allow@*", True), ("@s/tool@1.0.0", True), ("ms@*", False), ("named@^9", False)],
)
def test_what_we_refused_is_not_said_of_the_registry(what: str, refused: bool) -> None:
    tail = f"npm error code E404\nnpm error 404  The requested resource '{what}' could not be found or you do not\n"
    there = Inventory((Package("pkg:npm/ms@2", "ms", "2", "/p"),), expected=1, asked=frozenset({"named"}))
    planned = {"install": Phase("install", (SCRIPT,))}
    (note,) = [
        n for n in coverage(planned, PlanOptions(), there, [ran(SCRIPT, 1, tail)], ()).notes if what in n
    ]
    assert ("We refused it" in note) is refused
    assert ("the registry has no" in note) is not refused


def test_what_the_fetch_itself_does_not_find_the_registry_has_not() -> None:
    found = coverage(
        {"fetch": Phase("fetch", (PIP,))}, PlanOptions(), Inventory(),
        [ran(PIP, 1, "ERROR: No matching distribution found for nothing", "fetch")], (),
    )  # fmt: skip
    assert any("the registry has no “nothing”" in reason for reason in found.reasons), found.reasons
