"""Planning in a child without rights: it says what planning here would say, and its end is no end of the scan."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.confined import Allowance, Ask, ConfinedChild, StoppedError
from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.locked import LockFile, lock_file
from package_hunter.ecosystems.npm import members
from package_hunter.ecosystems.planner import ConfinedPlan, Planner, _PlanOutline, in_child
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import HelperDiedError, NothingToScanError, UsageError
from package_hunter.model.scan import Command, CommandRun, Phase, Target
from package_hunter.policy import DEFAULT
from package_hunter.policy.rejudge import rejudge

P = "/home/dev/projects/p"
OPTIONS = PlanOptions(phases=("install", "import", "exercise"))


def _project(folder: Path) -> None:
    packages = {"": {"name": "p", "dependencies": {"a": "1"}}, "node_modules/a": {"version": "1.0.0"}}
    (folder / "package.json").write_text('{"name": "p", "dependencies": {"a": "1"}}')
    (folder / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    (folder / "Gemfile").write_text('gem "rake"\n')
    (folder / "sub").mkdir()
    (folder / "sub/Gemfile").write_text("")


def _box(root: Path) -> BoxTree:
    site = root / P[1:] / ".venv/lib/python3.11/site-packages/six-1.16.0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Name: six\nVersion: 1.16.0\n\nwords\n")
    (site / "RECORD").write_text("six.py,,\n")
    package = root / P[1:] / "node_modules/a"
    package.mkdir(parents=True)
    (package / "package.json").write_text(
        '{"name": "a", "version": "\\ud800", "main": "i.js", "scripts": {"install": "x"}}'
    )
    (package / "i.js").write_text("")
    (package / "package.json").chmod(0o600)  # the box's user may read it, another may not
    return BoxTree(root)


def _planted(plan: Plan) -> list[tuple[str, bytes]]:
    """What is planted, but for the repository, which knows the time."""
    return [(file.path, file.content) for file in plan.files if "/.git/" not in file.path]


@pytest.fixture
def planner() -> Iterator[Planner]:
    with Planner(allowed=Allowance(cpu_seconds=30, seconds=60.0)) as one:
        yield one


def test_the_same_plans_come_out(tmp_path: Path, planner: Planner) -> None:
    (tmp_path / "p").mkdir()
    _project(tmp_path / "p")
    box = _box(tmp_path / "box")
    source_tree = stage("p", tmp_path / "p")
    here, there = plans(source_tree, OPTIONS), planner.lay(source_tree, OPTIONS)
    assert len(here) == len(there) == 3
    for one, other in zip(here, there, strict=True):
        assert (one.target, one.project, one.plant) == (other.target, other.project, other.plant)
        assert (one.env, one.registry, one.notes) == (other.env, other.registry, other.notes)
        assert _planted(one) == _planted(other)
        assert one.fetch == other.fetch
        assert (one.fetches_alone, one.lock_paths) == (other.fetches_alone, other.lock_paths)
        assert one.after_fetch(box, ()) == other.after_fetch(box, ())
        assert one.later(box) == other.later(box)
        assert one.inventory() == other.inventory()
        assert one.coverage(()) == other.coverage(())
        for package in one.inventory():
            assert one.narrow(package.purl) == other.narrow(package.purl)
    assert there[0].inventory()[0].scripts == {"install": "x"}


def test_what_a_build_turned_out_to_need_comes_out_too(tmp_path: Path, planner: Planner) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/setup.py").write_text(
        "import setuptools; setuptools.setup(install_requires=open('r').read())"
    )
    info = tmp_path / "box" / P[1:] / ".venv/lib/python3.11/site-packages/own-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: own\nVersion: 1\nRequires-Dist: six==1.16.0\n\n")
    (info / "direct_url.json").write_text(json.dumps({"url": f"file://{P}"}))
    box, source_tree = BoxTree(tmp_path / "box"), stage("p", tmp_path / "p")
    (here,), (there,) = plans(source_tree, OPTIONS), planner.lay(source_tree, OPTIONS)
    assert here.after_fetch(box, ()) == there.after_fetch(box, ())
    learnt = there.learnt(box)
    assert learnt is not None
    assert learnt == here.learnt(box)
    assert learnt[1].names == {"six"}


def test_its_errors_are_ours(tmp_path: Path, planner: Planner) -> None:
    with pytest.raises(NothingToScanError, match="no manifest"):
        planner.lay(stage("p", tmp_path), OPTIONS)
    with pytest.raises(UsageError, match="no ecosystem"):
        planner.lay(stage("p", tmp_path), OPTIONS, "cobol")
    (tmp_path / "package.json").write_text("{")
    with pytest.raises(NothingToScanError, match="no sound JSON"):
        planner.lay(stage("p", tmp_path), OPTIONS)


def _confined(work: Callable[[Ask], bytes], **allowed: Any) -> ConfinedChild:
    return ConfinedChild(
        "It", lambda ask: lambda _: work(ask), Allowance(**{"cpu_seconds": 2, "seconds": 20.0, **allowed})
    )


def _forever(_: Ask) -> bytes:
    while True:
        pass


def _sleep(_: Ask) -> bytes:
    time.sleep(600)
    return b""


def _memory(_: Ask) -> bytes:
    return b"x" * (1 << 31)


def _deep(_: Ask) -> bytes:
    return _deep(_)


def _end(_: Ask) -> bytes:
    os._exit(3)


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (_forever, "processor time"),
        (_sleep, "in time"),
        (_memory, "more memory"),
        (_deep, "nested too deep"),
        (_end, "ended unexpectedly"),
        (lambda _: Path("/etc/hostname").read_bytes(), "OSError"),
        (lambda _: socket.socket() and b"", "OSError"),
        (lambda _: os.fork() and b"", "OSError"),
        (lambda ask: ask(b"what nobody knows"), "what there is not"),
    ],
    ids=["cpu", "time", "memory", "depth", "exit", "file", "network", "process", "question"],
)
def test_what_it_may_not(work: Callable[[Ask], bytes], why: str) -> None:
    def refuse(_: bytes) -> bytes:
        raise KeyError

    child = _confined(work, seconds=20.0 if work is not _sleep else 0.3)
    for _ in range(2):
        with pytest.raises(StoppedError, match=why) as told:
            child.ask(b"", refuse, where=lambda: "poetry.lock")
    assert "poetry.lock" in told.value.message
    assert not child.alive


def _by_signal(number: int) -> Callable[[Ask], bytes]:
    def end(ask: Ask) -> bytes:
        return ask(number.to_bytes(1, "big"))

    return end


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_who_kills_it_from_outside_is_named_and_not_its_limits(number: int) -> None:
    child = _confined(_by_signal(number))

    def kill(_: bytes) -> bytes:
        os.kill(child._pid, number)
        return b""

    for _ in range(2):
        with pytest.raises(HelperDiedError, match="killed from outside") as told:
            child.ask(b"", kill)
    assert told.value.again
    assert "processor" not in str(told.value)
    assert not child.alive


def test_a_crash_of_its_own_is_no_fault_of_the_host() -> None:
    with pytest.raises(StoppedError, match="ended unexpectedly by signal 11"):
        _confined(lambda _: ctypes.string_at(0)).ask(b"")


def test_a_killed_planner_is_told_whatever_is_asked_next(tmp_path: Path, planner: Planner) -> None:
    """Else the scan ends with half a report, and nobody tries it again."""
    (tmp_path / "p").mkdir()
    _project(tmp_path / "p")
    (plan, *_) = planner.lay(stage("p", tmp_path / "p"), OPTIONS)
    assert planner._child is not None
    os.kill(planner._child._pid, signal.SIGKILL)
    box = BoxTree(tmp_path)
    for ask in (
        lambda: plan.failure(()),
        lambda: plan.coverage(()),
        lambda: plan.without_scripts(box),
        lambda: plan.after_fetch(box, ()),
        lambda: plan.narrow("pkg:npm/a@1.0.0"),
    ):
        with pytest.raises(HelperDiedError):
            ask()


def test_the_last_questions_have_a_little_time_when_the_scan_has_none(
    tmp_path: Path, planner: Planner
) -> None:
    (tmp_path / "p").mkdir()
    _project(tmp_path / "p")
    box = _box(tmp_path / "box")
    planner.deadline = time.monotonic() + 600
    (plan, *_) = planner.lay(stage("p", tmp_path / "p"), OPTIONS)
    assert isinstance(plan, ConfinedPlan)
    assert plan.after_fetch(box, ()).commands
    plan._talk._deadline = time.monotonic() - 5
    with pytest.raises(StoppedError, match="The scan's time was over"):
        plan.later(box)
    assert plan.without_scripts(box) == frozenset()
    script = Command(("sh",), P, blame_purl="pkg:npm/a@1.0.0", script="install", essential=False)
    run = CommandRun("install", "default", script, 1, 0, 2_000_000_000, None, scan_seconds=25.0)
    assert plan.failure((run,)) is None
    found = plan.coverage((run,))
    assert found.scripts_run == 1
    assert found.reasons[0] == "The scan's time of 25 s was over in install of pkg:npm/a@1.0.0."
    assert not any("given up" in reason for reason in found.reasons)


def test_an_answer_that_is_none_of_its_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="given up"):
        in_child(stage("p", tmp_path), lambda _: 7, LockFile)


def test_a_scan_goes_on_to_a_report_without_it(tmp_path: Path, planner: Planner) -> None:
    (tmp_path / "p").mkdir()
    _project(tmp_path / "p")
    (plan, *_) = planner.lay(stage("p", tmp_path / "p"), OPTIONS)
    assert isinstance(plan, ConfinedPlan)
    planner.close()
    run = CommandRun("fetch", "default", Command(("npm",), P), 1, 0, 2_000_000_000, 0)
    with pytest.raises(StoppedError):
        plan.after_fetch(BoxTree(tmp_path), (run,))
    assert plan.failure((run,)) is None
    found = plan.coverage((run,))
    assert found.phases[0].seconds == 2.0
    assert "given up" in found.reasons[0]
    assert len(planner.lay(stage("p", tmp_path / "p"), OPTIONS)) == 3, "the next plan has a new child"


def test_a_lock_file_is_read_there(tmp_path: Path) -> None:
    _project(tmp_path)
    source_tree = stage("p", tmp_path)
    found = in_child(source_tree, lambda seen: lock_file(seen.tree, seen.project), LockFile | None)
    assert found == lock_file(source_tree.tree, source_tree.project)


def test_folders_are_looked_into_once_whatever_the_patterns(tmp_path: Path) -> None:
    for a in range(6):
        for b in range(6):
            (tmp_path / f"{a}/{b}/c").mkdir(parents=True)
    (tmp_path / "1/2/package.json").write_text('{"name": "x"}')
    asked: list[str] = []

    class Counting(BoxTree):
        def names(self, path: str) -> list[str]:
            asked.append(path)
            return super().names(path)

    patterns = [f"**/{'*/' * (n % 5)}**/*{n}" for n in range(190)] + ["**/2", "{1,9}/*", "1/2", "./1/[2]/"]
    found = members.manifests(Counting(tmp_path, P), P, {"workspaces": patterns})
    assert set(found) == {f"{P}/1/2"}
    assert len(asked) == len(set(asked)) <= 1 + 6 + 36 + 36


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("a = " + "[" * 20_000, "nested too deep"),
        ("a = " + "9" * 5_000, "Exceeds the limit"),
        (".".join("a" * 100_000) + " = 1", "parts"),
        ("[[rule]]\ndecision = 'block'\nkind = 'x'\n" * 201, "over 200 rules"),
        (
            f"[[waiver]]\nkind = 'x'\nreason = '{'r' * 2_000}'\nauthor = 'a'\nexpires = 2027-01-01\n",
            "longer than",
        ),
        ("[verdicts]\nmalicious = '" + "x" * 9_000 + "'", "is not one of"),
    ],
)
def test_a_projects_own_policy_costs_no_report(own: str, said: str) -> None:
    from tests.support import judge_samples as samples

    report = rejudge(samples.report(), DEFAULT, own)
    (notice,) = [notice for notice in report.notices if said in notice]
    assert len(notice) < 600
    assert report.verdict is samples.report().verdict


@pytest.mark.parametrize(
    ("project", "recursive", "taken"),
    [
        ("/home/dev/projects/app", False, True),
        ("/home/dev/projects/app/web", True, True),
        ("/home/dev/projects/app/web", False, False),
        ("/home/dev/projects/app/../other", True, False),
        ("/home/dev/projects/application", True, False),
        ("/etc", True, False),
    ],
)
def test_a_plan_is_of_the_project_or_of_a_folder_of_it(project: str, recursive: bool, taken: bool) -> None:
    given: Any = SimpleNamespace(source_tree=stage("app", Path("/nonexistent")))
    fetch = Phase("fetch", ())
    outline = _PlanOutline(
        0, Target("app", "npm"), project, True, (), {}, (), False, (), (), (), False, (), fetch, ()
    )
    if taken:
        made = ConfinedPlan(given, outline, PlanOptions(recursive=recursive))
        assert made.root == "/home/dev/projects/app"
    else:
        with pytest.raises(StoppedError, match="another project"):
            ConfinedPlan(given, outline, PlanOptions(recursive=recursive))
