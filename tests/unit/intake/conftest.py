"""Hostile archives for the tests of the unpacker."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.intake.limits import Limits
from package_hunter.intake.unpack import UnpackResult, unpack

Unpack = Callable[[bytes], UnpackResult]


def entry(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **more: object
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tar(*entries: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz", form: int = tarfile.GNU_FORMAT) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode, format=form, errors="surrogateescape") as archive:  # type: ignore[call-overload]
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data) if data else None)
    return sink.getvalue()


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    folder = tmp_path / "dest"
    folder.mkdir()
    return folder


@pytest.fixture
def limits() -> Limits:
    return Limits(unpacked_bytes=1 << 20, files=50, depth=8, name_bytes=64, path_bytes=256)


@pytest.fixture
def do(dest: Path, limits: Limits) -> Iterator[Unpack]:
    import os

    fd = os.open(dest, os.O_RDONLY | os.O_DIRECTORY)
    yield lambda data: unpack(io.BytesIO(data), fd, limits)
    os.close(fd)
