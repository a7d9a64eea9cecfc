"""What words and files mean for combinations and forms."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.findings.meaning import command_words, is_runner, of_read
from package_hunter.model.box import RUNNER_WORKER


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("systemctl /usr/bin/systemctl status", "/usr/bin/systemctl status"),
        ("aws -IS /usr/bin/aws sts get-caller-identity", "/usr/bin/aws sts get-caller-identity"),
        ("pass -IS /usr/bin/pass", "/usr/bin/pass"),
        ("node -e /usr/bin/other", "node -e /usr/bin/other"),
        ("tar -xzf /tmp/tar.gz", "tar -xzf /tmp/tar.gz"),
        ("aws", "aws"),
        ("", ""),
    ],
)
def test_an_interpreters_mention_of_a_script_is_no_word_of_its_command(line: str, own: str) -> None:
    assert command_words(line.split()) == own.split()


def _box(started: int, exepath: str = RUNNER_WORKER) -> tuple[Any, Any]:
    process = SimpleNamespace(key=3, vpid=77, exepath=exepath, started_ns=started)
    context = SimpleNamespace(processes={3: process}, runs=[SimpleNamespace(started_ns=100)], places={})
    return process, context


def test_the_runners_memory_is_told_from_others() -> None:
    process, context = _box(started=50)
    assert is_runner(process, context)
    assert of_read("/proc/77/mem", context) == {"content": True, "settings": False, "runner": True}
    assert "runner" not in of_read("/proc/78/mem", context)


@pytest.mark.parametrize("started", [100, 200])
def test_a_packages_own_program_of_that_name_is_not_the_runner(started: int) -> None:
    assert not is_runner(*_box(started))
    assert not is_runner(*_box(50, "/home/dev/projects/app/Runner.Worker"))
