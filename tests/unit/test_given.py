"""Files that a user names: what is none is refused, and nobody waits for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter import given
from package_hunter.audit import keys
from package_hunter.bundle import Trust, verify
from package_hunter.cli import identity, inventory, notices, proposing, rules
from package_hunter.cli.diff import read_report
from package_hunter.client import credentials
from package_hunter.errors import HunterError
from package_hunter.intake.receive import receive
from package_hunter.pipeline.rederive import scan_of
from package_hunter.policy.load import read_text
from package_hunter.rules.load import check_rules
from package_hunter.rules.testing import run_tests
from package_hunter.sensor.scap import check_writable


def _pipe(path: Path) -> str:
    os.mkfifo(path)
    return "a named pipe"


def _socket(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return "a socket"


def _device(path: Path) -> str:
    path.symlink_to("/dev/zero")
    return "a device"


@pytest.mark.parametrize("make", [_pipe, _socket, _device])
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], str]) -> None:
    path = tmp_path / "x"
    what = make(path)
    for attempt in (lambda: given.open_file(path), lambda: given.read(path, 9), lambda: given.check(path)):
        with pytest.raises(given.NotAFileError) as told:
            attempt()
        assert told.value.strerror == f"it is {what}, and not a file"


def test_a_file_a_link_to_one_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    (tmp_path / "link").symlink_to("x")
    assert given.read(tmp_path / "link", 4) == b"abcd"
    with given.open_file(tmp_path / "x") as file:
        assert file.read() == b"abcdef"
        assert file.seekable()
    with pytest.raises(IsADirectoryError):
        given.open_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        given.read(tmp_path / "nowhere", 4)


def test_what_the_shell_has_opened(tmp_path: Path) -> None:
    """``<(...)`` is a pipe whose other end is there."""
    reading, writing = os.pipe()
    os.write(writing, b"said")
    os.close(writing)
    path = Path(f"/dev/fd/{reading}")
    try:
        with pytest.raises(given.NotAFileError):
            given.open_file(path)
        assert given.read(path, 99) == b"said"
    finally:
        os.close(reading)


READERS: dict[str, Callable[[Path], object]] = {
    "verify": lambda path: verify(path, Trust()),
    "a recording": scan_of,
    "--record": check_writable,
    "--key": lambda path: keys.files_keys([path]),
    "--checkpoint": keys.head,
    "a report": read_report,
    "a policy": read_text,
    "a target": receive,
    "a rule test": lambda path: run_tests(path, check_rules([])),
    "--events": lambda path: list(rules._read_events(path)),
    "an SBOM": lambda path: inventory._data(path, 9),
    "--secret-file": identity._secret,
    "a notice's secret": notices._from_file,
    "a proposal": proposing.document_of,
    "--token-file": credentials._read,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("make", [_pipe, _socket, _device])
def test_each_command_says_so_at_once(tmp_path: Path, name: str, make: Callable[[Path], str]) -> None:
    path = tmp_path / "x"
    what = make(path)
    with pytest.raises(HunterError) as told:
        READERS[name](path)
    assert f"it is {what}, and not a file" in told.value.message


def test_a_rule_file_too(tmp_path: Path) -> None:
    what = _pipe(tmp_path / "x")
    found = check_rules([tmp_path / "x"])
    assert f"The file cannot be read: it is {what}, and not a file." in str(found.errors[0])


def test_a_recording_beside_another(tmp_path: Path) -> None:
    """Those of further boxes are found by their names: what lies there need not be one."""
    from package_hunter.bundle import of_files
    from package_hunter.queue.recordings import beside
    from tests.support import bundle_samples as samples

    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    _pipe(tmp_path / "x.2.scap")
    with pytest.raises(HunterError, match="it is a named pipe"):
        of_files(samples.report(scap), beside(scap), None, None)
