"""The next morning: where start-up places changed, the box lives on and they are used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.box import HOME
from package_hunter.model.scan import BoxFile, Command, CommandRun, Coverage, Phase, PhaseCoverage
from package_hunter.model.startup_places import FOLDERS, PROJECT_FOLDERS, StartupPlace, place_of
from package_hunter.model.text import shortened
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.rounds import Round
from package_hunter.sandbox.programs import NEXT_MORNING, next_morning

PHASE = "morning"
_COMMAND_SECONDS = 30.0  # one start-up file and all that it starts
# occasions on which that one file alone is read; on the others (a login, a commit) all of their kind are
_ALONE = frozenset({"source", "command", "cron", "unit", "ssh", "autostart", "editor", "assistant"})
_MAX_CHANGED = 40  # files; more are no start-up files of a person
_MAX_BYTES = 1 << 20  # of one file are compared
_MAX_NAMED = 5  # in the note
_MAX_NAMES = 2_000  # of one folder are looked at


@dataclass(frozen=True, slots=True)
class StartupFiles:
    """The start-up files of a box at one time: path -> digest."""

    digests: dict[str, str]

    @classmethod
    def of(cls, tree: BoxTree, project: str) -> StartupFiles:
        """As they are now; what cannot be read as a file is left out."""
        found = {}
        for path in _paths(tree, project):
            content = tree.read(path, _MAX_BYTES)
            found[path] = hashlib.sha256(content).hexdigest() if content is not None else "unreadable"
        return cls(found)

    def changed(self, now: StartupFiles) -> list[tuple[str, StartupPlace]]:
        """What is new or another now, with the place that it is."""
        paths = [path for path, digest in now.digests.items() if self.digests.get(path) != digest]
        return [(path, place) for path in sorted(paths) if (place := place_of(path)) is not None]


def morning(changed: list[tuple[str, StartupPlace]], project: str) -> Phase:
    """A command for each start-up file that changed: it does what would set the file off."""
    together: dict[str, list[str]] = {}  # what is read on the same occasion
    for path, place in changed:
        together.setdefault(place.occasion, []).append(path)
    commands = (
        _command(path, place, project, () if place.occasion in _ALONE else together[place.occasion])
        for path, place in changed[:_MAX_CHANGED]
    )
    return Phase(PHASE, tuple(commands))


def has_morning(scan: Scan, turn: Round) -> bool:
    """Whether this round has one: not where it is there to look at something else once more."""
    return scan.depth.next_morning and turn.apart is None and turn.hurry is None


def planted_for_morning() -> tuple[BoxFile, ...]:
    """Our program that sets the start-up files off."""
    return (BoxFile(NEXT_MORNING, next_morning(), owner="root"),)


def with_morning(coverage: Coverage, runs: Sequence[CommandRun]) -> Coverage:
    """The coverage, with the phase and with what was done because of which file. What a start-up file did or left
    undone keeps no scan from being whole."""
    mine = [run for run in runs if run.phase == PHASE]
    if not mine:
        return coverage
    seconds = sum(run.ended_ns - run.started_ns for run in mine) / 1e9
    phase = PhaseCoverage(
        PHASE, mine[0].world, "ok", 0, seconds, started_ns=min(run.started_ns for run in mine)
    )
    done = [shortened(run.command.script or "") for run in mine]
    some = "; ".join(done[:_MAX_NAMED]) + (
        f" and {len(done) - _MAX_NAMED} more" if len(done) > _MAX_NAMED else ""
    )
    note = f"The next morning was tried, since start-up files had changed: {some}."
    return replace(coverage, phases=(*coverage.phases, phase), notes=(*coverage.notes, note))


def _command(path: str, place: StartupPlace, project: str, together: Sequence[str]) -> Command:
    return Command(
        ("/usr/bin/python3", "-I", "-S", NEXT_MORNING, place.occasion, path),
        project,
        timeout=_COMMAND_SECONDS,
        script=f"{place.says} ({path})",
        essential=False,
        because_of=(path, *(other for other in together if other != path)),
    )


def _paths(tree: BoxTree, project: str) -> Iterator[str]:
    user_sites = (
        (f"{HOME}/.local/lib/{name}/site-packages", 0) for name in tree.names(f"{HOME}/.local/lib")[:10]
    )
    own = ((f"{project}/{folder}".rstrip("/"), depth) for folder, depth in PROJECT_FOLDERS)
    for folder, depth in (*FOLDERS, *user_sites, *own):
        yield from _below(tree, folder, depth)


def _below(tree: BoxTree, folder: str, depth: int) -> Iterator[str]:
    for name in tree.names(folder)[:_MAX_NAMES]:
        path = f"{folder}/{name}"
        kind = tree.kind(path)
        if kind == "folder" and depth > 0:
            yield from _below(tree, path, depth - 1)
        elif kind in ("file", "link") and place_of(path) is not None:
            yield path
