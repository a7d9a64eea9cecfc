"""What a worker says it lacks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.queue import ready
from package_hunter.sandbox.image import build


def no_image() -> Path:
    raise HostError("The box's image is missing (/srv/hunter/image/x.erofs).")


def test_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_image", no_image)
    said = ready.lacking(Settings(data_dir=tmp_path))
    assert said is not None
    assert "image" in said
    assert "/srv" not in said


def test_no_probe_and_then_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_image", lambda: tmp_path)
    said = ready.lacking(Settings(data_dir=tmp_path))
    assert said is not None
    assert "probe" in said
    name = ready._probe_name()
    assert name is not None
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / name).touch()
    assert ready.lacking(Settings(data_dir=tmp_path)) is None


def test_falco_needs_no_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_image", lambda: tmp_path)
    assert ready.lacking(Settings(data_dir=tmp_path, engine="falco")) is None


def test_an_unknown_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_image", lambda: tmp_path)
    monkeypatch.setattr(ready, "_probe_name", lambda: None)
    assert "architecture" in (ready.lacking(Settings(data_dir=tmp_path)) or "")


def test_who_can_compile_the_probe_may_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_image", lambda: tmp_path)
    for compiler, said in (("/usr/bin/clang", False), (None, True)):
        monkeypatch.setattr(ready.shutil, "which", lambda _, found=compiler: found)
        assert (ready.unfit(Settings(data_dir=tmp_path)) is not None) is said
        assert ready.lacking(Settings(data_dir=tmp_path)) is not None
    monkeypatch.setattr(build, "find_image", no_image)
    monkeypatch.setattr(ready.shutil, "which", lambda _: "/usr/bin/clang")
    assert "image" in (ready.unfit(Settings(data_dir=tmp_path)) or "")


@pytest.mark.parametrize(("free", "said"), [(0, True), (1 << 20, True), (1 << 30, False)])
def test_on_a_full_disk_no_scan_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, said: bool
) -> None:
    monkeypatch.setattr(build, "find_image", lambda: tmp_path)
    monkeypatch.setattr(ready.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    found = ready.unfit(Settings(data_dir=tmp_path, engine="falco"))
    assert (found is not None) is said
    assert str(tmp_path) not in (found or "")
    assert ready.lacking(Settings(data_dir=tmp_path, engine="falco")) == found


def test_a_data_directory_that_is_not_there_yet_is_not_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "find_image", lambda: tmp_path)
    assert ready.lacking(Settings(data_dir=tmp_path / "gone", engine="falco")) is None
