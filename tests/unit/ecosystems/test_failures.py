"""What a failed fetch of a single package means; and what coverage makes of phases that were cut short."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.base import Inventory, PlanOptions
from package_hunter.ecosystems.coverage import coverage
from package_hunter.ecosystems.failures import failure
from package_hunter.errors import NothingToScanError, UnreachableError
from package_hunter.model.scan import Command, CommandRun, Phase, Target

SINGLE = Target("x", "npm", purl="pkg:npm/x@1")
FETCH = Command(("npm", "install"), "/p")
LOAD = Command(("node",), "/p", essential=False, script="require", blame_purl="pkg:npm/x@1")


def ran(command: Command, phase: str, code: int | None, tail: str = "", world: str = "default") -> CommandRun:
    return CommandRun(phase, world, command, 1, 0, 10**9, code, tail)


@pytest.mark.parametrize(
    ("tail", "error", "code"),
    [
        ("npm error code E404\nnpm error 404 Not Found - GET x", NothingToScanError, 3),
        ("npm error notarget No matching version found for x@1.", NothingToScanError, 3),
        ("ERROR: No matching distribution found for x", NothingToScanError, 3),
        ("npm error code E503\nnpm error 503 Service Unavailable", UnreachableError, 69),
        ("npm error network request to x failed, reason: connect ECONNREFUSED", UnreachableError, 69),
    ],
)
def test_unknown_and_unreachable(tail: str, error: type[Exception], code: int) -> None:
    found = failure(SINGLE, [ran(FETCH, "fetch", 1, tail)])
    assert isinstance(found, error) and found.exit_code == code and found.advice


def test_everything_else_goes_on_to_a_report() -> None:
    bad = ran(FETCH, "fetch", 1, "npm error code E404")
    assert failure(SINGLE, [ran(FETCH, "fetch", 0, "E404")]) is None
    assert failure(SINGLE, [ran(FETCH, "fetch", 1, "npm error ERESOLVE")]) is None
    assert failure(SINGLE, [ran(FETCH, "fetch", None, "E404")]) is None
    assert failure(Target("x", "npm"), [bad]) is None
    assert failure(Target("x", "npm", purl="pkg:npm/x@1", sha256="ab"), [bad]) is None


def test_a_phase_that_was_cut_short() -> None:
    planned = {
        "fetch": Phase("fetch", (FETCH,)),
        "install": Phase("install", ()),
        "import": Phase("import", (LOAD, LOAD)),
    }
    runs = [ran(FETCH, "fetch", 0, world="ci"), ran(LOAD, "import", 0, world="ci")]
    found = coverage(planned, PlanOptions(), Inventory(), runs, ())
    assert [(p.name, p.world, p.status) for p in found.phases] == [
        ("fetch", "ci", "ok"),
        ("install", "ci", "ok"),
        ("import", "ci", "timeout"),
    ]
    assert found.reasons == ("Of the phase “import”, 1 of 2 steps were run.",)


def test_a_hostile_tail_is_shown_on_one_plain_line() -> None:
    planned = {"fetch": Phase("fetch", (FETCH,))}
    tail = "npm error \x1b[31mred\x1b[0m\u202e\nnpm error " + "x" * 9000
    (reason, *_) = coverage(planned, PlanOptions(), Inventory(), [ran(FETCH, "fetch", 1, tail)], ()).reasons
    assert reason.isprintable() and len(reason) < 700


def test_a_tail_cannot_stall_the_search() -> None:
    planned = {"fetch": Phase("fetch", (FETCH,))}
    for tail in (
        "\n" * 16_384,
        "error " * 2_700,
        "npm error\n" * 1_600,
        " \t" * 8_192,
        "Cannot find module '" * 800,
    ):
        coverage(
            planned,
            PlanOptions(),
            Inventory(),
            [ran(FETCH, "fetch", 1, tail), ran(LOAD, "import", 1, tail)],
            (),
        )
