"""Planning in a child without rights: whatever looks into a project's or a box's files does so there.

The child holds the plans; what it says of them comes back as values of the model, checked by their types. Its limits
are those of ``confined``; the scan's deadline is the end of every wait for it.
"""

from __future__ import annotations

import json
import posixpath
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from package_hunter import confined, errors
from package_hunter.confined import Allowance, Ask, ConfinedChild, StoppedError
from package_hunter.ecosystems.base import NothingAskedError, Plan, PlanOptions, SourceTree, UnsoundError
from package_hunter.ecosystems.laying import lay, preload, ready
from package_hunter.ecosystems.remote_tree import RemoteTree, TreeServer
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import HelperDiedError, HunterError
from package_hunter.model import wire
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import (
    BoxFile,
    CommandRun,
    Coverage,
    Package,
    Phase,
    PhaseCoverage,
    Target,
)
from package_hunter.model.text import well_formed
from package_hunter.model.wire import to_bytes

T = TypeVar("T")
_MAX_SENTENCE = 2_000
_CLOSING_SECONDS = 10.0  # for a question that is asked when the scan's time is over, to make its report


@dataclass(frozen=True)
class _PlanOutline:
    """What the parent is told of a plan once it is laid out. ``number`` is the child's for it."""

    number: int
    target: Target
    project: str
    planted: bool
    files: tuple[BoxFile, ...]
    env: Mapping[str, str]
    registry: tuple[RegistryAllow, ...]
    fetches_alone: bool
    notes: tuple[str, ...]
    own_scripts: tuple[str, ...]
    reasons: tuple[str, ...]
    package: bool
    lock_paths: tuple[str, ...]
    fetch: Phase
    packages: tuple[Package, ...]
    patched: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Wish:
    """What the child is asked for: a project without the folder, which it cannot open."""

    name: str
    project: str
    planted: bool
    top: str
    sha256: str | None
    purl: str | None
    options: PlanOptions
    ecosystem: str | None

    @classmethod
    def of(cls, source_tree: SourceTree, options: PlanOptions, ecosystem: str | None) -> _Wish:
        """The wish in the parent's words."""
        planted = source_tree.folder is not None
        given = (
            source_tree.name,
            source_tree.project,
            planted,
            source_tree.top,
            source_tree.sha256,
            source_tree.purl,
        )
        return cls(*given, options, ecosystem)

    def source_tree(self, ask: Ask) -> SourceTree:
        """The project as the child sees it."""
        folder = Path("/") if self.planted else None
        files = RemoteTree("source_tree", ask)
        return SourceTree(self.name, self.project, folder, self.top, self.sha256, self.purl, files)


@dataclass(frozen=True)
class _PlanAnswer:
    """An answer about a plan: phases, and the inventory as it is now."""

    phases: tuple[Phase, ...]
    packages: tuple[Package, ...]
    notes: tuple[str, ...] = ()
    registry: tuple[RegistryAllow, ...] = ()


@dataclass(frozen=True)
class _Refusal:
    """An error of the documented kinds, to be raised in the parent."""

    kind: str
    message: str
    advice: str


def from_bytes(kind: Any, data: bytes) -> Any:
    """The value back; StoppedError where it is none."""
    try:
        return wire.from_bytes(kind, data)
    except ValueError:
        raise StoppedError("Planning was given up: its answer cannot be read.") from None


