"""The interpreters that a box's image has: the one that is there by itself, and others in folders of their own."""

from __future__ import annotations

from dataclasses import dataclass

_OPT = "/usr/local/opt"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """``kind`` is ``python`` or ``node``, ``version`` as far as the image tells it (3.13, 22.23.5), ``home`` the folder
    whose ``bin`` has the programs; empty for what is first on PATH by itself."""

    kind: str
    version: str
    home: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version's numbers, to be compared."""
        return tuple(int(part) for part in self.version.split(".") if part.isdigit())

    @property
    def program(self) -> str:
        """What a sentence calls it."""
        return f"{'Node.js' if self.kind == 'node' else 'Python'} {self.version}"


def python_home(minor: str) -> str:
    """Where a further Python of that minor version (3.13) lies in the image."""
    return f"{_OPT}/python{minor}"


def node_home(major: int) -> str:
    """Where a further Node.js of that major version lies in the image."""
    return f"{_OPT}/node{major}"
