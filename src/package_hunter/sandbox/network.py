"""The box's only peer: a network namespace for the gateway that has no uplink, joined to the box by a cable.

Everything that the box sends to any address arrives in the gateway's namespace (a default route), is local
there (``ip route add local 0.0.0.0/0``), and is brought by nft TPROXY to the gateway's two ports (Linux
Documentation/networking/tproxy.rst). There is nothing behind it: no route, no other interface.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from package_hunter.errors import SandboxError
from package_hunter.model.box import (
    BOX_V4,
    BOX_V6,
    GATEWAY_V4,
    GATEWAY_V6,
    HOST_ID_BASE,
    TCP_PORT,
    UDP_PORT,
)
from package_hunter.sandbox import kernel
from package_hunter.sandbox.oci import ID_COUNT

INTERFACE = "enp0s31f6"  # how a laptop's wired network is named
_MAC = "54:e1:ad:7a:9c:31"  # prefixes of a laptop maker and a router maker
_GATEWAY_MAC = "e0:28:6d:4b:12:9f"

_GATEWAY_IP = f"""link set lo up
link add gw0 address {_GATEWAY_MAC} type veth peer name {INTERFACE} address {_MAC}
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


@dataclass(frozen=True, slots=True)
class Net:
    """Descriptors of a box's namespaces: its gateway's network, its own network, its own users."""

    gateway: int
    box: int
    user: int

    def close(self) -> None:
        """Let go; the namespaces end with the last that holds them."""
        for fd in (self.gateway, self.box, self.user):
            os.close(fd)


def build() -> Net:
    """Both network namespaces, joined and set up; the box's belongs to the box's user namespace (else runc
    could not mount its /sys), which is therefore made here too."""
    gateway = kernel.in_thread(_build_gateway)
    try:
        box, user = _box_namespaces(gateway)
    except BaseException:
        os.close(gateway)
        raise
    return Net(gateway, box, user)


def _build_gateway() -> int:
    kernel.new_netns()
    _ip(_GATEWAY_IP)
    _tool(["nft", "-f", "-"], _GATEWAY_NFT, "nftables", "nft, CONFIG_NFT_TPROXY and its modules")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _box_namespaces(gateway: int) -> tuple[int, int]:
    # A waiting child holds the namespaces while they are set up; the descriptors keep them afterwards.
    command = ["unshare", "--user", "--net", "sh", "-c", "echo; read -r line"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        if not child.stdout.readline():
            raise SandboxError(
                f"Namespaces could not be made ({child.stderr.read().decode().strip()}).",
                "Check /proc/sys/user/max_user_namespaces and that CONFIG_USER_NS and CONFIG_NET_NS are set.",
            )
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{child.pid}/{kind}").write_text(f"0 {HOST_ID_BASE} {ID_COUNT}", encoding="ascii")

        def move() -> None:
            kernel.enter_netns(gateway)
            _ip(f"link set {INTERFACE} netns {child.pid}\n")

        kernel.in_thread(move)
        net = os.open(f"/proc/{child.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

        def set_up() -> None:
            kernel.enter_netns(net)
            _ip(_BOX_IP)

        try:
            kernel.in_thread(set_up)
            return net, os.open(f"/proc/{child.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        except BaseException:
            os.close(net)
            raise


@dataclass(slots=True)
class NetPool:
    """Namespaces made ahead of time (about 40 ms each), off the scan's path. Threads may share it."""

    size: int = 1
    _ready: queue.SimpleQueue[Net] = field(default_factory=queue.SimpleQueue)
    _filling: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self) -> None:
        """Build what is missing, in the background."""
        if self._filling is None or not self._filling.is_alive():
            self._filling = threading.Thread(target=self._try, name="net-pool", daemon=True)
            self._filling.start()

    def fill_now(self) -> None:
        """Build what is missing and wait for it. Raises SandboxError."""
        with self._lock:
            while self._ready.qsize() < self.size:
                self._ready.put(build())

    def take(self) -> Net:
        """A ready one, or one made now."""
        try:
            return self._ready.get_nowait()
        except queue.Empty:
            return build()

    def drain(self) -> None:
        """Let go of all."""
        if self._filling is not None:
            self._filling.join()
        while True:
            try:
                self._ready.get_nowait().close()
            except queue.Empty:
                return

    def _try(self) -> None:
        try:
            self.fill_now()
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
