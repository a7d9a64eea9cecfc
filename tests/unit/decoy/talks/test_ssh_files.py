"""Uploads over SSH touch no file system."""

from __future__ import annotations

import asyncssh

from package_hunter.decoy.talks.ssh_files import HeardFiles

# what asyncssh's server does without a file: names, attributes in words, and facts of its connection
_HARMLESS = {
    "channel",
    "connection",
    "convert_attrs",
    "env",
    "format_group",
    "format_longname",
    "format_user",
}
_HARMLESS |= {"logger", "map_path", "reverse_map_path"}


def test_every_operation_that_reaches_files_is_answered_here() -> None:
    public = {name for name in vars(asyncssh.SFTPServer) if not name.startswith("_")}
    assert public - _HARMLESS <= set(vars(HeardFiles))