class Planner:
    """Lays plans for one scan. ``deadline`` is one of ``time.monotonic()``; close it when the scan is over."""

    def __init__(self, deadline: float | None = None, allowed: Allowance | None = None) -> None:
        self.deadline, self._allowed = deadline, allowed
        self._child: ConfinedChild | None = None

    def begin(self) -> None:
        """Start the child, where it is not: best before there are other threads, and long before it is asked."""
        if self._child is not None and self._child.alive:
            return
        self.close()
        _preload()
        self._child = ConfinedChild("Planning", lambda ask: _Child(ask).answer, self._allowed)

    def lay(self, source_tree: SourceTree, options: PlanOptions, ecosystem: str | None = None) -> list[Plan]:
        """As ``ecosystems.lay``, and raises what that raises; StoppedError where it came to no end."""
        self.begin()
        assert self._child is not None
        talk = _Talk(self._child, source_tree, self.deadline)
        what = to_bytes(_Wish, _Wish.of(source_tree, options, ecosystem))
        laid: list[_PlanOutline] = talk.ask(["lay"], list[_PlanOutline], what)
        return [ready(ConfinedPlan(talk, one, options), source_tree) for one in laid]

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()

    def __enter__(self) -> Planner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def in_child(
    source_tree: SourceTree, work: Callable[[SourceTree], T], kind: Any, deadline: float | None = None
) -> T:
    """What ``work`` makes of a project, in a child without rights. It must give a value that ``kind`` (a
    type) describes. Raises HunterError of its own, or StoppedError."""
    _preload()
    wire.ready(kind)

    def make(ask: Ask) -> Ask:
        seen = replace(source_tree, files=RemoteTree("source_tree", ask))
        return lambda _: _guarded(lambda: (kind, work(seen)))

    child = ConfinedChild(f"Reading {well_formed(source_tree.name)[:100]}", make)
    try:
        talk = _Talk(child, source_tree, deadline)
        made: T = talk.ask([], kind)
        return made
    finally:
        child.close()


def _preload() -> None:
    """What the child cannot load any more."""
    for kind in (
        list[_PlanOutline],
        _Wish,
        _PlanAnswer,
        Coverage,
        list[CommandRun],
        frozenset[str],
        _Refusal,
    ):
        wire.ready(kind)
    preload()


class _Talk:
    """The parent's end: questions to one child, its answers checked."""

    def __init__(self, child: ConfinedChild, source_tree: SourceTree, deadline: float | None) -> None:
        self.source_tree = source_tree
        self._child, self._deadline = child, deadline

    def close(self, question: list[Any], kind: Any, data: bytes = b"", box: BoxTree | None = None) -> Any:
        """As ``ask``, for what a report needs: it has a little time of its own when the scan has none left."""
        own = time.monotonic() + _CLOSING_SECONDS
        end = None if self._deadline is None else max(self._deadline, own)
        return self._ask(question, kind, data, box, end)

    def ask(self, question: list[Any], kind: Any, data: bytes = b"", box: BoxTree | None = None) -> Any:
        """The answer, a value of ``kind``; raises the error that the child tells of."""
        return self._ask(question, kind, data, box, self._deadline)

    def _ask(
        self, question: list[Any], kind: Any, data: bytes, box: BoxTree | None, end: float | None
    ) -> Any:
        trees = {"source_tree": self.source_tree.tree} | ({"box": box} if box is not None else {})
        server = TreeServer(trees)
        words = json.dumps(question).encode() + b"\n" + data
        said = self._child.ask(words, server, end, lambda: well_formed(server.last)[:300])
        if said[:1] == b"!":
            raise _error(from_bytes(_Refusal, said[1:]))
        return from_bytes(kind, said[1:])


def _error(told: _Refusal) -> HunterError:
    kind = _KINDS.get(told.kind, HunterError)
    return kind(told.message[:_MAX_SENTENCE], told.advice[:_MAX_SENTENCE])


_KINDS: dict[str, type[HunterError]] = {
    kind.__name__: kind
    for kind in (
        NothingAskedError,
        UnsoundError,
        errors.NothingToScanError,
        errors.UsageError,
        errors.UnreachableError,
        errors.IncompleteScanError,
        confined.StoppedError,
    )
}


def _guarded(work: Callable[[], tuple[Any, object]]) -> bytes:
    """In the child: an answer, or the error of ours in its place."""
    try:
        kind, value = work()
        return b"=" + to_bytes(kind, value)
    except HunterError as error:
        return b"!" + to_bytes(_Refusal, _Refusal(type(error).__name__, error.message, error.advice))


