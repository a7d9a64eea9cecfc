"""What a scan says that it covered."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.base import Inventory, PlanOptions
from package_hunter.ecosystems.coverage import coverage
from package_hunter.model.scan import Command, CommandRun, Phase

OPTIONS = PlanOptions(phases=("fetch", "install", "import"))
A, B = "pkg:npm/a@1", "pkg:npm/b@1"
FETCH = Command(("npm", "ci"), "/", essential=True, script=None)
SCRIPTS = tuple(Command(("sh",), "/", blame_purl=purl, script="install", essential=False) for purl in (A, B))
LOAD = Command(("node",), "/", blame_purl=A, script="require", essential=False)
PLANNED = {
    "fetch": Phase("fetch", (FETCH,)),
    "install": Phase("install", SCRIPTS),
    "import": Phase("import", (LOAD,)),
}


def ran(command: Command, phase: str, scan_seconds: float | None = None) -> CommandRun:
    code = None if scan_seconds else 0
    return CommandRun(phase, "default", command, 1, 0, 1, code, scan_seconds=scan_seconds)


@pytest.mark.parametrize(
    ("runs", "where"),
    [
        (
            [ran(FETCH, "fetch"), ran(SCRIPTS[0], "install"), ran(SCRIPTS[1], "install", 25.0)],
            f"install of {B}",
        ),
        ([ran(FETCH, "fetch", 25.0)], "`npm ci`"),
        (
            [ran(FETCH, "fetch"), *(ran(c, "install") for c in SCRIPTS), ran(LOAD, "import", 25.0)],
            f"require of {A}",
        ),
    ],
    ids=["install", "fetch", "load"],
)
def test_the_scans_end_is_one_reason(runs: list[CommandRun], where: str) -> None:
    planned = {name: PLANNED[name] for name in PLANNED if any(run.phase == name for run in runs)}
    found = coverage(planned, OPTIONS, Inventory(), runs, ())
    assert found.reasons == (f"The scan's time of 25 s was over in {where}.",)
    assert found.scripts_run == sum(run.phase == "install" for run in runs)


def test_what_was_not_begun_is_said_too() -> None:
    runs = [ran(FETCH, "fetch"), ran(SCRIPTS[0], "install", 25.0)]
    found = coverage(PLANNED, OPTIONS, Inventory(), runs, ())
    assert found.reasons == (
        f"The scan's time of 25 s was over in install of {A}.",
        "1 of 2 install scripts were not run.",
    )


@pytest.mark.parametrize(
    ("purl", "name"),
    [("pkg:npm/self-dist", "self-dist"), ("pkg:npm/%40m/core@1.0.0", "@m/core"), ("pkg:npm/core@1", "core")],
)
def test_a_part_of_the_project_that_is_not_built_is_a_note(purl: str, name: str) -> None:
    load = Command(
        ("node", "-e", f'require("{name}")'), "/", blame_purl=purl, script="require", essential=False
    )
    run = CommandRun("import", "default", load, 1, 0, 1, 1, f"Error: Cannot find module '{name}'\n")
    planned = {"import": Phase("import", (load,))}
    own = coverage(planned, OPTIONS, Inventory(), [run], (), frozenset({name}))
    assert own.notes and "a part of the project itself, was not loaded: it is not built" in own.notes[0]
    assert not any("could not be tried" in reason for reason in own.reasons)
    other = coverage(planned, OPTIONS, Inventory(), [run], (), frozenset({"else"}))
    assert any("could not be tried" in reason for reason in other.reasons)
