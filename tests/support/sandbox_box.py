"""A real box for the tests of this folder."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.model.box import BoxLimits, BoxSpec
from package_hunter.model.scan import Command, CommandRun
from package_hunter.sandbox import RuncSandbox, kernel, mounts
from package_hunter.sandbox.image import find_image
from tests.support.requires import needs_runc

SMALL = BoxLimits(memory_bytes=512 << 20, upper_bytes=64 << 20, upper_inodes=4000, pids=64, cpus=1.0)


def needs_image() -> Path:
    """The image, which `make setup` builds."""
    from tests.support import requires

    needs_runc()
    try:
        return find_image()
    except HostError as error:
        requires.need(False, error.message)
        raise


def scan_id() -> str:
    """A name that no other box has."""
    return f"test-{secrets.token_hex(6)}"


def unmount_images() -> None:
    """Let go of every image that no box uses."""
    for point in mounts.mount_points():
        if point.startswith(f"{mounts.RUN_DIR}/image/"):
            kernel.unmount(point)
            Path(point).rmdir()


MakeBox = Callable[..., RuncSandbox]


@pytest.fixture(scope="session", autouse=True)
def _image_mount() -> Iterator[None]:
    before = set(mounts.mount_points()) if mounts.RUN_DIR.exists() else set()
    yield
    if not any("/image/" in point for point in before):
        unmount_images()


@pytest.fixture
def make_box() -> Iterator[MakeBox]:
    """Make and start boxes that are gone after the test."""
    needs_image()
    boxes: list[RuncSandbox] = []

    def make(start: bool = True, **fields: object) -> RuncSandbox:
        box = RuncSandbox(BoxSpec(scan_id=scan_id(), **{"limits": SMALL, **fields}))  # type: ignore[arg-type]
        boxes.append(box)
        box.create()
        if start:
            box.start()
        return box

    yield make
    for box in boxes:
        box.destroy()


@pytest.fixture(scope="module")
def box() -> Iterator[RuncSandbox]:
    """One running box for all tests of a module."""
    needs_image()
    shared = RuncSandbox(BoxSpec(scan_id=scan_id(), limits=SMALL))
    with shared:
        shared.create()
        shared.start()
        yield shared


def run(box: RuncSandbox, *argv: str, timeout: float = 20.0, cwd: str = "/home/dev") -> CommandRun:
    """Run one command."""
    return box.run(Command(argv, cwd, timeout=timeout), "test")


def python(box: RuncSandbox, code: str, timeout: float = 20.0) -> CommandRun:
    """Run Python code in the box."""
    return run(box, "python3", "-c", code, timeout=timeout)


def runs(pid: int) -> bool:
    """Whether a process of the host is there and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False
