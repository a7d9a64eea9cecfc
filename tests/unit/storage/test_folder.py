"""Artefacts in files: durable before they have a name, and root is led nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from package_hunter import storage
from package_hunter.config import Settings
from package_hunter.errors import DiskFullError
from package_hunter.storage.base import Artefacts, Kind
from package_hunter.storage.errors import DamagedError
from package_hunter.storage.folder import Folder
from tests.support.requires import needs_root


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return storage.of(Settings(data_dir=tmp_path, min_free_bytes=0))


def place(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "artefacts" / "archive" / digest[:2] / digest


def test_a_link_a_pipe_and_a_folder_are_refused(artefacts: Artefacts, tmp_path: Path) -> None:
    digest = artefacts.put(Kind.ARCHIVE, b"archive").digest
    path, outside = place(tmp_path, digest), tmp_path / "outside"
    outside.write_bytes(b"archive")
    for plant in (lambda: path.symlink_to(outside), lambda: os.mkfifo(path), path.mkdir):
        path.unlink()
        plant()
        with pytest.raises(DamagedError):
            artefacts.open(Kind.ARCHIVE, digest)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
            path.touch()
    path.unlink()
    path.symlink_to(outside)
    artefacts.delete(Kind.ARCHIVE, digest)
    assert outside.read_bytes() == b"archive" and not path.is_symlink()


def test_root_reaches_nothing_that_the_folders_owner_cannot(tmp_path: Path) -> None:
    needs_root()
    tmp_path.chmod(0o755)
    for above in tmp_path.parents:
        if above.stat().st_uid == 0 and above != Path("/") and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    secret = tmp_path / "secret"
    secret.mkdir(mode=0o700)
    (tmp_path / "artefacts").mkdir()
    os.chown(tmp_path / "artefacts", 64990, 64990)
    artefacts = storage.of(Settings(data_dir=tmp_path, min_free_bytes=0))
    digest = artefacts.put(Kind.ARCHIVE, b"archive").digest
    path = place(tmp_path, digest)
    assert path.stat().st_uid == 64990
    (secret / digest).write_bytes(b"root's")
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(secret)
    with pytest.raises(DamagedError):
        artefacts.open(Kind.ARCHIVE, digest)
    artefacts.delete(Kind.ARCHIVE, digest)
    assert (secret / digest).read_bytes() == b"root's"


def test_what_raises_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def chunks():
        yield b"x" * 1000
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Folder(tmp_path / "artefacts").put("report/aa/name", chunks(), 2000)
    assert [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()] == []


def test_a_full_disk_is_told(artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiskFullError):
        artefacts.put(Kind.REPORT, b"report")


def test_what_is_named_is_on_disk_before(artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's bytes, then its name, then its folder."""
    order: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(fd: int) -> None:
        order.append("folder" if os.path.isdir(f"/proc/self/fd/{fd}") else "file")
        real_sync(fd)

    def replace(self: Path, target: Path) -> Path:
        order.append("name")
        return real_replace(self, target)

    artefacts.put(Kind.REPORT, b"makes the folders")
    order.clear()
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    digest = artefacts.put(Kind.REPORT, b"makes the folders").digest
    assert order == ["file", "name", "folder"] and artefacts.stat(Kind.REPORT, digest) is not None


KILLED = """
    import sys
    from pathlib import Path
    from package_hunter import storage
    from package_hunter.config import Settings
    from package_hunter.storage.base import Kind
    artefacts = storage.of(Settings(data_dir=Path(sys.argv[1]), min_free_bytes=0))
    number = 0
    print("begun", flush=True)
    while True:
        number += 1
        artefacts.put(Kind.ARCHIVE, str(number).encode() * (1 << 19))
"""


def test_killed_at_any_moment_all_that_has_a_name_is_whole(tmp_path: Path) -> None:
    for delay in (0.01, 0.03, 0.05, 0.07, 0.11):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    artefacts = storage.of(Settings(data_dir=tmp_path, min_free_bytes=0))
    found = list(artefacts.list(Kind.ARCHIVE))
    assert found and all(artefacts.open(Kind.ARCHIVE, item.digest).read() for item in found)
    incoming = tmp_path / "artefacts" / "incoming"
    for path in incoming.iterdir():
        os.utime(path, (0, 0))
    artefacts.sweep()
    assert list(incoming.iterdir()) == []
