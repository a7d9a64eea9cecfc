"""Only what came in the archive and is gone was a trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.findings.traces import scripts_of
from package_hunter.model.observation import Blame, FileChange, NetworkLog, Observation, Process
from tests.support import judge_samples as samples
from tests.support.judge_samples import PROJECT, T0, alert, judge

FOLDER = str(samples.PACKAGE.path)
PACKAGE = replace(
    samples.PACKAGE,
    scripts={"install": "node make.js > flags.gypi && chmod 755 run.sh && mkdir -p build && ./lib/end"},
)
INSTALLER, OWN = 1, 2


def blamer(key: int, time_ns: int) -> Blame:
    fetch = replace(samples.BLAME, phase="fetch", package=None, confidence="tree")
    return fetch if key == INSTALLER else samples.BLAME


def cleaned(*changes: FileChange, gone: frozenset[str] | None = frozenset(), alerts: Any = ()) -> bool:
    observation = Observation(alerts=tuple(alerts), processes=samples.PROCESSES, files=changes)
    findings = judge(observation, NetworkLog(), packages=(PACKAGE,), blamer=blamer, scriptless=gone)
    assert {f.kind for f in findings} <= {"self_cleaning"}
    return bool(findings)


def change(name: str, action: str, by: int = OWN, other: str | None = None) -> FileChange:
    return FileChange(f"{FOLDER}/{name}", action, by, T0 + 1, other)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        *(("flags.gypi", action) for action in ("created", "written", "deleted")),
        *(
            ("run.sh", "mode"),
            ("build", "created"),
            ("build", "deleted"),
            ("make.js", "mode"),
            ("make.js", "written"),
        ),
        *(("package.json", "written"), ("package.json", "renamed"), ("package.json", "mode")),
        ("lib/other.js", "deleted"),
    ],
)
def test_a_build_is_none(name: str, action: str) -> None:
    assert not cleaned(change(name, action))


@pytest.mark.parametrize(
    ("name", "action"), [("make.js", "deleted"), ("make.js", "renamed"), ("lib/end.js", "deleted")]
)
def test_a_script_that_came_and_went_is_one(name: str, action: str) -> None:
    assert cleaned(change(name, action))
    assert cleaned(change(name, "created", by=INSTALLER), change(name, action))


def test_a_script_that_the_run_itself_made_is_none() -> None:
    assert not cleaned(change("make.js", "created"), change("make.js", "deleted"))


def test_a_manifest_counts_where_its_scripts_are_gone() -> None:
    gone = frozenset({PACKAGE.purl})
    assert cleaned(change("package.json", "written"), gone=gone)
    assert cleaned(change("package.json", "deleted"), gone=gone)
    assert not cleaned(change("package.json", "deleted")), "it was put back"
    assert not cleaned(change("package.json", "written"), gone=None)
    assert cleaned(change("package.json", "deleted"), gone=None), "nobody looked, and it was taken away"


def at(key: int, cmdline: str, start: int, parent: int = INSTALLER) -> Process:
    """A process of the package's own run, in its folder."""
    return replace(
        samples.PROCESSES[1],
        key=key,
        parent=parent,
        cmdline=cmdline,
        cwd=FOLDER,
        execs=(),
        started_ns=T0 + start,
    )


def replaced(name: str, by: int, *processes: Process, action: str = "written", time: int = 50) -> bool:
    files = (FileChange(f"{FOLDER}/{name}", action, by, T0 + time, None),)
    every = (samples.PROCESSES[0], *processes)
    observation = Observation(processes=every, files=files)
    findings = judge(observation, NetworkLog(), packages=(PACKAGE,), blamer=blamer, scriptless=frozenset())
    return any(f.kind == "self_cleaning" for f in findings)


def test_a_script_that_overwrites_itself_removed_its_traces() -> None:
    assert replaced("make.js", 5, at(5, "node make.js", 10))
    assert replaced("make.js", 6, at(5, "node make.js", 10), at(6, "node -e 0", 20, parent=5)), (
        "its child did"
    )
    assert replaced("lib/two.js", 5, at(5, f"node {FOLDER}/lib/two.js", 10)), "one that its script started"
    assert replaced("lib/two.js", 5, at(5, "node ./lib/two", 10), action="deleted")
    assert replaced("make.js", 5, at(5, "node make.js", 10), at(7, "node make.js", 90)), (
        "and runs what it put there"
    )


