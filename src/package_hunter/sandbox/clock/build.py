"""Compiles the library that hurries time, with the compiler of the probe, once for each version of its source.

It is linked with no C library: what it needs of one it finds in the program that it is loaded into, so a box's image
may be older or newer than the host.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import tempfile
from pathlib import Path

from package_hunter.config import settings
from package_hunter.errors import HostError
from package_hunter.model.box import CLOCK_FILE

SOURCES = Path(__file__).resolve().parent / "library"
_FLAGS = (
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fPIC",
    "-fvisibility=hidden",
    "-shared",
    "-nostdlib",
    "-s",
    "-Wl,--build-id=none",
)
_COMPILER_TIMEOUT = 120


def digest(clock_file: str) -> str:
    """What a library of these sources is called, by the file that it reads."""
    h = hashlib.sha256(f"{clock_file}\0{_FLAGS}\0".encode())
    for path in sorted(SOURCES.iterdir()):
        h.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{h.hexdigest()[:16]}-{platform.machine()}"


def library_path(data_dir: Path | None = None, clock_file: str = CLOCK_FILE) -> Path:
    """The compiled library, compiled now if it is not there yet. Raises HostError."""
    target = (data_dir or settings().data_dir) / "clock" / f"{digest(clock_file)}.so"
    if not target.exists():
        _compile(target, clock_file)
    return target


def _compile(target: Path, clock_file: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as folder:
        output = Path(folder) / "clock.so"
        sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
        command = ["clang", *_FLAGS, f'-DCLOCK_FILE="{clock_file}"', "-o", str(output), *sources]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILER_TIMEOUT)
        except FileNotFoundError:
            raise HostError(
                "The library that hurries time cannot be compiled: clang is missing.",
                "Install the packages clang and libc6-dev.",
            ) from None
        if done.returncode:
            raise HostError(
                f"The library that hurries time does not compile: {done.stderr.strip()[:4000]}",
                "Install the packages clang (14 or later) and libc6-dev; if they are there, report a bug.",
            )
        output.replace(target)
