"""What Python's lock and requirement files pin, and a project made of some of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from package_hunter.ecosystems import purls
from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.python import requirements
from package_hunter.ecosystems.python.asked import normal
from package_hunter.ecosystems.tree import BoxTree

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)")
_HASH = re.compile(r"--hash[= ](\w+:[0-9a-f]+)")


def lock_files(tree: BoxTree, project: str) -> Iterator[LockFile]:
    """The one that a scan would install from."""
    wanted = requirements.wanted(tree, project)
    elsewhere = [item for item in wanted.local.values() if item.path != "."]
    if not (wanted.lines or elsewhere or wanted.outside) or wanted.source in (
        "pyproject.toml",
        "setup.py",
        "",
    ):
        return
    packages = tuple(_pin(m, line) for line in wanted.lines if (m := _PIN.match(line)))
    others = [(item.name, item.path) for item in elsewhere] + [(o.name, o.address) for o in wanted.outside]
    packages += tuple(
        Pin(
            purls.purl("pypi", normal(name) or "unnamed", ""),
            name or address,
            "",
            address,
            registry=False,
        )
        for name, address in others
    )
    yield LockFile(wanted.source, "pypi", packages, whole=wanted.locked and not wanted.unread)


def _pin(pin: re.Match[str], line: str) -> Pin:
    """``integrity``: the hashes that pip is told to insist on, with blanks between."""
    purl = purls.purl("pypi", normal(pin[1]), pin[2])
    return Pin(purl, pin[1], pin[2], " ".join(sorted(_HASH.findall(line))) or None)


def project_of(folder: Path, here: Sequence[Pin]) -> None:
    """requirements.txt."""
    lines = [f"{p.name}=={p.version}\n" for p in here]
    (folder / "requirements.txt").write_text("".join(lines), encoding="utf-8")
