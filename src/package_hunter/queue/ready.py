"""Whether this host has what every scan needs and nothing makes by itself in time: the box's image, the probe."""

from __future__ import annotations

import platform
import shutil
from functools import cache

from package_hunter.config import Settings
from package_hunter.errors import HunterError

_LEAST_FREE = 16 << 20  # bytes: with less no scan can write what it must
_NO_PROBE = "The probe is not compiled: make setup does it, or the first scan where clang is installed."


def lacking(settings: Settings) -> str | None:
    """A sentence that says what a worker here lacks, without any path; None where it can scan."""
    from package_hunter.sandbox.image.build import find_image  # only a worker needs, or can load, the sandbox

    try:
        find_image()
    except HunterError:
        return "The box's image is missing: package-hunter image build makes it."
    if _disk_is_full(settings):
        return "The disk of the data directory is full."
    if settings.engine == "falco":
        return None
    name = _probe_name()
    if name is None:
        return f"The probe does not know the architecture {platform.machine()}."
    if not (settings.data_dir / "probe" / name).is_file():
        return _NO_PROBE
    return None


def unfit(settings: Settings) -> str | None:
    """What a worker lacks here that no scan makes by itself: it must leave scans to others. A probe that the first
    scan compiles is none of that."""
    lacks = lacking(settings)
    return None if lacks == _NO_PROBE and shutil.which("clang") else lacks


def _disk_is_full(settings: Settings) -> bool:
    try:
        return shutil.disk_usage(settings.data_dir).free < _LEAST_FREE
    except OSError:
        return False  # it is not there yet: who makes it will meet the error, and say it


@cache
def _probe_name() -> str | None:
    from package_hunter.sensor.build import TARGETS, digest

    machine = platform.machine()
    return f"{digest(machine)}.o" if machine in TARGETS else None
