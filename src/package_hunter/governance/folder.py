"""A folder as the source of policies: `all.toml`, `groups/PATH.toml`, `projects/PATH.toml`, as in a git checkout.

Whoever can write the folder may be a lesser user than who reads it: no link is followed, nothing but plain files of a
limited size is read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from package_hunter.errors import UsageError
from package_hunter.governance.document import Document, from_toml
from package_hunter.policy.load import MAX_BYTES

_MAX_FILES = 10_000
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"ref: (refs/[A-Za-z0-9_./-]{1,200})")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's policy. ``kind`` is ``all``, ``group`` or ``project``, ``path`` the group's or project's."""

    kind: str
    path: str
    document: Document


def read(folder: Path) -> list[Source]:
    """All policies of a folder, by scope; UsageError says what is wrong and where."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", "Give one with all.toml, groups/ or projects/.")
    found = sorted(_sources(folder), key=lambda source: (source.kind, source.path))
    if not found:
        raise UsageError(
            f"{folder} holds no policy.", "Put all.toml, groups/PATH.toml or projects/PATH.toml there."
        )
    return found


def _sources(folder: Path) -> Iterator[Source]:
    number = 0
    for root, folders, names, fd in os.fwalk(folder, follow_symlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(root).relative_to(folder)
        for name in names:
            scope = _scope((inside / name).as_posix())
            if scope is None:
                continue
            number += 1
            if number > _MAX_FILES:
                raise UsageError(f"{folder} holds more than {_MAX_FILES} policies.", "Split it.")
            text = _text(name, fd, f"{root}/{name}")
            yield Source(*scope, from_toml(text, str(inside / name), narrow=scope[0] != "all"))


def _scope(path: str) -> tuple[str, str] | None:
    """What a file is for; None: for nothing."""
    if path == "all.toml":
        return "all", ""
    top, _, rest = path.partition("/")
    kind = {"groups": "group", "projects": "project"}.get(top)
    if kind is None or not rest.endswith(".toml"):
        return None
    return kind, rest.removesuffix(".toml")


def _text(name: str, folder: int, shown: str) -> str:
    try:
        fd = os.open(name, _OPEN, dir_fd=folder)
        with os.fdopen(fd, "rb") as file:
            state = os.fstat(fd)
            if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:
                raise UsageError(f"{shown} is no plain file of at most {MAX_BYTES} bytes.", "Put one there.")
            return file.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown} cannot be read: {error}.", "Links are not followed.") from error


def commit_of(folder: Path) -> str | None:
    """The commit that is checked out in the folder, where it is the top of a git checkout; git itself is not run."""
    head = _small(folder, ".git/HEAD")
    if head is None or _COMMIT.fullmatch(head):
        return head
    named = _REF.fullmatch(head)
    if named is None or ".." in named[1]:
        return None
    direct = _small(folder, f".git/{named[1]}")
    if direct is not None:
        return direct if _COMMIT.fullmatch(direct) else None
    for line in (_small(folder, ".git/packed-refs") or "").splitlines():
        commit, _, name = line.partition(" ")
        if name == named[1] and _COMMIT.fullmatch(commit):
            return commit
    return None


def _small(folder: Path, path: str) -> str | None:
    """A small file below the folder, through no link; None where there is none."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        *above, name = path.split("/")
        for part in above:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            os.close(fd)
            fd = inner
        file = os.open(name, _OPEN, dir_fd=fd)
        os.close(fd)
        fd = file
        return os.read(fd, MAX_BYTES).decode("utf-8", "replace").strip() if _plain(fd) else None
    except OSError:
        return None
    finally:
        os.close(fd)


def _plain(fd: int) -> bool:
    return stat.S_ISREG(os.fstat(fd).st_mode)
