"""The keys that artefacts are sealed with: a file of the host's, one key a line (64 hex digits), ``#`` for remarks.

The first one seals; all of them open. So a key is changed by a new first line, and an old one leaves the file once
nothing is sealed with it any more.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from package_hunter.errors import UsageError

_KEY = re.compile(r"[0-9a-fA-F]{64}\Z")
_MAX_BYTES = 64 << 10
_ADVICE = "Make one: (umask 077; openssl rand -hex 32 > FILE)."
_OTHERS = 0o037  # its group may read it
ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Key:
    """32 bytes, and a name for them that tells nothing of them."""

    id: bytes
    secret: bytes


def key_of(secret: bytes) -> Key:
    """The key with its name: the first bytes of a digest made for this alone."""
    return Key(hashlib.sha256(b"package-hunter artefact key\x00" + secret).digest()[:ID_BYTES], secret)


class Keys:
    """Those of a host, read once."""

    def __init__(self, keys: tuple[Key, ...] = ()) -> None:
        self.sealing = keys[0] if keys else None
        self._by_id = {key.id: key for key in keys}

    def get(self, key_id: bytes) -> Key | None:
        """The key of this name."""
        return self._by_id.get(key_id)

    @classmethod
    def read(cls, path: Path | None) -> Keys:
        """Those of the file; none where no file is named. UsageError where it holds none, or others can read it."""
        if path is None:
            return cls()
        secrets = [line for line in map(_bare, _text(path).splitlines()) if line]
        if not secrets or not all(_KEY.match(line) for line in secrets):
            raise UsageError(f"{path} does not hold keys of 64 hex digits, one a line.", _ADVICE)
        return cls(tuple(key_of(bytes.fromhex(line)) for line in secrets))


def _bare(line: str) -> str:
    return line.partition("#")[0].strip()


def _text(path: Path) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            state = os.fstat(fd)
            if not stat.S_ISREG(state.st_mode) or state.st_mode & _OTHERS:
                raise UsageError(f"{path} is no file, or others than its owner can use it.", "chmod 600 it.")
            return file.read(_MAX_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise UsageError(f"The key file {path} cannot be read ({error.strerror}).", _ADVICE) from error
