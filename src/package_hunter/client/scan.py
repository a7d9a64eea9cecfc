"""One remote scan from a target as the command line names it: a directory, an archive, or a purl."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    which commit, ref, merge request and base it is."""

    ecosystem: str | None = None
    fresh: bool = False
    depth: str | None = None
    tree: Mapping[str, str] = field(default_factory=dict)


def scan_remotely(
    target: str,
    server: str,
    auth: httpx.Auth | None,
    settings: Settings,
    progress: Progress,
    options: RemoteOptions | None = None,
) -> Report:
    """Let ``server`` (a URL) scan ``target``. Errors as `Remote.scan`; NothingToScanError, UsageError."""
    asked = options or RemoteOptions()
    with Remote(server, auth, progress) as remote:
        if target.startswith("pkg:"):
            if asked.tree:
                raise UsageError("A package is no commit's tree.", "Leave --commit out.")
            return remote.scan(
                Submission(asked.ecosystem, purl=target, fresh=asked.fresh, depth=asked.depth),
                settings.remote_timeout,
            )
        path = Path(target)
        if path.is_dir():
            return _scan_folder(remote, path, settings, progress, asked)
        if not path.is_file():
            raise NothingToScanError(f"There is no {target}.", "Give a directory, an archive or a purl.")
        if path.stat().st_size > settings.max_archive_bytes:
            size = f"{settings.max_archive_bytes} bytes"
            raise UsageError(f"{target} has more than {size}.", "Raise PACKAGE_HUNTER_MAX_ARCHIVE_BYTES.")
        return remote.scan(
            Submission(
                asked.ecosystem, path, path.name, fresh=asked.fresh, depth=asked.depth, tree=asked.tree
            ),
            settings.remote_timeout,
        )


def _scan_folder(
    remote: Remote, folder: Path, settings: Settings, progress: Progress, asked: RemoteOptions
) -> Report:
    with tempfile.TemporaryDirectory(prefix="package-hunter-") as scratch:
        packed = pack(folder, Path(scratch) / "project.tgz", settings.max_archive_bytes)
        size = packed.path.stat().st_size
        progress(f"packed {packed.files} files into {size / 1e6:.1f} MB")
        for note in packed.notes:
            progress(note)
        submission = Submission(
            asked.ecosystem,
            packed.path,
            folder.resolve().name,
            fresh=asked.fresh,
            depth=asked.depth,
            tree=asked.tree,
        )
        return remote.scan(submission, settings.remote_timeout)
