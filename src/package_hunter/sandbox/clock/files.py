"""What a box needs so that its time can be hurried, or shifted: three files of its root's."""

from __future__ import annotations

from collections.abc import Sequence

from package_hunter.model.box import CLOCK_FILE, CLOCK_LIBRARY
from package_hunter.model.scan import BoxFile
from package_hunter.sandbox.clock.build import library_path
from package_hunter.sandbox.clock.page import at_rest

PRELOAD = "/etc/ld.so.preload"  # read by ld.so in every program, whatever its environment


def preloads(files: Sequence[BoxFile]) -> bool:
    """Whether a world has a library of its own in every program, as those with another date do."""
    return any(file.path == PRELOAD for file in files)


def with_clock(files: Sequence[BoxFile]) -> tuple[BoxFile, ...]:
    """A box's files and the clock's. What another world preloads stays, behind ours: libfaketime takes the days that
    it adds from the end of every wait, also of one by a clock that it leaves alone, and such a wait (Python's
    ``time.sleep``) then fails. Ours waits for lengths of time only, which it hands on."""
    others = b"".join(file.content for file in files if file.path == PRELOAD)
    kept = tuple(file for file in files if file.path != PRELOAD)
    library = library_path().read_bytes()
    return (
        *kept,
        BoxFile(CLOCK_LIBRARY, library, 0o644, owner="root"),
        BoxFile(CLOCK_FILE, at_rest(), 0o644, owner="root"),
        BoxFile(PRELOAD, f"{CLOCK_LIBRARY}\n".encode() + others, owner="root"),
    )
