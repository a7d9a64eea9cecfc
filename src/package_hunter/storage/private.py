"""A folder of this machine's that only this process's user can write: for what is copied out of the artefacts."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.storage import held
from package_hunter.storage.folder import folder_of


@contextmanager
def private(config: Settings, prefix: str) -> Iterator[Path]:
    """A folder of this process's own in it, gone at the end; where the process is killed, the next one removes it.
    HostError."""
    with held.held_folder(private_folder(config), held.fresh_name(prefix)) as path:
        yield path


def remove_dead(config: Settings) -> list[str]:
    """Remove what dead processes left in it; the names. HostError."""
    return held.remove_dead(private_folder(config))


def private_folder(config: Settings) -> Path:
    """``DATA_DIR/private`` for root; for the API's user, who cannot write there, the same below its artefacts.
    HostError where somebody else owns it."""
    folder = (config.data_dir if os.geteuid() == 0 else folder_of(config)) / "private"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise HostError(f"{folder} cannot be used ({error.strerror}).", "Free its name.") from error
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o022:
        raise HostError(f"{folder} is not a folder of ours alone.", "Look who made it, and remove it.")
    return folder