def test_a_script_that_another_overwrote_after_its_last_run_is_one_too() -> None:
    ran = at(5, "node make.js", 10)
    assert replaced("make.js", 6, ran, at(6, "cp stub.js make.js", 20))
    assert replaced("make.js", 7, ran, at(7, "sh -c node make.js; echo > make.js", 5))
    assert not replaced("make.js", 6, ran, at(6, "node gen.js", 20), at(8, "node make.js", 90)), (
        "a new version runs"
    )
    assert not replaced("make.js", 6, at(6, "node gen.js", 20)), "it never ran"
    assert not replaced("lib/two.js", 6, at(5, "node lib/two.js", 10), at(6, "node gen.js", 20))


def test_what_a_script_is_told_to_write_is_none() -> None:
    assert not replaced("index.js", 5, at(5, "node gen.js index.js", 10))
    assert not replaced("flags.gypi", 5, at(5, "node make.js > flags.gypi", 10))


def of_rule(event: str, name: str) -> Any:
    fields = {"fs.path.name": f"{FOLDER}/{name}", "proc.cmdline": "node note.js"}
    return alert(
        rule="about the package's own file", event_type=event, output_fields=fields,
        tags=("kind:self_cleaning", "suspicious"),
    )  # fmt: skip


def test_the_rules_alerts_are_held_to_the_same() -> None:
    gone = frozenset({PACKAGE.purl})
    assert not cleaned(alerts=[of_rule("openat", "package.json")])
    assert cleaned(alerts=[of_rule("openat", "package.json")], gone=gone)
    assert not cleaned(alerts=[of_rule("openat", "package.json")], gone=None)
    assert cleaned(alerts=[of_rule("unlink", "package.json")], gone=None)
    assert cleaned(alerts=[of_rule("unlink", "lib/stage.js")])
    assert not cleaned(change("lib/stage.js", "created"), alerts=[of_rule("unlink", "lib/stage.js")])


@pytest.mark.parametrize("where", ["package.json", "lib/stage.js", "../it_tmp_7/package.json"])
def test_what_a_manager_lays_while_it_fetches_was_nobodys_trace(where: str) -> None:
    """pnpm unpacks into folders of passing names; that the project has a hook of its own makes it no removal."""
    for event in ("openat", "rename", "unlink"):
        told = of_rule(event, where)
        assert cleaned(alerts=[told], gone=frozenset({PACKAGE.purl})) or where.startswith("..")
        fetching = replace(told, blame=replace(samples.BLAME, phase="fetch", package=None, confidence="tree"))
        assert not cleaned(alerts=[fetching], gone=frozenset({PACKAGE.purl}))


@pytest.mark.parametrize(
    ("command", "runs", "not_run"),
    [
        ("node ./scripts/post", {"scripts/post", "scripts/post.js", "scripts/post/index.js"}, {"node"}),
        ("A=1 node -r ./a.js b.js", {"a.js", "b.js"}, {"A=1"}),
        ("cp a.js b.js; rm -rf src", {"rm"}, {"a.js", "b.js", "src"}),
        ("sh -c './go.sh' || exit 0", {"go.sh"}, set()),
        ("node a.js > out.js 2>&1", {"a.js"}, {"out.js"}),
        ("node ../x.js /abs/y.js", set(), {"../x.js", "/abs/y.js"}),
    ],
)
def test_what_a_command_line_runs(command: str, runs: set[str], not_run: set[str]) -> None:
    found = scripts_of(command)
    assert found >= runs and not found & not_run


@given(st.text(max_size=300))
def test_no_command_line_breaks_it(command: str) -> None:
    assert all(isinstance(name, str) for name in scripts_of(command))


def test_a_projects_own_script_has_no_traces_in_its_dependencies() -> None:
    patched = replace(of_rule("openat", "package.json"), blame=PROJECT)
    assert not cleaned(alerts=[patched], gone=frozenset({PACKAGE.purl}))
    unknown = replace(patched, blame=replace(PROJECT, confidence="tree"))
    assert cleaned(alerts=[unknown], gone=frozenset({PACKAGE.purl}))
