"""A box's network and its gateway's, as the sandbox makes them: two namespaces, one cable, TPROXY."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_RULES = """
table inet catch {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    iifname "cable1" meta l4proto tcp tproxy to :8001 accept
    iifname "cable1" meta l4proto udp tproxy to :8002 accept
  }
}
"""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class NetPair:
    """Names carry the test's pid, so that runs side by side do not meet."""

    def __init__(self) -> None:
        self.box, self.gateway = f"phbox{os.getpid()}", f"phgw{os.getpid()}"
        self._etc = Path("/etc/netns") / self.box

    @property
    def path(self) -> str:
        return f"/run/netns/{self.gateway}"

    def __enter__(self) -> NetPair:
        box, gw = self.box, self.gateway
        _ip("netns", "add", box)
        _ip("netns", "add", gw)
        _ip("link", "add", "cable0", "netns", box, "type", "veth", "peer", "name", "cable1", "netns", gw)
        for space, cable, four, six in (
            (box, "cable0", "10.88.0.2/24", "fd88::2/64"),
            (gw, "cable1", "10.88.0.1/24", "fd88::1/64"),
        ):
            _ip("-n", space, "addr", "add", four, "dev", cable)
            _ip("-n", space, "addr", "add", six, "dev", cable, "nodad")
            _ip("-n", space, "link", "set", cable, "up")
            _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", box, "route", "add", "default", "via", "10.88.0.1")
        _ip("-n", box, "-6", "route", "add", "default", "via", "fd88::1")
        _ip("-n", gw, "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "main")
        _ip("-n", gw, "-6", "route", "add", "local", "::/0", "dev", "lo", "table", "main")
        self._etc.mkdir(parents=True, exist_ok=True)
        (self._etc / "resolv.conf").write_text("nameserver 10.88.0.1\n")
        subprocess.run(["ip", "netns", "exec", gw, "nft", "-f", "-"], input=_RULES, text=True, check=True)
        return self

    def run(
        self, script: str, env: Mapping[str, str] | None = None, cwd: str = "/", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """A shell script in the box's network."""
        return subprocess.run(
            ["ip", "netns", "exec", self.box, "bash", "-c", script],
            env={"PATH": os.environ["PATH"], **(env or {})},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            errors="replace",
        )

    def __exit__(self, *_: object) -> None:
        for space in (self.box, self.gateway):
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)
        shutil.rmtree(self._etc, ignore_errors=True)
        for folder in (self._etc.parent,):
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()
