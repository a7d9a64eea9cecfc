"""The data folder: made or used again, in nobody else's hands; the people's passwords in it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ci.demo_server.plan import PEOPLE

from package_hunter.config import Settings
from package_hunter.errors import HostError, UsageError

USUAL = Path(tempfile.gettempdir()) / "package-hunter-demo"
_SHARED = ("image", "probe", "cache")  # built once for all servers of this machine
_PASSWORDS = "demo-passwords.json"


def prepare(folder: Path, *, fresh: bool) -> None:
    """Make it, or see that it is ours; ``fresh``: without what was in it. HostError: somebody else could write there,
    UsageError: what would be removed is no demo server's."""
    if fresh and folder.exists():
        _require_own(folder)
        if any(folder.iterdir()) and not (folder / _PASSWORDS).exists():
            raise UsageError(f"{folder} is no demo server's folder.", "Name another, or remove it yourself.")
        shutil.rmtree(folder)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o755)
    _require_own(folder)
    folder.chmod(0o755)  # the server's user enters it
    for name in _SHARED:
        link, there = folder / name, Settings().data_dir / name
        if not link.exists():
            there.mkdir(parents=True, exist_ok=True)
            link.symlink_to(there)


def _require_own(folder: Path) -> None:
    found = folder.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    if not mine:
        raise HostError(f"{folder} is no folder that you alone can write.", "Name another with --data.")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """One demo server a folder; HostError: another runs."""
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HostError(
                f"A demo server runs on {folder}.", "End it, or name another with --data."
            ) from None
        yield


def passwords(folder: Path) -> dict[str, str]:
    """Of each person, by name: chosen by chance the first time, kept for who started the server alone."""
    file = folder / _PASSWORDS
    if not file.exists():
        new = {person.name: secrets.token_urlsafe(9) for person in PEOPLE}
        part = file.with_suffix(".new")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(new, out)
        part.rename(file)
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found
