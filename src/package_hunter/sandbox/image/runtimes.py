"""Runtimes that nothing in the image is installed or loaded with: what malware fetches to run itself by is handed out
from here (``sandbox/handed_out.py``). Out of npm's registry, pinned by digest, and not on PATH: who looks for one
before fetching it finds none."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from package_hunter.sandbox.image.further_node import Pinned, download, unpack

_PIN_ARCHITECTURE = "x86_64"
# name -> its package and the program's place in it; the builds that need no newer processor
RUNTIMES = {
    "bun": (
        Pinned(
            "@oven/bun-linux-x64-baseline@1.4.5",
            "b3cc8cc187059e7ac0d7bf208e2d2065b904d965437a3fd38b5c7bef4a0f7e28"
            "71c91c5230d846862010357579dda0deada67192c76f295fd101d40109dd2a3c",
        ),
        "bin/bun",
    ),
    "deno": (
        Pinned(
            "@deno/linux-x64-glibc@2.9.6",
            "de67784ca2c2bb3b0b0e67cea02e4a37b34065ac525643209bae2f83a7e80f4d"
            "090400c2a584b6ff942a5dfce09cfe59433de22cff6f05026d120735d7a380a1",
        ),
        "deno",
    ),
}


def home_of(name: str) -> str:
    """The folder of a runtime in the image; its program is ``bin/NAME`` in it."""
    return f"/usr/local/opt/{name}"


def pins() -> tuple[str, ...]:
    """Everything that is downloaded, for the recipe's hash."""
    fits = platform.machine() == _PIN_ARCHITECTURE
    return tuple(f"{one.spec} {one.sha512}" for one, _ in RUNTIMES.values()) if fits else ()


def add_runtimes(root: Path, work: Path, npm: Sequence[str]) -> None:
    """Bun and Deno below /usr/local/opt; ``npm`` is the command that asks the host's registry. Nothing on a machine
    that the pins are not for. Raises HostError."""
    if not pins():
        return
    archives = work / "runtimes"
    archives.mkdir()
    download((pinned for pinned, _ in RUNTIMES.values()), archives, npm)
    for name, (pinned, inner) in RUNTIMES.items():
        unpacked = archives / name
        unpack(archives, pinned, unpacked)
        program = root / home_of(name).lstrip("/") / "bin" / name
        program.parent.mkdir(parents=True)
        shutil.move(unpacked / inner, program)
        program.chmod(0o755)
