"""What must be in memory before the event reader gives up its rights."""

from __future__ import annotations

from package_hunter.enrich import convert, kinds


def load_tables() -> None:
    """Read every table of this package: a confined reader may not be able to (a checkout in root's home)."""
    convert.rules()
    kinds.flag_sets()
    kinds.syscall_names()
