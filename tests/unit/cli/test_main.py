"""The console script's frame: exit codes, and no traceback for what a user may meet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from package_hunter.cli import main as cli
from package_hunter.cli.console import harmless
from package_hunter.errors import BadArchiveError, UnreachableError


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def failing(requested: str | None) -> typer.Typer:
        raise error

    monkeypatch.setattr(cli, "build_app", failing)
    with pytest.raises(SystemExit) as ended:
        cli.main(["scan", "x"])
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadArchiveError("The archive is empty.", "Pack it again."), 3),
        (UnreachableError("The registry does not answer."), 69),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("our own"), 70),
    ],
)
def test_errors_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert run(monkeypatch, error) == code
    shown = capsys.readouterr().err
    assert shown.startswith("package-hunter: ")
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("command", "unbuffered"),
    [(["--version"], ""), (["--help"], "1"), (["scans", "list"], ""), (["diff", "--help"], "")],
)
def test_an_output_that_takes_nothing_is_told(tmp_path: Path, command: list[str], unbuffered: str) -> None:
    environment = os.environ | {"PACKAGE_HUNTER_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "package_hunter.cli.main", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment,
        )
    assert done.returncode == 70
    assert done.stderr.startswith("package-hunter: The output cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr and "itself failed" not in done.stderr


def test_another_error_of_the_system_is_our_own_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, OSError(28, "No space left on device")) == 70
    assert "itself failed" in capsys.readouterr().err


def test_terminal_escapes_are_shown_not_sent() -> None:
    assert harmless("a\x1b[31mb\x9b0m\rc") == "a\\x1b[31mb\\x9b0m\\x0dc"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_of_the_table_is_there(name: str) -> None:
    module, _ = cli.COMMANDS[name].split(":")
    assert module.startswith("package_hunter.cli."), "the table names no module of another layer"
    assert list(vars(typer.main.get_command(cli.build_app(name)))["commands"]) == [name]
