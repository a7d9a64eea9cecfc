"""The page that tells a box how fast time passes."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from package_hunter.sandbox.clock.page import MAGIC, Page, at_rest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page"
    path.write_bytes(at_rest())
    return path


def read(file: Path) -> tuple[int, ...]:
    return struct.unpack("=QIIqq", file.read_bytes()[:32])


def test_at_rest_time_passes_as_it_does(file: Path) -> None:
    assert read(file) == (MAGIC, 0, 1, 0, 0)
    page = Page(file)
    assert page.rate == 1
    page.close()


def test_a_change_is_whole_and_time_never_goes_back(file: Path) -> None:
    page = Page(file, offset_ns=1_000_000_000_000)
    before = time.monotonic_ns()
    page.set(60)
    magic, turn, rate, since, ahead = read(file)
    assert (magic, turn, rate, ahead) == (MAGIC, 2, 60, 0)
    assert since >= before + 1_000_000_000_000
    page.set(1)
    _, turn, rate, later, ahead = read(file)
    assert (turn, rate) == (4, 1)
    assert ahead == (later - since) * 59 > 0
    page.set(1)
    assert read(file)[1] == 4, "no change, no turn"
    page.set(2)
    assert read(file)[4] == ahead, "it stayed ahead, and gained no more"
    page.close()


def test_a_link_is_not_followed(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    with pytest.raises(OSError, match="symbolic links"):
        Page(link)
