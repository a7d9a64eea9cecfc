"""The unpacker as a process: without rights, without leftovers."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.confine import UIDS
from package_hunter.errors import BadArchiveError, HelperDiedError, HostError, NothingToScanError
from package_hunter.intake.limits import Limits
from package_hunter.intake.run import run_unpacker
from package_hunter.model import wire


def pack(*files: tuple[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "t.tgz"
    path.write_bytes(pack(("package.json", b"{}"), ("a/b.js", b"1")))
    return path


def test_an_archive_is_unpacked(archive: Path, tmp_path: Path) -> None:
    result = run_unpacker(archive, tmp_path / "out", Limits())
    assert result.files == 2
    assert (tmp_path / "out/a/b.js").read_bytes() == b"1"
    if os.geteuid() == 0:
        assert (tmp_path / "out/a/b.js").stat().st_uid == UIDS["unpacker"]


def test_an_open_file_is_unpacked(archive: Path, tmp_path: Path) -> None:
    with archive.open("rb") as stream:
        assert run_unpacker(stream, tmp_path / "out", Limits()).files == 2


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(files=1), "more than 1 files"),
        (Limits(memory_bytes=1), "memory|stopped by signal|cannot|failed"),
    ],
)
def test_a_refused_archive_leaves_nothing(archive: Path, tmp_path: Path, limits: Limits, says: str) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Exception, match=says):
        run_unpacker(archive, tmp_path / "out", limits)
    assert sorted(tmp_path.iterdir()) == before


def test_a_time_limit_ends_it(tmp_path: Path) -> None:
    slow = tmp_path / "slow.tgz"
    slow.write_bytes(pack(("zeros", bytes(300 << 20))))
    with pytest.raises(BadArchiveError, match=r"longer than|stopped by signal"):
        run_unpacker(slow, tmp_path / "out", Limits(), seconds=0.2)
    assert not (tmp_path / "out").exists()


def test_a_missing_archive_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadArchiveError, match="cannot be read"):
        run_unpacker(tmp_path / "none.tgz", tmp_path / "out", Limits())
    assert list(tmp_path.iterdir()) == []


def test_a_directory_goes_through_the_same_filter(tmp_path: Path) -> None:
    source = tmp_path / "project"
    for path in (
        "node_modules/x/i.js",
        ".git/config",
        "venv/pyvenv.cfg",
        "src/a.js",
        "fixtures/node_modules/y.js",
    ):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text("x")
    (source / "package.json").write_text("{}")
    (source / "README").write_text("1")
    (source / "readme").write_text("2")
    (source / ".env").write_text("SECRET=1")
    (source / "out").symlink_to("../elsewhere")
    (source / "in").symlink_to("src")
    os.mkfifo(source / "pipe")
    (source / "private").write_text("p")
    (source / "private").chmod(0o600)
    result = run_unpacker(source, tmp_path / "out", Limits())
    left = {
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if not path.is_dir()
    }
    assert left == {"package.json", "README", "readme", "private", "src/a.js", "fixtures/node_modules/y.js"}
    assert (tmp_path / "out/in").is_symlink()
    assert {item.path for item in result.withheld} == {".env", "out"}
    assert len([note for note in result.notes if "stayed outside" in note]) == 4  # modules, git, venv, pipe


def test_an_empty_directory_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToScanError, match="no file"):
        run_unpacker(tmp_path / "empty", tmp_path / "out", Limits())


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    from tests.support.requires import needs_root

    needs_root()
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], check=True)
    try:
        big = tmp_path / "big.tgz"
        big.write_bytes(pack(("package.json", b"{}"), ("zeros", bytes(1 << 20))))
        with pytest.raises(HostError, match="the disk is full"):
            run_unpacker(big, mount / "out", Limits())
        assert list(mount.iterdir()) == []
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_name_clash_is_a_sentence(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/kept").write_text("x")
    with pytest.raises(HostError, match="cannot be made"):
        run_unpacker(archive, tmp_path / "out", Limits())
    assert (tmp_path / "out/kept").exists()


@pytest.fixture
def waiting_unpacker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An unpacker whose archive does not arrive."""
    import json

    from tests.support.requires import needs_root

    needs_root()
    (tmp_path / "dest").mkdir()
    dest = os.open(tmp_path / "dest", os.O_RDONLY | os.O_DIRECTORY)
    read_end, write_end = os.pipe()
    command = [sys.executable, "-I", "-m", "package_hunter.intake.worker", str(read_end), str(dest), "stream"]
    process = subprocess.Popen(
        [*command, json.dumps(wire.plain(Limits, Limits())), str(os.getpid())],
        pass_fds=(read_end, dest),
        stdout=-1,
    )
    os.close(read_end)
    yield process
    os.close(write_end)
    os.close(dest)
    process.communicate(timeout=20)


def test_its_rights_are_gone(waiting_unpacker: subprocess.Popen[bytes]) -> None:
    status: dict[str, str] = {}
    for _ in range(200):
        text = Path(f"/proc/{waiting_unpacker.pid}/status").read_text()
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        if status["Seccomp"] == "2":
            break
        time.sleep(0.05)
    assert status["Seccomp"] == "2"
    assert set(status["Uid"].split()) == {str(UIDS["unpacker"])}
    assert status["Groups"].strip() == ""
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (signal.SIGKILL, HelperDiedError, "was killed .signal 9."),
        (signal.SIGTERM, HelperDiedError, "was killed"),
        (signal.SIGXCPU, BadArchiveError, "CPU time"),
        (signal.SIGSYS, BadArchiveError, "system call"),
    ],
)
def test_who_killed_the_unpacker(
    tmp_path: Path, number: signal.Signals, kind: type[Exception], words: str
) -> None:
    """Its own limits end it for the archive's sake; anything else is no fault of the archive."""
    read, write = os.pipe()

    def kill() -> None:
        wait = time.monotonic() + 30
        while not (found := _confined_children()) and time.monotonic() < wait:
            time.sleep(0.02)
        os.kill(found[0], number)

    killer = threading.Thread(target=kill)
    killer.start()
    with os.fdopen(read, "rb") as archive, pytest.raises(kind, match=words):
        run_unpacker(archive, tmp_path / "out", Limits())
    killer.join()
    os.close(write)
    assert not (tmp_path / "out").exists()


def _confined_children() -> list[int]:
    """Children of this process that wait for their archive, confined."""
    found = []
    for path in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            text = path.read_text()
            if f"PPid:\t{os.getpid()}\n" in text and "Seccomp:\t2" in text:
                found.append(int(path.parent.name))
    return found
