"""One row: a stock client that logs in and delivers a secret."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

_HEAD = 'import os\nCA, SECRET, PASSWORD = map(os.environ.get, ("CA", "SECRET", "PASSWORD"))\n'
Tls = Literal["no", "yes", "by upgrade", "keys of its own"]


@dataclass(frozen=True, slots=True)
class Row:
    """``script`` is run by bash in the box's network in a fresh folder, and must end with 0. Its environment has
    ``SECRET`` and ``PASSWORD`` (canaries of this row's own; each that it names must be found), ``HEX`` (the secret so),
    ``CA`` (the file of the scan's authority) and ``PYTHON``. ``kind`` is the connection's, ``carries`` says what
    hands a canary over, ``needs`` is a program that must be there."""

    protocol: str
    client: str
    tls: Tls
    kind: str
    carries: str
    script: str
    needs: str = "python3"

    @property
    def canaries(self) -> tuple[str, ...]:
        """Those that the script names."""
        plain = self.script.replace(_HEAD, "").replace("HEX", "SECRET")
        return tuple(name for name in ("PASSWORD", "SECRET") if name in plain)


def python(code: str) -> str:
    """A shell's words that run it; CA, SECRET and PASSWORD are names of it."""
    return f"$PYTHON -c {shlex.quote(_HEAD + code)}"
