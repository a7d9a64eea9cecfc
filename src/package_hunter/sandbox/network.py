"""The box's only peer: a network namespace for the gateway that has no uplink, joined to the box by a cable.

Everything that the box sends to any address arrives in the gateway's namespace (a default route), is local there
(``ip route add local 0.0.0.0/0``), and is brought by nft TPROXY to the gateway's two ports (Linux
Documentation/networking/tproxy.rst). There is nothing behind it: no route, no other interface.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from dataclasses import dataclass, field

from package_hunter.errors import SandboxError
from package_hunter.model.box import BOX_V4, BOX_V6, GATEWAY_V4, GATEWAY_V6, TCP_PORT, UDP_PORT
from package_hunter.sandbox import kernel

INTERFACE = "enp0s31f6"  # how a laptop's wired network is named
_MAC = "54:e1:ad:7a:9c:31"

_GATEWAY_IP = f"""link set lo up
link add gw0 type veth peer name {INTERFACE} address {_MAC}
addr add {GATEWAY_V4}/24 dev gw0
addr add {GATEWAY_V6}/64 dev gw0 nodad
link set gw0 up
route add local 0.0.0.0/0 dev lo
route add local ::/0 dev lo
"""
_GATEWAY_NFT = f"""table inet gateway {{
  chain in {{
    type filter hook prerouting priority mangle; policy accept;
    iifname != "gw0" accept
    meta nfproto ipv4 meta l4proto tcp tproxy ip to :{TCP_PORT} accept
    meta nfproto ipv4 meta l4proto udp tproxy ip to :{UDP_PORT} accept
    meta nfproto ipv6 meta l4proto tcp tproxy ip6 to :{TCP_PORT} accept
    meta nfproto ipv6 meta l4proto udp tproxy ip6 to :{UDP_PORT} accept
  }}
  chain none_forwarded {{ type filter hook forward priority filter; policy drop; }}
}}
"""
_BOX_IP = f"""link set lo up
link set {INTERFACE} up
addr add {BOX_V4}/24 dev {INTERFACE}
addr add {BOX_V6}/64 dev {INTERFACE} nodad
route add default via {GATEWAY_V4}
route add default via {GATEWAY_V6}
"""


def build_gateway() -> int:
    """A gateway's namespace with both ends of the cable in it; returns its descriptor (the caller's to close)."""

    def build() -> int:
        kernel.new_netns()
        _ip(_GATEWAY_IP)
        _tool(["nft", "-f", "-"], _GATEWAY_NFT, "nftables", "nft, CONFIG_NFT_TPROXY and its modules")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return kernel.in_thread(build)


def connect(gateway: int, init_pid: int) -> None:
    """Move the cable's other end into the namespace of the box's first process and set it up there."""

    def move() -> None:
        kernel.enter_netns(gateway)
        _ip(f"link set {INTERFACE} netns {init_pid}\n")

    def set_up() -> None:
        fd = os.open(f"/proc/{init_pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.enter_netns(fd)
        finally:
            os.close(fd)
        _ip(_BOX_IP)

    kernel.in_thread(move)
    kernel.in_thread(set_up)


@dataclass(slots=True)
class GatewayPool:
    """Gateway namespaces made ahead of time (about 25 ms each), off the scan's path."""

    size: int = 1
    _ready: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    _filling: threading.Thread | None = None

    def fill(self) -> None:
        """Build what is missing, in the background."""
        if self._filling is None or not self._filling.is_alive():
            self._filling = threading.Thread(target=self._fill, name="gateway-pool", daemon=True)
            self._filling.start()

    def fill_now(self) -> None:
        """Build what is missing and wait for it."""
        self._fill()

    def take(self) -> int:
        """A ready one, or one made now."""
        try:
            return self._ready.get_nowait()
        except queue.Empty:
            return build_gateway()

    def drain(self) -> None:
        """Let go of all."""
        if self._filling is not None:
            self._filling.join()
        while True:
            try:
                os.close(self._ready.get_nowait())
            except queue.Empty:
                return

    def _fill(self) -> None:
        while self._ready.qsize() < self.size:
            try:
                self._ready.put(build_gateway())
            except (SandboxError, OSError):
                return  # the scan that needs it will meet the error, and say it


def _ip(batch: str) -> None:
    _tool(["ip", "-batch", "-"], batch, "iproute2", "iproute2 and CONFIG_VETH")


def _tool(command: list[str], text: str, package: str, needs: str) -> None:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SandboxError(
            f"The program {command[0]} is missing.", f"Install it: apt install {package}"
        ) from error
    if done.returncode != 0:
        raise SandboxError(
            f"The box's network could not be built: {command[0]} said {done.stderr.strip()!r}.",
            f"This host needs {needs}.",
        )
