"""Who changes something on the command line."""

from __future__ import annotations

import os

import pytest

from package_hunter.access.actor import command_line


def test_it_is_who_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    by = command_line()
    assert by.name.split()[0] == f"uid:{os.getuid()}"
    assert by.origin == "command line"


def test_with_sudo_it_is_who_called_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setenv("SUDO_USER", "ana\n")
    assert command_line().name == "uid:1000 ana"


def test_who_is_not_root_is_himself_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("SUDO_UID", "0")
    assert command_line().name.split()[0] == f"uid:{os.getuid()}"
