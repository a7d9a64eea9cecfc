"""What a box gets so that its time can be hurried."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.model.box import CLOCK_FILE, CLOCK_LIBRARY
from package_hunter.model.scan import BoxFile
from package_hunter.sandbox.clock import files
from package_hunter.sandbox.clock.page import at_rest


@pytest.fixture(autouse=True)
def _library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.so").write_bytes(b"\x7fELF")
    monkeypatch.setattr(files, "library_path", lambda: tmp_path / "x.so")


def test_all_of_it_is_the_roots_and_nobody_else_may_write_it() -> None:
    own = BoxFile("/home/dev/a", b"a")
    kept, *ours = files.with_clock((own,))
    assert kept == own
    assert {file.path: file.content for file in ours} == {
        CLOCK_LIBRARY: b"\x7fELF",
        CLOCK_FILE: at_rest(),
        files.PRELOAD: f"{CLOCK_LIBRARY}\n".encode(),
    }
    assert all(file.owner == "root" and not file.mode & 0o022 for file in ours)


@pytest.mark.parametrize("name", ["later", "elsewhere"])
def test_another_worlds_library_is_asked_by_ours(name: str) -> None:
    assert files.preloads(WORLDS[name].files) and not files.preloads(WORLDS["default"].files)
    planted = files.with_clock(WORLDS[name].files)
    (preload,) = [file for file in planted if file.path == files.PRELOAD]
    first, second = preload.content.decode().split()
    assert first == CLOCK_LIBRARY and second.endswith("libfaketime.so.1")
