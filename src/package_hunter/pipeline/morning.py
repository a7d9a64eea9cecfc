"""The next morning: where start-up places changed, the box lives on and they are used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.box import HOME
from package_hunter.model.scan import Command, Phase
from package_hunter.model.startup_places import FOLDERS, PROJECT_FOLDERS, StartupPlace, place_of
from package_hunter.sandbox.programs import NEXT_MORNING

PHASE = "morning"
_COMMAND_SECONDS = 30.0  # one start-up file and all that it starts
_MAX_CHANGED = 40  # files; more are no start-up files of a person
_MAX_BYTES = 1 << 20  # of one file are compared
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
    return Phase(PHASE, tuple(_command(path, place, project) for path, place in changed[:_MAX_CHANGED]))


def _command(path: str, place: StartupPlace, project: str) -> Command:
    return Command(
        ("/usr/bin/python3", "-I", "-S", NEXT_MORNING, place.occasion, path),
        project,
        timeout=_COMMAND_SECONDS,
        script=f"{place.says} ({path})",
        essential=False,
        because_of=path,
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
