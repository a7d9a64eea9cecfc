"""`user` and `token` on the command line."""

from __future__ import annotations

import io
import os
import pty
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from package_hunter.cli.main import main
from package_hunter.config import Settings

HUNT = str(Path(sys.executable).parent / "package-hunter")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER_")}
    made = {**clean, "PACKAGE_HUNTER_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "100"}
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("package_hunter.cli.accounts.settings", lambda: Settings(data_dir=tmp_path / "data"))
    return made


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def hunt(capsys: pytest.CaptureFixture[str], *arguments: str, stdin: str = "") -> Done:
    """The command line in this process, errors turned into exit codes as the console script does."""
    with mock.patch("sys.stdin", io.StringIO(stdin)), pytest.raises(SystemExit) as end:
        main(list(arguments))
    said = capsys.readouterr()
    return Done(int(end.value.code or 0), said.out, said.err)


def test_users(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    added = hunt(capsys, "user", "add", "ana", stdin="correct horse\n")
    assert (added.returncode, added.stdout) == (0, "")
    assert "'ana' can log in now" in added.stderr
    assert "ana" in hunt(capsys, "user", "list").stdout
    again = hunt(capsys, "user", "add", "ana", stdin="correct horse\n")
    assert (again.returncode, again.stdout) == (2, "")
    assert "user remove" in again.stderr
    assert hunt(capsys, "user", "remove", "ana").returncode == 0
    assert hunt(capsys, "user", "remove", "ana").returncode == 2
    assert "ana" not in hunt(capsys, "user", "list").stdout


@pytest.mark.parametrize(("name", "password"), [("ana", "short\n"), ("ana", ""), ("a:b", "correct horse\n")])
def test_accounts_that_cannot_be(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str], name: str, password: str
) -> None:
    done = hunt(capsys, "user", "add", name, stdin=password)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_tokens(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    added = hunt(capsys, "token", "add", "ci")
    value = added.stdout.strip()
    assert value.startswith("phunt_")
    assert len(value) == 55
    assert value not in hunt(capsys, "token", "list").stdout
    data = Path(environment["PACKAGE_HUNTER_DATA_DIR"])
    assert all(value.encode() not in f.read_bytes() for f in data.rglob("*") if f.is_file())
    assert hunt(capsys, "token", "revoke", "ci").returncode == 0
    assert "UTC" in hunt(capsys, "token", "list").stdout
    assert hunt(capsys, "token", "revoke", "other").returncode == 2


def test_a_password_is_asked_for_twice_and_not_shown(environment: dict[str, str]) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(HUNT, [HUNT, "user", "add", "ana"], environment)
    said = b""
    for answer in (b"correct horse\n", b"another one\n"):
        while not said.rstrip().endswith(b":"):
            said += os.read(terminal, 1000)
        time.sleep(0.1)
        os.write(terminal, answer)
        said += b"\n"
    try:
        while chunk := os.read(terminal, 1000):
            said += chunk
    except OSError:
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    assert b"differ" in said
    assert b"horse" not in said
