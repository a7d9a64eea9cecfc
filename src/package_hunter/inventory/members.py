"""The members of a release's file (wheel, sdist, npm's tgz, gem), read in a child without rights.

Nothing is unpacked: each member is hashed as it comes, within limits on number, size and sum.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from package_hunter.ecosystems.base import SourceTree
from package_hunter.ecosystems.planner import in_child
from package_hunter.errors import BadArchiveError, UsageError
from package_hunter.inventory.siblings import Members

MAX_FILE = 256 << 20
_MAX_MEMBERS = 100_000
_MAX_SUM = 4 << 30
_MAX_NAME = 1_024
_BLOCK = 1 << 20
_MAGIC = (
    *(b"\x7fELF", b"MZ", b"!<arch>\n"),
    *(
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ),
)  # ELF, PE, ar; Mach-O in both widths and orders, and universal
# a script may begin like a program; machine code is what is also named as systems load it
_NATIVE_NAME = re.compile(r".*\.(?:so(?:\.[0-9]+)*|pyd|dll|dylib|exe|node|bundle|a|lib|o)", re.DOTALL)
_GEM_SYSTEM = re.compile(r"-(?:x86_64|x64|x86|aarch64|arm64|arm|java|universal)[-.\w]*\.gem\Z")
_PLACE = "/file"


def members_of(path: Path, version: str) -> tuple[str, Members]:
    """The file's digest (``sha256:HEX``) and its members; HunterError, UsageError."""
    if not path.is_file() or path.stat().st_size > MAX_FILE:
        raise UsageError(f"{path} is no file, or larger than {MAX_FILE} bytes.")
    with tempfile.TemporaryDirectory(prefix="package-hunter-file-") as scratch:
        copy = Path(scratch) / path.name
        copy.write_bytes(path.read_bytes())
        with copy.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        tree = SourceTree(path.name, _PLACE, Path(scratch))
        found = in_child(tree, lambda seen: _read(seen, path.name), list[tuple[str, str, bool]])
    if not found:
        raise BadArchiveError(
            f"{path.name} holds no files that can be read.", "Give a wheel, sdist, tgz or gem."
        )
    native = frozenset(name for name, _, machine in found if machine)
    return f"sha256:{digest}", Members(
        path.name, version, runs_here(path.name), {name: digest for name, digest, _ in found}, native
    )


def runs_here(name: str) -> bool:
    """Whether a box of this machine can load a file of this name, as far as the name tells."""
    machine = os.uname().machine
    if name.endswith(".whl"):
        try:
            tags = parse_wheel_filename(name)[3]
        except InvalidWheelFilename:
            return False
        fits = re.compile(rf"any|(?:manylinux\w*|musllinux\w*|linux)_{re.escape(machine)}")
        return any(fits.fullmatch(tag.platform) for tag in tags)
    system = _GEM_SYSTEM.search(name)
    return system is None or (
        "linux" in system[0] and machine.replace("aarch64", "arm64") in _machines(system[0])
    )


def _machines(system: str) -> str:
    return system.replace("aarch64", "arm64").replace("x64", "x86_64")


def _read(seen: SourceTree, name: str) -> list[tuple[str, str, bool]]:
    """Name, SHA-256 and whether it is machine code, of each member."""
    data = seen.tree.read(f"{_PLACE}/{name}", MAX_FILE)
    if data is None:
        raise BadArchiveError(f"{name} cannot be read.")
    try:
        found = sorted(_members(data, _Budget()))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise BadArchiveError(f"{name} is broken: {error}.", "Fetch it again.") from error
    if len({member for member, _, _ in found}) < len(found):
        raise BadArchiveError(f"{name} has two members of one name: which one counts, nobody can say.")
    return found


class _Budget:
    def __init__(self) -> None:
        self.number = self.size = 0

    def take(self, size: int) -> None:
        """BadArchiveError beyond the limits."""
        self.number += size == 0
        self.size += size
        if self.number > _MAX_MEMBERS or self.size > _MAX_SUM:
            raise BadArchiveError("The file holds more than is read of one.")


def _members(data: bytes, budget: _Budget) -> Iterator[tuple[str, str, bool]]:
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as file:
                        yield _member(info.filename, file, budget)
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for entry in archive:
            if entry.isreg():
                yield from _regular(archive, entry, budget)
            elif not entry.isdir():
                budget.take(0)
                target = hashlib.sha256(entry.linkname.encode("utf-8", "replace")).hexdigest()
                yield entry.name[:_MAX_NAME], target, False


def _regular(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, budget: _Budget
) -> Iterator[tuple[str, str, bool]]:
    file = archive.extractfile(entry)
    if file is None:
        raise BadArchiveError("The file is broken: a member has no bytes.")
    if entry.name == "data.tar.gz":  # a gem's own files
        yield from _members(_all(file, budget), budget)
    else:
        yield _member(entry.name, file, budget)


def _all(file: IO[bytes], budget: _Budget) -> bytes:
    data = file.read(MAX_FILE + 1)
    budget.take(len(data))
    return data


def _member(name: str, file: IO[bytes], budget: _Budget) -> tuple[str, str, bool]:
    whole, head = hashlib.sha256(), b""
    budget.take(0)
    while block := file.read(_BLOCK):
        budget.take(len(block))
        head = head or block[:8]
        whole.update(block)
    native = head.startswith(_MAGIC) and _NATIVE_NAME.fullmatch(name) is not None
    return name[:_MAX_NAME], whole.hexdigest(), native
