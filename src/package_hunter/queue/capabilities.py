"""What a worker can: what it registers, and what a scan may need (`queue.base.Terms.needs`) for it to take it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cache

from package_hunter import __version__
from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.store.models import Scan

FORM = 1
"""The form of jobs that this version makes and runs. Raise it where a worker of the version before could not run a job
rightly (its columns mean something else, its archive lies elsewhere): then no such worker takes one."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """``ecosystems`` by name; ``engine`` is what watches (``probe``, ``falco``); ``kernel`` the host's release,
    ``machine`` its architecture; ``image`` a digest that names the box's image (None: there is none), ``rules`` one of
    the built-in rules; ``version`` the program's; ``slots``: scans at the same time."""

    ecosystems: tuple[str, ...]
    engine: str
    kernel: str
    machine: str
    image: str | None
    rules: str
    version: str = __version__
    slots: int = 1

    @property
    def can(self) -> frozenset[str]:
        """In the words of needs."""
        words = {f"ecosystem:{name}" for name in self.ecosystems}
        words |= {f"form:{number}" for number in range(1, FORM + 1)}
        return frozenset(words | {f"engine:{self.engine}", f"machine:{self.machine.lower()}"})


def of(settings: Settings) -> Capabilities:
    """Of a worker with these settings on this host."""
    from package_hunter.ecosystems import known  # noqa: F401 (importing it says which there are)
    from package_hunter.model.ecosystem import known as ecosystems

    return Capabilities(
        ecosystems=tuple(one.name for one in ecosystems()),
        engine=settings.engine,
        kernel=platform.release(),
        machine=platform.machine(),
        image=_image(),
        rules=_rules(),
    )


def of_scan(scan: Scan) -> frozenset[str]:
    """What a job of this version needs, as far as that is known before anybody looks into the archive."""
    from package_hunter.ecosystems import known  # noqa: F401 (importing it says which there are)
    from package_hunter.model.ecosystem import facts_of

    asked = scan.manager or (scan.purl or "").removeprefix("pkg:").partition("/")[0]
    facts = facts_of(asked) if asked else None
    words = {f"ecosystem:{facts.name}"} if facts is not None else set()
    if FORM > 1:  # the first form is what every worker knows
        words.add(f"form:{FORM}")
    return frozenset(words)


def _image() -> str | None:
    """A digest of what tells an image from another: its recipe's name, size and date (its bytes are gigabytes)."""
    from package_hunter.sandbox.image.build import find_image  # only a worker needs, or can load, the sandbox

    try:
        path = find_image()
        state = path.stat()
    except (HunterError, OSError):
        return None
    return _digest(f"{path.name} {state.st_size} {state.st_mtime_ns}".encode())


@cache
def _rules() -> str:
    from package_hunter.rules import builtin_files

    return _digest(b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in builtin_files()))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
