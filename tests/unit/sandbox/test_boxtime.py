"""The box's clocks."""

from __future__ import annotations

import os
import time

from package_hunter.sandbox.boxtime import BoxTime


def test_offsets_are_read_as_the_kernel_writes_them() -> None:
    shifted = BoxTime.told_by(b"monotonic      259200         5\nboottime       259200         0\n")
    assert shifted == BoxTime(259_200_000_000_005, 259_200_000_000_000)
    assert shifted.now(1) > time.monotonic() + 259_199
    assert shifted.now(7) > 259_199
    assert abs(shifted.now(0) - time.time()) < 60


def test_a_process_of_this_machine_has_its_clocks_or_none_are_told() -> None:
    assert BoxTime.of(os.getpid()).now(1) > 0
    assert BoxTime.told_by(b"monotonic x y\n\xff") == BoxTime()
