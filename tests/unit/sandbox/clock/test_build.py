"""Compiling the library that hurries time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.sandbox.clock import build
from tests.support.requires import needs_program


def test_it_needs_no_c_library_of_a_version_and_is_compiled_once(tmp_path: Path) -> None:
    needs_program("clang")
    path = build.library_path(tmp_path)
    made = path.stat().st_mtime_ns
    assert build.library_path(tmp_path).stat().st_mtime_ns == made
    assert build.library_path(tmp_path, "/another") != path
    if shutil.which("readelf"):
        told = subprocess.run(["readelf", "-dV", path], capture_output=True, text=True, check=True).stdout
        assert "NEEDED" not in told and "GLIBC" not in told
    assert list(tmp_path.glob("clock/.build-*")) == []


def test_without_a_compiler_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="clang is missing"):
        build.library_path(tmp_path)


def test_what_does_not_compile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_program("clang")
    source = tmp_path / "library"
    source.mkdir()
    (source / "a.c").write_text("int main(void) { return x; }")
    monkeypatch.setattr(build, "SOURCES", source)
    with pytest.raises(HostError, match="undeclared identifier"):
        build.library_path(tmp_path)
