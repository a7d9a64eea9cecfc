"""A folder of this machine's that only this process's user can write: for what is copied out of the artefacts."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.storage.folder import folder_of


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
