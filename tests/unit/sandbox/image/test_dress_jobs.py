"""The stand-ins that run something later: when, and what."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.requires import ROOT

STAND_INS = ROOT / "src/package_hunter/sandbox/image/standins"
DAY = 86_400


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """Where what is started in the background is noted, one word a line."""
    note = tmp_path / "note"
    setsid = tmp_path / "setsid"
    setsid.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {note}.part && mv {note}.part {note}\n')
    setsid.chmod(0o755)
    return note


def words(later: Path, name: str, *argv: str, said: str = "") -> list[str]:
    """What the stand-in starts."""
    env = {**os.environ, "PATH": f"{later.parent}:{os.environ['PATH']}", "TZ": "UTC"}
    command = ["sh", "-c", 'sh "$@"; wait', "sh", str(STAND_INS / name), *argv]
    subprocess.run(command, input=said, text=True, env=env, check=True, capture_output=True)
    while not later.exists():  # the stand-in does not wait for what it starts
        pass
    return later.read_text().splitlines()


@pytest.mark.parametrize(
    ("when", "least", "most"),
    [
        ("now", 0, 0),
        ("now + 10 minutes", 590, 600),
        ("now + 2 hours", 7_190, 7_200),
        ("tomorrow", DAY - 10, DAY),
        ("noon", 0, DAY),
        ("teatime", 0, DAY),
        ("-m -q b now + 1 day", DAY - 10, DAY),
    ],
)
def test_a_job_waits_until_its_time(later: Path, when: str, least: int, most: int) -> None:
    started = words(later, "at", *when.split(), said="touch done\necho more")
    *_, name, wait, first, second = started
    assert (name, first, second) == ("atd", "touch done", "echo more")
    assert least <= int(wait) <= most


def test_a_job_of_a_file(later: Path, tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.write_text("echo of a file")
    assert words(later, "at", "-f", str(job), "now")[-1] == "echo of a file"


@pytest.mark.parametrize(
    ("span", "as_sleep"), [("10min", "10m"), ("1h 5min", "1h 5m"), ("90", "90"), ("30 sec", "30s")]
)
def test_a_unit_waits_its_span(later: Path, span: str, as_sleep: str) -> None:
    started = words(later, "systemd-run", "--user", f"--on-active={span}", "touch", "x")
    assert started[-3:] == [as_sleep, "touch", "x"]


def test_a_unit_without_a_span_waits_for_nothing(later: Path) -> None:
    assert words(later, "systemd-run", "--user", "--", "touch", "x")[-3:] == ["0", "touch", "x"]
