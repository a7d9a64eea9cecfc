"""Who changes something, and from where: what the history tells of each change."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """``name``: an account, or ``uid:N`` of the command line; ``origin``: a network address, or ``command line``."""

    name: str
    origin: str


def command_line() -> Actor:
    """Whoever runs this process on the server's machine; with sudo, who called it."""
    caller = os.environ.get("SUDO_UID", "")
    uid = caller if caller.isascii() and caller.isdigit() and os.geteuid() == 0 else str(os.getuid())
    try:
        user = os.environ.get("SUDO_USER", "") if uid == caller else getpass.getuser()
    except (KeyError, OSError):
        user = ""
    name = "".join(c for c in user if c.isprintable())[:64]
    return Actor(f"uid:{uid} {name}".strip(), "command line")
