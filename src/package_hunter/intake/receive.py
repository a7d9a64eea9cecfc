"""Receive: what is to be scanned, told apart and hashed, its bytes kept under their digest."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from package_hunter import given
from package_hunter.config import Settings, settings
from package_hunter.errors import BadArchiveError, HostError, NothingToScanError
from package_hunter.intake.streams import Readable
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.text import well_formed
from package_hunter.package_url import scannable

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ReceivedTarget:
    """What came in. ``kind`` is ``directory``, ``archive`` or ``purl``; ``path`` the directory, or the
    archive as kept under its sha256, or ``file`` the archive itself, open; ``name`` what a person calls it."""

    kind: str
    name: str
    path: Path | None = None
    sha256: str | None = None
    purl: str | None = None
    file: IO[bytes] | None = None


def receive(
    target: str | Path | Readable,
    config: Settings | None = None,
    name: str = "",
    ecosystem: str | None = None,
) -> ReceivedTarget:
    """Take in a target: a directory (one that holds a single package archive stands for that), an archive (path or
    stream) or a purl, of the ``ecosystem`` where one was said.

    An archive is streamed into ``data_dir/uploads/SHA256`` (one kept already is not written again), never
    more than the setting ``max_archive_bytes``. Raises NothingToScanError, BadArchiveError, HostError (disk
    full).
    """
    config = config or settings()
    if isinstance(target, str) and target.startswith("pkg:"):
        return _purl(target, ecosystem)
    if not isinstance(target, (str, Path)):
        return _keep(target, name or "upload", config)
    path = Path(target)
    if path.is_dir():
        if (archive := _only_archive(path)) is not None:
            return receive(archive, config, name)
        return ReceivedTarget("directory", well_formed(path.resolve().name) or "project", path.resolve())
    try:
        with given.open_file(path, stream=True) as stream:
            return _keep(stream, name or well_formed(path.name), config)
    except FileNotFoundError:
        raise NothingToScanError(
            f"There is no {path}.", "Give a directory, an archive, or a purl such as pkg:npm/NAME@VERSION."
        ) from None
    except PermissionError:
        raise NothingToScanError(f"{path} may not be read.", "Check its permissions.") from None
    except given.NotAFileError as error:
        raise NothingToScanError(
            f"{path} cannot be scanned: {error.strerror}.", "Give a directory, an archive, or a purl."
        ) from None


@derived
def _archives(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:.+{ending})" for one in known for ending in one.archives) or r"(?!)")


def _only_archive(folder: Path) -> Path | None:
    """The package archive that the folder holds and nothing else (hidden files do not count): whoever scans the folder
    means it."""
    with suppress(OSError), os.scandir(folder) as entries:
        shown = [
            entry for entry, _ in zip(entries, range(1_000), strict=False) if not entry.name.startswith(".")
        ]
        if (
            len(shown) == 1
            and shown[0].is_file(follow_symlinks=False)
            and _archives().fullmatch(shown[0].name)
        ):
            return folder / shown[0].name
    return None


def _purl(text: str, ecosystem: str | None) -> ReceivedTarget:
    asked = scannable(text, ecosystem)
    return ReceivedTarget("purl", asked.name, purl=asked.purl)


def _keep(stream: Readable, name: str, config: Settings) -> ReceivedTarget:
    folder = config.data_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as sink:
            digest = _copy(stream, sink, config.max_archive_bytes)
        final = folder / digest
        Path(temporary).replace(final)
    except OSError as error:
        raise HostError(
            f"The archive could not be stored in {folder}: {error.strerror}.",
            "Free some space and try again.",
        ) from None
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
    return ReceivedTarget("archive", name, final, digest)


def _copy(stream: Readable, sink: IO[bytes], limit: int) -> str:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise BadArchiveError(
                f"The archive is larger than {limit:,} bytes.",
                "Leave out what the install makes itself, or raise PACKAGE_HUNTER_MAX_ARCHIVE_BYTES.",
            )
        digest.update(chunk)
        sink.write(chunk)
    if not size:
        raise BadArchiveError(
            "The archive is empty.", "Pack the project with `tar -C PROJECT -czf project.tgz .`."
        )
    return digest.hexdigest()
