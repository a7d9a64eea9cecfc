"""The worker process of a CI runner, which holds the job's secrets in its memory, in boxes of the world ``ci``.

It is a small C program, compiled once for each version of its source by the compiler of the probe, and linked
statically, so that a box's image may be older or newer than the host.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import tempfile
from pathlib import Path

from package_hunter.config import settings
from package_hunter.errors import HostError
from package_hunter.model.box import RUNNER_HOME, RUNNER_JOB, RUNNER_WORKER
from package_hunter.model.scan import BoxFile, Command

_SOURCE = Path(__file__).resolve().parent / "worker.c"
_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-Wl,--build-id=none")
_COMPILER_TIMEOUT = 120
_START_TIMEOUT = 20.0


def command() -> Command:
    """What starts it; the command ends when the worker holds its secrets."""
    argv = (RUNNER_WORKER, "spawnclient", "134", "137")
    return Command(argv, RUNNER_HOME, timeout=_START_TIMEOUT)


def with_runner(files: tuple[BoxFile, ...]) -> tuple[BoxFile, ...]:
    """A box's files, with the program where they hold a job for it."""
    if not has_runner(files):
        return files
    return (*files, BoxFile(RUNNER_WORKER, program_path().read_bytes(), 0o755))


def has_runner(files: tuple[BoxFile, ...]) -> bool:
    """Whether a box with these files has a job for a runner."""
    return any(file.path == RUNNER_JOB for file in files)


def program_path(data_dir: Path | None = None) -> Path:
    """The compiled program, compiled now if it is not there yet. Raises HostError."""
    h = hashlib.sha256(f"{RUNNER_JOB}\0{_FLAGS}\0".encode() + _SOURCE.read_bytes())
    folder = (data_dir or settings().data_dir) / "runner"
    target = folder / f"{h.hexdigest()[:16]}-{platform.machine()}"
    if not target.exists():
        _compile(target)
    return target


def _compile(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as folder:
        output = Path(folder) / "worker"
        command = ["clang", *_FLAGS, f'-DJOB_FILE="{RUNNER_JOB}"', "-o", str(output), str(_SOURCE)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILER_TIMEOUT)
        except FileNotFoundError:
            raise HostError(
                "The CI runner's stand-in cannot be compiled: clang is missing.",
                "Install the packages clang and libc6-dev.",
            ) from None
        if done.returncode:
            raise HostError(
                f"The CI runner's stand-in does not compile: {done.stderr.strip()[:4000]}",
                "Install the packages clang (14 or later) and libc6-dev; if they are there, report a bug.",
            )
        output.replace(target)
