"""Releases of runtimes: Bun, Deno, Node.js and Python, under the names of their archives, wherever those are asked for.

Malware brings a runtime of its own, so that what it does is not seen in the one that is there. It gets a real one, out
of the image, and what it runs by it is watched. The worker packs it and hands over the open file.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from collections.abc import Callable
from typing import BinaryIO

from package_hunter.decoy import control
from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask

Packed = Callable[[str], BinaryIO | None]

# the archive's name -> what it is; the worker knows the same names (sandbox/handed_out.py) and checks them itself
_ARCHIVES = (
    (re.compile(r"bun-linux-x64(-baseline|-profile|-baseline-profile)?\.zip"), "Bun"),
    (re.compile(r"deno-x86_64-unknown-linux-gnu\.zip"), "Deno"),
    (re.compile(r"node-v\d{1,2}\.\d{1,3}\.\d{1,3}-linux-x64\.tar\.[gx]z"), "Node.js"),
    (
        re.compile(
            r"cpython-3\.\d{1,2}\.\d{1,3}\+\d{8}-x86_64-unknown-linux-gnu-install_only(_stripped)?\.tar\.gz"
        ),
        "Python",
    ),
)
_INSTALLERS = {
    ("bun.sh", "/install"): "bun",
    ("bun.com", "/install"): "bun",
    ("deno.land", "/install.sh"): "deno",
    ("deno.land", "/x/install/install.sh"): "deno",
}
_SOURCES = {
    "bun": "https://github.com/oven-sh/bun/releases/latest/download/bun-linux-x64.zip",
    "deno": "https://github.com/denoland/deno/releases/latest/download/deno-x86_64-unknown-linux-gnu.zip",
}
_INSTALLER = """#!/usr/bin/env bash
set -euo pipefail
install_dir=${{{variable}_INSTALL:-$HOME/.{name}}}
bin_dir=$install_dir/bin
mkdir -p "$bin_dir"
curl --fail --location --silent --show-error --output "$bin_dir/{name}.zip" "{source}"
unzip -oqd "$bin_dir" "$bin_dir/{name}.zip"
if [ -d "$bin_dir/bun-linux-x64" ]; then
  mv "$bin_dir/bun-linux-x64/bun" "$bin_dir/bun"
  rmdir "$bin_dir/bun-linux-x64"
fi
chmod +x "$bin_dir/{name}"
rm -f "$bin_dir/{name}.zip"
echo "{name} was installed successfully to $bin_dir/{name}"
"""


def runtime_of(path: str) -> str | None:
    """Which runtime's release an address names by its last part; None where none."""
    last = path.rpartition("/")[2]
    return next((name for pattern, name in _ARCHIVES if pattern.fullmatch(last)), None)


class Runtimes:
    """Answers with the files that the worker packs; where it has none, the request is another's."""

    def __init__(self, world: DecoyContext, packed: Packed) -> None:
        self._world, self._packed = world, packed

    async def answer(self, ask: Ask) -> Answer | None:
        """A release of a runtime, or the script that installs one; None for anything else."""
        if ask.method not in ("GET", "HEAD"):
            return None
        if name := _INSTALLERS.get((ask.host, ask.raw_path)):
            text = _INSTALLER.format(name=name, variable=name.upper(), source=_SOURCES[name])
            return Answer(200, text.encode(), type="text/plain; charset=utf-8")
        runtime = runtime_of(ask.path)
        if runtime is None:
            return None
        archive = ask.path.rpartition("/")[2]
        file = await asyncio.get_running_loop().run_in_executor(None, self._packed, archive)
        if file is None:
            return None
        detail = f"fetched its own runtime: {runtime}, from {ask.url[:300]}"
        self._world.mark("foreign_runtime", ask.peer, detail, url=ask.url[:2000], runtime=runtime)
        return Answer(200, file, type="application/octet-stream")


class Handed:
    """The gateway's end of the line on which the worker hands over archives; for any thread."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._lock = line, threading.Lock()

    def __call__(self, archive: str) -> BinaryIO | None:
        """The open file; None where the worker has none, or does not answer."""
        with self._lock:
            try:
                control.send(self._line, {"archive": archive})
                message, fds = control.receive(self._line, 1)
            except (OSError, EOFError):
                return None
        return os.fdopen(fds[0], "rb") if message.get("given") and fds else None
