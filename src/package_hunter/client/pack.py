"""Packing a project for the server: what git would know of it, in a tar that keeps names, links and modes.

The project may be an attacker's. Git runs with settings and a repository of our own (a repository's own
configuration can name programs to run); from the project it only reads the index and the ignore files. What
is tracked is sent even where it is ignored too, and a repository within the project is sent whole, or they
could hide what gets installed.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from package_hunter.errors import NothingToScanError, UsageError
from package_hunter.model.ecosystem import Facts, derived

# Can be installed again, or is the work of a build: left out unless tracked.
_LEFT_OUT = frozenset({".git", ".hg", ".svn", "__pycache__", ".tox", ".cache"})
_GIT_SECONDS = 120
_LARGEST_SHOWN = 3


@derived
def _left_out(known: tuple[Facts, ...]) -> frozenset[str]:
    made = [name for one in known for name in (*one.made_beside, *one.made_with)]
    return frozenset([*_LEFT_OUT, *made])


@dataclass(slots=True)
class ProjectArchive:
    """A packed project: where, what was left out and why (sentences), and how much went in."""

    path: Path
    files: int = 0
    notes: list[str] = field(default_factory=list)


def pack(folder: Path, into: Path, limit: int) -> ProjectArchive:
    """Write ``folder`` as a gzip tar to ``into``; UsageError where its files exceed ``limit`` bytes."""
    packed = ProjectArchive(into)
    folder = folder.resolve()  # git is run inside it
    names = sorted(_names(folder, packed.notes))
    if not names:
        raise NothingToScanError(f"{folder} holds no files to send.", "Give the folder of the project.")
    sizes = _Sizes(limit)
    with tarfile.open(into, "w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            path = folder / name
            info = _info(archive, path, name)
            if info is None:
                continue
            sizes.add(name, info.size)
            packed.files += 1
            _add(archive, path, info)
    return packed


def _info(archive: tarfile.TarFile, path: Path, name: str) -> tarfile.TarInfo | None:
    """The entry of a file or link; None for what is neither, or gone."""
    try:
        info = archive.gettarinfo(str(path), arcname=f"./{name}")
    except OSError:
        return None
    if not (info.isreg() or info.issym() or info.islnk()):
        return None
    if info.islnk():  # a second name of the same file: sent as a file of its own
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = path.lstat().st_size
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode &= 0o755
    return info


def _add(archive: tarfile.TarFile, path: Path, info: tarfile.TarInfo) -> None:
    if info.issym():
        archive.addfile(info)
        return
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode) or state.st_size < info.size:
            raise UsageError(f"{path} changed while it was packed.", "Run again once nothing writes there.")
        archive.addfile(info, file)


class _Sizes:
    """Adds up, and names the largest files where it is too much."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._largest: list[tuple[int, str]] = []

    def add(self, name: str, size: int) -> None:
        """Count a file; UsageError above the limit."""
        self._total += size
        self._largest = sorted([*self._largest, (size, name)], reverse=True)[:_LARGEST_SHOWN]
        if self._total > self._limit:
            shown = ", ".join(f"{n} ({s / 1e6:.0f} MB)" for s, n in self._largest)
            raise UsageError(
                f"The project has more than {self._limit / 1e6:.0f} MB. Its largest files so far: {shown}.",
                "Leave them out with a .gitignore, or raise PACKAGE_HUNTER_MAX_ARCHIVE_BYTES here and there.",
            )


def _names(folder: Path, notes: list[str]) -> set[str]:
    if shutil.which("git") is None:
        notes.append("git is missing: no .gitignore was respected.")
        return set(_walk(folder, "."))
    with tempfile.TemporaryDirectory(prefix="package-hunter-git-") as repository:
        git = _Git(folder, Path(repository))
        tracked = set(git.files("--cached"))
        others = {n for n in git.files("--others", "--exclude-standard") if not _is_left_out(n)}
    names = tracked | others
    inner = {n for n in names if (folder / n).is_dir() and not (folder / n).is_symlink()}
    return (names - inner).union(*(_walk(folder, n) for n in inner))


def _is_left_out(name: str) -> bool:
    return not _left_out().isdisjoint(name.rstrip("/").split("/"))


def _walk(folder: Path, start: str) -> Iterator[str]:
    for root, directories, files in os.walk(folder / start):
        directories[:] = [d for d in directories if d not in _left_out()]
        links = [d for d in directories if (Path(root) / d).is_symlink()]
        for name in [*files, *links]:
            yield str((Path(root) / name).relative_to(folder))


class _Git:
    """Git with nobody's settings, on a repository of ours whose work tree is the project."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder = folder
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(repository),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_DIR": str(repository / "git"),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }
        self._run(["init", "-q"])
        self._environment["GIT_WORK_TREE"] = str(folder)
        index = _index_of(folder)
        if index is not None:
            copy = repository / "index"
            shutil.copyfile(index, copy)
            self._environment["GIT_INDEX_FILE"] = str(copy)

    def files(self, *options: str) -> list[str]:
        """Names relative to the project's folder."""
        out = self._run(["ls-files", "-z", *options])
        return [os.fsdecode(n) for n in out.split(b"\0") if n]

    def _run(self, arguments: list[str]) -> bytes:
        command = ["git", *arguments]
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                timeout=_GIT_SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            said = getattr(error, "stderr", b"") or b""
            first = said.decode("utf-8", "replace").strip().splitlines()[:1]
            raise UsageError(
                f"git could not list the files of {self._folder}{': ' + first[0] if first else ''}.",
                "Pack the project yourself (tar -czf) and give the archive.",
            ) from error
        return done.stdout


def _index_of(folder: Path) -> Path | None:
    """The project's index, where its folder is the root of a repository or of a work tree."""
    git = folder / ".git"
    if git.is_file():  # a work tree: the file says where its repository is
        text = git.read_text("utf-8", "replace")
        git = folder / text.removeprefix("gitdir:").strip()
    index = git / "index"
    return index if index.is_file() else None
