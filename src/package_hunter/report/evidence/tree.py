"""The process tree: what something is known of stands open, the harmless is folded and counted.

A hundred thousand processes are looked through once, and at most some two thousand are drawn; of the others the number
is told, with the programs that they ran.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_hunter.model.observation import Process
from package_hunter.report import words
from package_hunter.report.evidence.marks import Mark

if TYPE_CHECKING:
    from package_hunter.report.evidence.scan import Exhibits

MAX_NOTED = 1_500  # processes that something is known of
MAX_HARMLESS = 400  # others that can be unfolded
_MAX_IN_FOLD = 40
_MAX_DEPTH = 24
_MAX_FILES = 20
_MAX_PROGRAMS = 6


@dataclass(slots=True)
class Node:
    """A process that is drawn. ``files`` are the first paths with what was done to them, ``changed`` how many there
    are; ``cut_marks``: it has more marks than these; ``is_box``: it is the box's first one, ours."""

    key: int
    cmdline: str
    pid: int
    exit: int | None
    phase: str
    package: str
    marks: Sequence[Mark] = ()
    files: Sequence[tuple[str, str]] = ()
    changed: int = 0
    children: list[Node | Fold] = field(default_factory=list)
    cut_marks: bool = False
    is_box: bool = False


@dataclass(slots=True)
class Fold:
    """Processes that nothing is known of: how many, what they ran, and the first of them."""

    count: int
    programs: list[tuple[str, int]]
    children: list[Node | Fold]


@dataclass(slots=True)
class Tree:
    """A root for each box. ``total`` processes, ``noted`` of which something is known, ``left_out`` of those."""

    roots: list[Node | Fold]
    total: int
    noted: int
    left_out: int


def grown(evidence: Exhibits) -> Tree:
    """The tree of a report's processes, whatever their parents are said to be."""
    return _Growing(evidence).tree()


class _Growing:
    def __init__(self, evidence: Exhibits) -> None:
        self._evidence = evidence
        self._all = sorted(evidence.report.processes, key=lambda p: (p.started_ns, p.key))
        self._parent = self._parents()
        self._children: list[list[int]] = [[] for _ in self._all]
        self._noted, self._size = [False] * len(self._all), [1] * len(self._all)
        for at in range(len(self._all) - 1, -1, -1):  # a parent stands before its children
            own = self._all[at].key in evidence.marks.by_process
            self._noted[at] = self._noted[at] or own
            above = self._parent[at]
            if above is not None:
                self._children[above].append(at)
                self._noted[above] = self._noted[above] or self._noted[at]
                self._size[above] += self._size[at]
        self._left_noted, self._left_harmless = MAX_NOTED, MAX_HARMLESS
        self._left_out = self._boxes = 0

    def _parents(self) -> list[int | None]:
        """Each one's parent by its place, where that was there before: who says otherwise has none."""
        places: dict[int, int] = {}
        found: list[int | None] = []
        for at, process in enumerate(self._all):
            found.append(None if process.parent is None else places.get(process.parent))
            places.setdefault(process.key, at)
        return found

    def tree(self) -> Tree:
        roots = [at for at, parent in enumerate(self._parent) if parent is None]
        marked = sum(p.key in self._evidence.marks.by_process for p in self._all)
        drawn = self._drawn(roots, 0, "", "")
        return Tree(drawn, len(self._all), marked, self._left_out)

    def _drawn(self, places: Sequence[int], depth: int, package: str, phase: str) -> list[Node | Fold]:
        """Brothers in their order; harmless ones that follow each other as one fold."""
        made: list[Node | Fold] = []
        waiting: list[int] = []
        for at in places:
            if not self._noted[at] and depth > 0:
                waiting.append(at)
                continue
            if waiting:
                made.append(self._fold(waiting, depth, package, phase))
                waiting = []
            made += self._node(at, depth, package, phase)
        if waiting:
            made.append(self._fold(waiting, depth, package, phase))
        return made

    def _node(self, at: int, depth: int, package: str, phase: str) -> list[Node | Fold]:
        if self._noted[at]:
            if self._left_noted <= 0:
                self._left_out += self._size[at]
                return []
            self._left_noted -= 1
        node = self._plain(self._all[at], package, phase)
        below = self._children[at][::-1]  # they were found last to first
        if depth >= _MAX_DEPTH:  # deeper ones stand beside it: no page nests without end
            return [node, *self._beside(below, node.package, node.phase)]
        node.children = self._drawn(below, depth + 1, node.package, node.phase)
        return [node]

    def _beside(self, places: Sequence[int], package: str, phase: str) -> list[Node | Fold]:
        """All below, flat: what something is known of, then the others as one fold."""
        made: list[Node | Fold] = []
        harmless: list[int] = []
        todo = list(places[::-1])
        while todo:
            at = todo.pop()
            if not self._noted[at]:
                harmless.append(at)
            elif self._left_noted <= 0:
                self._left_out += self._size[at]
            else:
                self._left_noted -= 1
                made.append(self._plain(self._all[at], package, phase))
                todo += self._children[at]
        return [*made, self._fold(harmless, _MAX_DEPTH, package, phase)] if harmless else made

    def _called(self, process: Process) -> str:
        """Its command line; our own programs are called what they stand for."""
        if _is_box(process):
            self._boxes += 1
            return f"Box {self._boxes}{self._evidence.world_at(process)}"
        said = process.cmdline or process.name
        spoken = words.spoken(said)
        return spoken if spoken is not None else said

    def _fold(self, places: Sequence[int], depth: int, package: str, phase: str) -> Fold:
        programs: Counter[str] = Counter()
        todo = list(places)
        while todo:
            at = todo.pop()
            programs[self._all[at].name[:60]] += 1
            todo += self._children[at]
        shown = self._unfolded(places, package, phase)
        return Fold(sum(self._size[at] for at in places), programs.most_common(_MAX_PROGRAMS), shown)

    def _unfolded(self, places: Sequence[int], package: str, phase: str) -> list[Node | Fold]:
        """The first of them, each with its descendants beside it: they are there to be looked through."""
        made: list[Node | Fold] = []
        todo = list(places[::-1])
        while todo and len(made) < _MAX_IN_FOLD and self._left_harmless > 0:
            at = todo.pop()
            self._left_harmless -= 1
            process = self._all[at]
            made.append(self._plain(process, package, phase))
            todo += self._children[at]
        return made

    def _plain(self, process: Process, package: str, phase: str) -> Node:
        """A process without what is below it; package and phase are those above it where it has none of its own."""
        evidence, key = self._evidence, process.key
        changes = evidence.files_of.get(key, [])
        return Node(
            key=key,
            cmdline=self._called(process),
            pid=process.vpid,
            exit=process.exit_code,
            phase=evidence.phase_at(process) or phase,
            package=evidence.marks.package.get(key, package),
            marks=evidence.marks_of(key),
            files=[(change.action, change.path) for change in changes[:_MAX_FILES]],
            changed=len(changes),
            cut_marks=key in evidence.marks.cut,
            is_box=_is_box(process),
        )


def _is_box(process: Process) -> bool:
    return process.parent is None and process.cmdline == "init"
