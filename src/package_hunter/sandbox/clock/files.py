"""What a box needs so that its time can be hurried: three files of its root's."""

from __future__ import annotations

from collections.abc import Sequence

from package_hunter.model.box import CLOCK_FILE, CLOCK_LIBRARY
from package_hunter.model.scan import BoxFile
from package_hunter.sandbox.clock.build import library_path
from package_hunter.sandbox.clock.page import at_rest

PRELOAD = "/etc/ld.so.preload"  # read by ld.so in every program, whatever its environment


def with_clock(files: Sequence[BoxFile]) -> tuple[BoxFile, ...]:
    """A box's files and the clock's. What another world preloads stays: its library is asked first, and asks ours."""
    others = b"".join(file.content for file in files if file.path == PRELOAD)
    kept = tuple(file for file in files if file.path != PRELOAD)
    library = library_path().read_bytes()
    return (
        *kept,
        BoxFile(CLOCK_LIBRARY, library, 0o644, owner="root"),
        BoxFile(CLOCK_FILE, at_rest(), 0o644, owner="root"),
        BoxFile(PRELOAD, others + f"{CLOCK_LIBRARY}\n".encode(), owner="root"),
    )
