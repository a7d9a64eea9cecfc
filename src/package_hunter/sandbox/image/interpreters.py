"""Which interpreters an image has, read from the headers that lie beside them; nothing of it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from package_hunter.model.interpreters import Interpreter

_PYTHON = re.compile(r"^#define PY_VERSION\s+\"(3(?:\.\d{1,3}){1,2})", re.M)
_NODE = re.compile(r"^#define NODE_(?:MAJOR|MINOR|PATCH)_VERSION (\d{1,4})$", re.M)


def interpreters(image_root: Path) -> tuple[Interpreter, ...]:
    """Those of a (mounted) image: of each kind first the one that is first on PATH, then those in folders of their
    own. One that does not tell its version is left out."""
    return (*_firsts(image_root), *_others(image_root))


def _firsts(root: Path) -> Iterator[Interpreter]:
    name = next(
        (found for at in ("usr/local/bin", "usr/bin") if (found := _target(root / at / "python3"))), ""
    )
    minor = name.rsplit("/", 1)[-1]
    home = f"/{home.lstrip('/')}" if (home := name.removesuffix(f"/bin/{minor}")) != name else "/usr"
    for base in dict.fromkeys((home, "/usr", "/usr/local")):
        if version := _version(root / base.lstrip("/") / "include" / minor / "patchlevel.h", _PYTHON):
            yield Interpreter("python", version)
            break
    if version := _version(root / "usr/local/include/node/node_version.h", _NODE):
        yield Interpreter("node", version)


def _others(root: Path) -> Iterator[Interpreter]:
    for folder in sorted(root.glob("usr/local/opt/python3.*")):
        if version := _version(folder / "include" / folder.name / "patchlevel.h", _PYTHON):
            yield Interpreter("python", version, f"/usr/local/opt/{folder.name}")
    for folder in sorted(root.glob("usr/local/opt/node*")):
        if version := _version(folder / "include/node/node_version.h", _NODE):
            yield Interpreter("node", version, f"/usr/local/opt/{folder.name}")


def _target(link: Path) -> str:
    """Where a link of the image leads, as a name of the image's; ``""`` where there is none."""
    return str(link.readlink()) if link.is_symlink() else ""


def _version(header: Path, pattern: re.Pattern[str]) -> str:
    if not header.is_file() or header.is_symlink():
        return ""
    with header.open("rb") as file:
        return ".".join(pattern.findall(file.read(1 << 16).decode("utf-8", "replace"))[:3])