class _Child:
    """The child's end: holds the plans."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._box = RemoteTree("box", ask)
        self._plans: list[Plan] = []

    def answer(self, question: bytes) -> bytes:
        """To a question of ``_Talk``."""
        head, _, rest = question.partition(b"\n")
        words: list[Any] = json.loads(head)
        if words[0] == "lay":
            return _guarded(lambda: (list[_PlanOutline], self._lay(from_bytes(_Wish, rest))))
        plan = self._plans[int(words[1])]
        return _guarded(lambda: self._about(plan, words, from_bytes(list[CommandRun], rest) if rest else []))

    def _lay(self, wish: _Wish) -> list[_PlanOutline]:
        first = len(self._plans)
        self._plans += lay(wish.source_tree(self._ask), wish.options, wish.ecosystem)
        return [
            _PlanOutline(
                number,
                plan.target,
                plan.project,
                plan.plant is not None,
                plan.files,
                plan.env,
                plan.registry,
                plan.fetches_alone,
                plan.notes,
                plan.own_scripts,
                plan.reasons,
                plan.package,
                plan.lock_paths,
                plan.fetch,
                plan.inventory(),
                plan.patched,
            )
            for number, plan in enumerate(self._plans[first:], first)
        ]

    def _about(self, plan: Plan, words: list[Any], runs: list[CommandRun]) -> tuple[Any, object]:
        match words[0]:
            case "after_fetch":
                return _PlanAnswer, _PlanAnswer((plan.after_fetch(self._box, runs),), plan.inventory())
            case "later":
                return _PlanAnswer, _PlanAnswer(plan.later(self._box), plan.inventory())
            case "imports":
                return _PlanAnswer, _PlanAnswer((plan.imports(self._box),), plan.inventory())
            case "fetch_again":
                again = plan.fetch_again(self._box, runs)
                return _PlanAnswer, _PlanAnswer(
                    () if again is None else (again,), plan.inventory(), plan.notes
                )
            case "second_try":
                again = plan.second_try(runs)
                return _PlanAnswer, _PlanAnswer(
                    () if again is None else (again,), plan.inventory(), plan.notes
                )
            case "learnt":
                learnt = plan.learnt(self._box)
                phases, allowed = ((learnt[0],), (learnt[1],)) if learnt is not None else ((), ())
                return _PlanAnswer, _PlanAnswer(phases, plan.inventory(), registry=allowed)
            case "narrow":
                phase = plan.narrow(str(words[2]))
                return _PlanAnswer, _PlanAnswer(() if phase is None else (phase,), ())
            case "without_scripts":
                return frozenset[str], plan.without_scripts(self._box)
            case "failure":
                if (error := plan.failure(runs)) is not None:
                    raise error
                return type(None), None
            case _:
                found = plan.coverage(runs)
                return Coverage, found


class ConfinedPlan(Plan):
    """A plan that is held by a child; see Plan. What it said last is kept here, so that a report can be made where
    it says no more."""

    def __init__(self, talk: _Talk, laid: _PlanOutline, options: PlanOptions) -> None:
        top = talk.source_tree.project
        below = laid.project.startswith(f"{top}/") and posixpath.normpath(laid.project) == laid.project
        if laid.project != top and not (below and options.recursive):
            raise StoppedError("Planning was given up: its answer is of another project.")
        self.target, self.project, self.options = laid.target, laid.project, options
        self.within, self.reasons = "" if laid.project == top else top, laid.reasons
        self.plant = talk.source_tree.folder if laid.planted else None
        self.files, self.env, self.registry = laid.files, laid.env, laid.registry
        self.fetches_alone, self.notes, self.own_scripts = laid.fetches_alone, laid.notes, laid.own_scripts
        self.patched = laid.patched
        self.package, self.lock_paths = laid.package, laid.lock_paths
        self._talk, self._number, self._fetch, self._packages = talk, laid.number, laid.fetch, laid.packages

    @property
    def fetch(self) -> Phase:
        """See Plan."""
        return self._fetch

    def after_fetch(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase:
        """See Plan; raises StoppedError too, as ``imports`` and ``later`` do."""
        return self._ask_about("after_fetch", tree, runs)[0]

    def fetch_again(self, tree: BoxTree, runs: Sequence[CommandRun]) -> Phase | None:
        """See Plan; raises StoppedError too."""
        said: _PlanAnswer = self._talk.ask(
            ["fetch_again", self._number], _PlanAnswer, _runs_as_bytes(runs), tree
        )
        self.notes = said.notes
        return said.phases[0] if said.phases else None

    def second_try(self, runs: Sequence[CommandRun]) -> Phase | None:
        """See Plan; raises StoppedError too."""
        said: _PlanAnswer = self._talk.ask(["second_try", self._number], _PlanAnswer, _runs_as_bytes(runs))
        self.notes = said.notes
        return said.phases[0] if said.phases else None

    def learnt(self, tree: BoxTree) -> tuple[Phase, RegistryAllow] | None:
        """See Plan; raises StoppedError too."""
        said: _PlanAnswer = self._talk.ask(["learnt", self._number], _PlanAnswer, box=tree)
        return (said.phases[0], said.registry[0]) if said.phases and said.registry else None

    def imports(self, tree: BoxTree) -> Phase:
        """See Plan."""
        return self._ask_about("imports", tree)[0]

    def later(self, tree: BoxTree) -> tuple[Phase, ...]:
        """See Plan."""
        return self._ask_about("later", tree)

    def narrow(self, purl: str) -> Phase | None:
        """See Plan."""
        said: _PlanAnswer = self._talk.ask(["narrow", self._number, well_formed(purl)], _PlanAnswer)
        return said.phases[0] if said.phases else None

    def inventory(self) -> tuple[Package, ...]:
        """See Plan."""
        return self._packages

    def without_scripts(self, tree: BoxTree) -> frozenset[str]:
        """See Plan; raises StoppedError too."""
        found: frozenset[str] = self._talk.close(["without_scripts", self._number], frozenset[str], box=tree)
        return found

    def failure(self, runs: Sequence[CommandRun]) -> HunterError | None:
        """See Plan."""
        try:
            self._talk.close(["failure", self._number], type(None), _runs_as_bytes(runs))
        except StoppedError:
            return None  # coverage says it
        except HelperDiedError:
            raise
        except HunterError as error:
            return error
        return None

    def coverage(self, runs: Sequence[CommandRun]) -> Coverage:
        """See Plan; where the child says no more, the phases as they were run, and why there is nothing else."""
        try:
            found: Coverage = self._talk.close(["coverage", self._number], Coverage, _runs_as_bytes(runs))
        except StoppedError as error:
            return _bare_coverage(runs, len(self._packages), error.message)
        return found

    def _ask_about(self, what: str, tree: BoxTree, runs: Sequence[CommandRun] = ()) -> tuple[Phase, ...]:
        said: _PlanAnswer = self._talk.ask([what, self._number], _PlanAnswer, _runs_as_bytes(runs), tree)
        self._packages = said.packages
        return said.phases


def _runs_as_bytes(runs: Sequence[CommandRun]) -> bytes:
    return to_bytes(list[CommandRun], list(runs)) if runs else b""


def _bare_coverage(runs: Sequence[CommandRun], packages: int, why: str) -> Coverage:
    phases: dict[str, PhaseCoverage] = {}
    for run in runs:
        seconds = (run.ended_ns - run.started_ns) / 1e9
        known = phases.get(run.phase, PhaseCoverage(run.phase, run.world, _status(run), run.exit_code, 0.0))
        phases[run.phase] = replace(known, seconds=known.seconds + seconds)
    scripts = sum(run.phase == "install" and not run.command.essential for run in runs)
    return Coverage(
        phases=tuple(phases.values()),
        packages_expected=packages,
        packages_installed=packages,
        scripts_expected=scripts,
        scripts_run=scripts,
        reasons=(why,),
    )


def _status(run: CommandRun) -> str:
    if run.exit_code is None:
        return "timeout"
    return "ok" if run.exit_code == 0 else "failed"
