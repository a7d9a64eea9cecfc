"""What doctor says of hosts that lack something."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.sandbox import doctor
from package_hunter.sandbox.image import build


def test_a_host_that_lacks_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lacking = Settings(data_dir=tmp_path / "none", box_memory_bytes=1 << 60)
    monkeypatch.setattr(doctor, "settings", lambda: lacking)
    monkeypatch.setattr(build, "settings", lambda: lacking)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(platform, "release", lambda: "5.10.0-1-amd64")
    found = {check.name: check for check in doctor.checks()}
    for name in ("root", "kernel", "runc", "network tools", "memory", "image"):
        assert not found[name].ok and found[name].advice, name
    assert found["runc"].advice == "apt install runc"
    assert "package-hunter image build" in found["image"].advice


def test_advice_only_where_something_is_wrong() -> None:
    assert all(not check.advice for check in doctor.checks() if check.ok)
