"""The file: a zip that holds the attestation, the key and what is attested. Whoever reads one reads it as hostile: only
known names, no more of anything than fits, nothing is written where a name says."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from package_hunter import given
from package_hunter.bundle.errors import BadBundleError

ATTESTATION, KEY, REPORT, POLICY = "attestation.json", "key.pem", "report.json", "policy.json"
_MIB = 1 << 20
_LIMITS = {ATTESTATION: 4 * _MIB, KEY: 64 << 10, REPORT: 512 * _MIB, POLICY: 16 * _MIB}
_RULES, _RECORDING = re.compile(r"rules/[0-9]{3}\.yaml"), re.compile(r"recordings/[0-9]{1,3}\.scap")
_MAX_RULES, _MAX_RECORDING = 4 * _MIB, 4095 * _MIB  # what a zip without its 64-bit form can hold
_MAX_FILES = 1_000
_MAX_INDEX = 256 << 10  # bytes of the zip's table of contents
_END = 22  # bytes of the record that a zip without a comment ends with
_CHUNK = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)


def rules_name(number: int) -> str:
    """Of a rule file, by its place in the order of loading."""
    return f"rules/{number:03}.yaml"


def recording_name(number: int) -> str:
    """Of a recording."""
    return f"recordings/{number}.scap"


def limit_of(name: str) -> int | None:
    """The most bytes that a file of this name may have; None: there is no such file in a bundle."""
    if name in _LIMITS:
        return _LIMITS[name]
    if _RULES.fullmatch(name):
        return _MAX_RULES
    return _MAX_RECORDING if _RECORDING.fullmatch(name) else None


def write(out: IO[bytes], small: Mapping[str, bytes], recordings: Mapping[str, Path]) -> None:
    """The archive; the same content gives the same bytes. Recordings are packed already, and stored as they are."""
    with zipfile.ZipFile(out, "w", allowZip64=False) as archive:
        for name, data in small.items():
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), data)
        for name, path in recordings.items():
            with (
                given.open_file(path) as source,
                archive.open(_entry(name, zipfile.ZIP_STORED), "w") as target,
            ):
                while chunk := source.read(_CHUNK):
                    target.write(chunk)


def _entry(name: str, how: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, _TIME)
    made.compress_type = how
    made.external_attr = 0o644 << 16
    return made


class Reader:
    """A bundle, open for reading: `read` gives a small file, `copy` puts a large one elsewhere."""

    def __init__(self, file: IO[bytes]) -> None:
        """BadBundleError where it is none, or holds what it may not."""
        _check_end(file)
        try:
            self._zip = zipfile.ZipFile(file)
            self._entries = dict(self._checked())
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
            raise _broken(error) from None

    def _checked(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        seen: set[str] = set()
        for info in self._zip.infolist():
            # as it stands there: zipfile cuts a name at its first NUL
            name = info.orig_filename
            most = limit_of(name)
            if most is None:
                raise BadBundleError(f"The bundle holds {name[:200]!r}, which has no place in one.")
            if name in seen:
                raise BadBundleError(f"The bundle holds {name} twice.")
            seen.add(name)
            if info.file_size > most:
                raise BadBundleError(f"{name} in the bundle is larger than {most} bytes.")
            if info.flag_bits & 0x1:
                raise BadBundleError(f"{name} in the bundle is encrypted.")
            stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
            if not stored and (_RECORDING.fullmatch(name) or info.compress_type != zipfile.ZIP_DEFLATED):
                raise BadBundleError(f"{name} in the bundle is packed in a way that no bundle has.")
            yield name, info

    @property
    def names(self) -> frozenset[str]:
        """All that it holds."""
        return frozenset(self._entries)

    def read(self, name: str) -> bytes:
        """A small file; BadBundleError where it is not there, or not whole."""
        return b"".join(self._chunks(name))

    def copy(self, name: str, target: Path) -> str:
        """Write a file to ``target``; its SHA-256 (hex). BadBundleError as above."""
        digest = hashlib.sha256()
        with target.open("xb") as out:
            for chunk in self._chunks(name):
                digest.update(chunk)
                out.write(chunk)
        return digest.hexdigest()

    def _chunks(self, name: str) -> Iterator[bytes]:
        info = self._entries.get(name)
        if info is None:
            raise BadBundleError(f"The bundle has no {name}.", "It is not whole: get it again.")
        most, read = limit_of(name) or 0, 0
        try:
            with self._zip.open(info) as source:
                while chunk := source.read(_CHUNK):
                    read += len(chunk)
                    if read > most:
                        raise BadBundleError(f"{name} in the bundle is larger than {most} bytes.")
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise _broken(error) from None


def _check_end(file: IO[bytes]) -> None:
    """Before zipfile reads the table of contents into memory: how large it is, and that it is the plain form."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - _END - 20))
    tail = file.read(_END + 20)
    end = tail[-_END:]
    if len(end) < _END or not end.startswith(b"PK\x05\x06") or end[-2:] != b"\0\0":
        raise BadBundleError("This is no bundle, or not the whole of one.", "Get it again.")
    if tail[:4] == b"PK\x06\x07":
        raise BadBundleError("The bundle is a zip of the 64-bit form, which no bundle is.")
    count, index = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if count > _MAX_FILES or index > _MAX_INDEX:
        raise BadBundleError(f"The bundle says that it holds {count} files: no bundle holds so many.")


def _broken(error: Exception) -> BadBundleError:
    return BadBundleError(f"The bundle is damaged or cut short ({str(error)[:200]}).", "Get it again.")
