"""One remote scan from a target as the command line names it: a directory, an archive, or a purl."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from package_hunter.client.pack import pack
from package_hunter.client.remote import Progress, Remote, Submission
from package_hunter.config import Settings
from package_hunter.errors import NothingToScanError, UsageError
from package_hunter.model.report import Report


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """What a remote scan may be told. ``fresh``: no known result in its place; ``depth``: how far to look; ``tree``: of
    which commit, ref, merge request and base it is; ``project``: its path; ``priority``: who comes first."""

    ecosystem: str | None = None
    fresh: bool = False
    depth: str | None = None
    tree: Mapping[str, str] = field(default_factory=dict)
    project: str | None = None
    priority: str | None = None


def scan_remotely(
    target: str,
    server: str,
    auth: httpx.Auth | None,
    settings: Settings,
    progress: Progress,
    options: RemoteOptions | None = None,
) -> Report:
    """Let ``server`` (a URL) scan ``target``. Errors as `Remote.scan`; NothingToScanError, UsageError."""
    with (
        Remote(server, auth, progress) as remote,
        submission(target, settings, progress, options or RemoteOptions()) as what,
    ):
        return remote.scan(what, settings.remote_timeout)


@contextmanager
def submission(
    target: str, settings: Settings, progress: Progress, asked: RemoteOptions
) -> Iterator[Submission]:
    """What is to be sent for ``target``; a folder is packed, and the archive is gone at the end. NothingToScanError,
    UsageError."""
    plain = Submission(
        asked.ecosystem,
        fresh=asked.fresh,
        depth=asked.depth,
        tree=asked.tree,
        project=asked.project,
        priority=asked.priority,
    )
    if target.startswith("pkg:"):
        if asked.tree:
            raise UsageError("A package is no commit's tree.", "Leave --commit out.")
        yield replace(plain, purl=target)
        return
    path = Path(target)
    if path.is_dir():
        with tempfile.TemporaryDirectory(prefix="package-hunter-") as scratch:
            archive = _packed(path, Path(scratch) / "project.tgz", settings, progress)
            yield replace(plain, archive=archive, name=path.resolve().name)
        return
    if not path.is_file():
        raise NothingToScanError(f"There is no {target}.", "Give a directory, an archive or a purl.")
    if path.stat().st_size > settings.max_archive_bytes:
        size = f"{settings.max_archive_bytes} bytes"
        raise UsageError(f"{target} has more than {size}.", "Raise PACKAGE_HUNTER_MAX_ARCHIVE_BYTES.")
    yield replace(plain, archive=path, name=path.name)


def _packed(folder: Path, to: Path, settings: Settings, progress: Progress) -> Path:
    packed = pack(folder, to, settings.max_archive_bytes)
    progress(f"packed {packed.files} files into {packed.path.stat().st_size / 1e6:.1f} MB")
    for note in packed.notes:
        progress(note)
    return packed.path
