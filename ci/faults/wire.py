"""A network that can be cut: a namespace, a wire (another one that forwards), and this machine. Cut, packets vanish on
the way, both ways, and nobody is told."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_FORWARD = (
    "add table inet cut\nadd chain inet cut way {{ type filter hook forward priority 0; policy {}; }}\n"
)


def tool(*words: str, text: str | None = None) -> None:
    """Run a program of the host; CalledProcessError with what it said."""
    done = subprocess.run(words, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


class Wire:
    """``worker``: the namespace (a path) behind it; ``host``: the address of this end, for those behind it; ``far``: of
    theirs. Several may be laid at the same time."""

    def __init__(self) -> None:
        self._name = f"faults{secrets.token_hex(3)}"
        self.worker = f"/run/netns/{self._name}w"
        self._net = f"10.213.{secrets.randbelow(256)}"
        self.host, self.far = f"{self._net}.6", f"{self._net}.2"

    def lay(self) -> None:
        """Make namespaces and cables."""
        name, net = self._name, self._net
        for end in ("w", "x"):
            tool("ip", "netns", "add", name + end)
        tool("ip", "link", "add", f"{name}h", "type", "veth", "peer", "name", "h", "netns", f"{name}x")
        tool(
            "ip",
            "-n",
            f"{name}x",
            "link",
            "add",
            "w",
            "type",
            "veth",
            "peer",
            "name",
            "eth",
            "netns",
            f"{name}w",
        )
        tool("ip", "addr", "add", f"{self.host}/30", "dev", f"{name}h")
        tool("ip", "link", "set", f"{name}h", "up")
        tool("ip", "route", "add", f"{net}.0/30", "via", f"{net}.5")
        wire = f"addr add {net}.5/30 dev h\naddr add {net}.1/30 dev w\nlink set dev h up\nlink set dev w up\n"
        wire += f"route add default via {self.host}\n"  # to what lies behind another wire
        tool("ip", "-n", f"{name}x", "-batch", "-", text=wire)
        end = f"addr add {self.far}/30 dev eth\nlink set dev lo up\nlink set dev eth up\n"
        end += f"route add default via {net}.1\n"
        tool("ip", "-n", f"{name}w", "-batch", "-", text=end)
        self._in_wire("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.whole()

    def cut(self) -> None:
        """From now on everything is lost."""
        self._in_wire("nft", "-f", "-", text=_FORWARD.format("drop"))

    def whole(self) -> None:
        """From now on everything comes through."""
        self._in_wire("nft", "-f", "-", text=_FORWARD.format("accept"))

    def take_away(self) -> None:
        """Remove all of it; the cables go with their namespaces."""
        with suppress(RuntimeError):
            tool("ip", "link", "del", f"{self._name}h")
        for end in ("w", "x"):
            with suppress(RuntimeError):
                tool("ip", "netns", "del", self._name + end)

    def _in_wire(self, *words: str, text: str | None = None) -> None:
        # not `ip netns exec`: its mount namespace would keep what is mounted meanwhile
        tool("nsenter", f"--net=/run/netns/{self._name}x", *words, text=text)


@contextmanager
def wired() -> Iterator[Wire]:
    """A wire for the block."""
    wire = Wire()
    try:
        wire.lay()
        yield wire
    finally:
        wire.take_away()
