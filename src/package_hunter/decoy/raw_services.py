"""Decoys that speak neither HTTP nor TLS: a mining pool, the far end of a reverse shell, mail."""

from __future__ import annotations

import json
import secrets

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Peer

_PROMPTS = (b"$ ", b"# ", b"> ", b"no job control in this shell\n")
_JOB = "0" * 152


class MiningPool:
    """Stratum (versions of Bitcoin's and Monero's pools): JSON lines, a method each."""

    def __init__(self, world: DecoyContext, peer: Peer) -> None:
        self._world, self._peer = world, peer
        self._marked = False

    def reply(self, line: bytes) -> bytes | None:
        """The pool's answer to one line, None where it is no stratum."""
        try:
            message = json.loads(line)
            method, number = message["method"], message.get("id")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if not isinstance(method, str) or not (method.startswith("mining.") or method in ("login", "submit")):
            return None
        if not self._marked:
            self._marked = True
            self._world.mark(
                "mining", self._peer, "spoke to a mining pool", said=line[:500].decode("latin-1")
            )
        result: object = True
        if method == "mining.subscribe":
            result = [[["mining.notify", "ae6812eb"]], "08000002", 4]
        elif method == "login":
            job = {"blob": _JOB, "job_id": "4421", "target": "b88d0600", "height": 3000000}
            result = {"id": "83f1", "job": job, "status": "OK"}
        return json.dumps({"id": number, "jsonrpc": "2.0", "result": result, "error": None}).encode() + b"\n"


class ShellListener:
    """The far end of a reverse shell: gives a first command whose output proves that it was executed."""

    def __init__(self, world: DecoyContext, peer: Peer) -> None:
        self._world, self._peer = world, peer
        self._left, self._right = 10_000 + secrets.randbelow(89_999), 1_000 + secrets.randbelow(8_999)
        self.asked = self._proven = False

    def command(self) -> bytes:
        """What an attacker would type first; the product only a shell works out."""
        self.asked = True
        return f"echo $(({self._left}*{self._right})); id; uname -a; pwd\n".encode()

    def is_prompt(self, data: bytes) -> bool:
        return data.endswith(_PROMPTS)

    def hear(self, data: bytes) -> None:
        """Note the proof when it comes."""
        if self.asked and not self._proven and str(self._left * self._right).encode() in data:
            self._proven = True
            said = data[:500].decode("latin-1")
            self._world.mark(
                "reverse_shell_command",
                self._peer,
                "executed a command that came over the network",
                said=said,
            )
