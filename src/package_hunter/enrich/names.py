"""The names behind the addresses that the box used: what the gateway wrote down, read when somebody asks."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import IO

_MAX_NAMES = 100_000
_MAX_BYTES = 32 << 20


class NameTable:
    """Address -> name, out of the gateway's file (``address<TAB>name`` lines, appended while the scan runs).

    The file is given as a path, or opened already where the process may open nothing any more.

    ``fresh`` holds the pairs learnt since it was last emptied, for a recording. A table without a file is
    filled with ``learn``.
    """

    def __init__(self, source: Path | IO[bytes] | None = None) -> None:
        self._source = source
        self._names: dict[bytes, str] = {}
        self._read = 0
        self.fresh: list[tuple[str, str]] = []

    def get(self, packed: bytes) -> str | None:
        """The name that was resolved to this packed address."""
        name = self._names.get(packed)
        if name is None and self._source is not None:
            self._tail()
            name = self._names.get(packed)
        return name

    def learn(self, address: str, name: str) -> None:
        """Takes one pair; what is no address is left out."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            packed = socket.inet_pton(family, address)
        except (OSError, ValueError):
            return
        if len(self._names) < _MAX_NAMES and self._names.get(packed) != name:
            self._names[packed] = name
            self.fresh.append((address, name))

    def _tail(self) -> None:
        try:
            if isinstance(self._source, Path):
                with self._source.open("rb") as file:
                    data = self._rest(file)
            else:
                assert self._source is not None
                data = self._rest(self._source)
        except FileNotFoundError:  # nothing was resolved yet
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            address, _, name = line.partition("\t")
            if name:
                self.learn(address, name)

    def _rest(self, file: IO[bytes]) -> bytes:
        file.seek(self._read)
        return file.read(_MAX_BYTES)
