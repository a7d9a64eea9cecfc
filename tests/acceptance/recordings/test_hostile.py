"""Recordings that a crash, a full disk or an attacker left."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from package_hunter.config import settings
from package_hunter.confine import UIDS
from package_hunter.sandbox import reap
from package_hunter.sensor.scap import ScapReader
from tests.support import requires
from tests.support.hunter import HUNT, ROOT, hunt, npm_project


def test_a_killed_scan_leaves_all_that_was_flushed(tmp_path: Path) -> None:
    requires.needs_runc()
    requires.needs_btf()
    scripts = {
        "preinstall": "cat ~/.ssh/id_rsa > /dev/null; echo > ~/seen-before-the$(echo -crash); sleep 600"
    }
    project, scap = npm_project(tmp_path / "app", "app", scripts), tmp_path / "x.scap"
    scan = subprocess.Popen(
        [HUNT, "scan", project, "--record", scap], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _wait_for(scap, b"seen-before-the-crash")
        os.kill(_reader_of(scan.pid), signal.SIGKILL)  # by itself it would, or would not, end in order
        scan.send_signal(signal.SIGKILL)
    finally:
        scan.kill()
        _, said = scan.communicate()
    with ScapReader(scap) as recording:
        folder = settings().data_dir / "runs" / recording.ours["scan"]
    try:
        assert scan.returncode == -signal.SIGKILL, said.decode()
        done = hunt("replay", scap, "--format", "json", "--fail-on", "never")
        assert done.returncode == 4
        assert "ends in the middle" in done.stderr
        seen = json.loads(done.stdout)
        assert any(f["path"].endswith("/seen-before-the-crash") for f in seen["files"])
        assert any("id_rsa" in a["output"] for a in seen["alerts"])
    finally:
        reap()
        shutil.rmtree(folder, ignore_errors=True)  # another scan, as it starts, clears such folders away


def _reader_of(scan: int) -> int:
    """The process that writes the recording."""
    children = Path(f"/proc/{scan}/task/{scan}/children").read_text().split()
    (reader,) = (int(pid) for pid in children if Path(f"/proc/{pid}").stat().st_uid == UIDS["reader"])
    return reader


def _wait_for(scap: Path, word: bytes) -> None:
    """Until ``word`` can be read from the recording, as it grows."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if scap.exists() and scap.stat().st_size > 1000:
            with ScapReader(scap) as recording:
                if any(word in raw for raw, cpu in recording):
                    return
        time.sleep(0.5)
    raise AssertionError("the recording never showed what had happened")


@pytest.mark.parametrize("where", ["/dev/full", "/dev/null"])
def test_a_device_takes_no_recording(where: str) -> None:
    """It is read again at the scan's end, so it has to be a file."""
    requires.needs_runc()
    requires.needs_btf()
    done = hunt("scan", ROOT / "simulations/falco-test", "--record", where, "-q")
    assert done.returncode == 2
    assert "it is a device, and not a file" in done.stderr and done.stdout == ""


def test_a_full_disk_ends_the_recording_not_the_scan_and_what_was_written_is_read(tmp_path: Path) -> None:
    """Nothing is added behind what could not be written: the room may be there again by then."""
    requires.needs_runc()
    requires.needs_btf()
    scap = tmp_path / "small" / "x.scap"
    scap.parent.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", scap.parent], check=True)
    try:
        options = ["--record", scap, "--fail-on", "never", "-q"]
        done = hunt("scan", ROOT / "simulations/falco-test", *options)
        assert done.returncode == 0, done.stderr
        assert os.strerror(28) in done.stdout
        replayed = hunt("replay", scap, "--fail-on", "never")
    finally:
        subprocess.run(["umount", scap.parent], check=True)
    assert replayed.returncode == 4
    assert "ends in the middle" in replayed.stderr


@pytest.fixture(scope="module")
def plain(record: Any) -> bytes:
    return gzip.decompress(record("falco-test").scap.read_bytes())


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_cut_short(tmp_path: Path, record: Any, share: float) -> None:
    whole = record("falco-test").scap.read_bytes()
    cut = tmp_path / "cut.scap"
    cut.write_bytes(whole[: int(len(whole) * share)])
    done = hunt("replay", cut, "--fail-on", "never")
    assert done.returncode == 4
    assert "ends in the middle" in done.stderr
    assert " events, " in done.stdout


DAMAGE = {
    "length of a block": lambda d: d[:4] + b"\xff\xff\xff\x7f" + d[8:],
    "gzip within": lambda d: gzip.compress(d)[:4000] + b"\0" * 64 + gzip.compress(d)[4064:],
    "no section": lambda d: b"\x01\0\0\0" + d[4:],
    "text": lambda d: b"not a recording\n",
    "nothing": lambda d: b"",
    "zeros": lambda d: bytes(1 << 16),
    "other byte order": lambda d: d[:8] + d[8:12][::-1] + d[12:],
    "facts that are no JSON": lambda d: d.replace(b'{"scan"', b'{{scan"', 1),
    "deep facts": lambda d: _deep(d),
}


def _deep(data: bytes) -> bytes:
    section = int.from_bytes(data[4:8], "little")
    deep = b"[" * 200_000
    size = len(deep) + 12
    block = (
        (0x50485831).to_bytes(4, "little") + size.to_bytes(4, "little") + deep + size.to_bytes(4, "little")
    )
    return data[:section] + block + data[section:]


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged(tmp_path: Path, plain: bytes, name: str) -> None:
    damaged = tmp_path / "damaged.scap"
    damaged.write_bytes(DAMAGE[name](plain))
    done = hunt("replay", damaged, "--format", "falco")
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("package-hunter: ")
    assert "Traceback" not in done.stderr


def test_a_bomb_is_read_as_a_stream(tmp_path: Path, plain: bytes) -> None:
    """1 GB of zeros in one block costs no memory: its length is refused."""
    bomb = tmp_path / "bomb.scap"
    size = (1 << 30) + 12
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(plain[: int.from_bytes(plain[4:8], "little")])
        file.write((0x50485831).to_bytes(4, "little") + size.to_bytes(4, "little"))
        for _ in range(64):
            file.write(bytes(1 << 20))
    done = hunt("replay", bomb)
    assert done.returncode == 3
    assert "which cannot be" in done.stderr


def test_terminal_escapes_are_shown_not_sent(tmp_path: Path, plain: bytes) -> None:
    bad = tmp_path / "bad.scap"
    bad.write_bytes(plain.replace(b"paste.example", b"pa\x1b]0;xyz\x07ple"))
    shown = hunt("replay", bad, "--fail-on", "never")
    assert "pa" in shown.stdout
    assert "\x1b" not in shown.stdout + shown.stderr
    assert "\x07" not in shown.stdout + shown.stderr


def test_no_such_file() -> None:
    done = hunt("replay", "nowhere.scap")
    assert done.returncode == 2
    assert "There is no recording" in done.stderr
