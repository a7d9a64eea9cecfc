"""Which Node.js a project asks for: ``engines``, and the version that its people use.

``chosen`` is all that a plan needs: tree, project and manifest in, an interpreter of the image out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from package_hunter.ecosystems import version_ranges
from package_hunter.ecosystems.interpreters import Chosen, Wish, choose
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text
from package_hunter.model.interpreters import Interpreter

_MAX_TEXT = 500
_VERSION = re.compile(r"(?:node-)?v?(\d{1,3})(?:\.(?:\d{1,4}|[xX*])){0,2}")
# nvm's names of the long-term lines (node's own code names)
_LINES = {
    "argon": 4, "boron": 6, "carbon": 8, "dubnium": 10, "erbium": 12, "fermium": 14, "gallium": 16,
    "hydrogen": 18, "iron": 20, "jod": 22, "krypton": 24,
}  # fmt: skip


def chosen(
    tree: BoxTree, project: str, manifest: Mapping[str, Any], available: Sequence[Interpreter]
) -> Chosen:
    """The Node.js of the image that the project is to be installed with; see ``interpreters.choose``."""
    return choose("node", list(wishes(tree, project, manifest)), available)


def wishes(tree: BoxTree, project: str, manifest: Mapping[str, Any]) -> Iterator[Wish]:
    """Everything that the project says of its Node.js."""
    yield from _range("engines in package.json", as_map(manifest.get("engines")).get("node"))
    yield from _runtimes(as_map(manifest.get("devEngines")).get("runtime"))
    yield from _pick("volta in package.json", as_text(as_map(manifest.get("volta")).get("node"), _MAX_TEXT))
    for name in (".nvmrc", ".node-version", ".tool-versions"):
        yield from _pick(name, _line(tree, f"{project}/{name}"))
    yield from _manager(as_text(manifest.get("packageManager"), _MAX_TEXT))


def _runtimes(value: object) -> Iterator[Wish]:
    for one in (value if isinstance(value, list) else [value])[:20]:
        table = as_map(one)
        if table.get("name") == "node":
            yield from _range("devEngines in package.json", table.get("version"))


def _range(place: str, value: object) -> Iterator[Wish]:
    text = as_text(value, _MAX_TEXT)
    holds = version_ranges.allows(text) if text else None
    if holds is not None:
        yield Wish(place, text, holds, must=True, short=_newest(holds))


def _newest(holds: Callable[[tuple[int, ...]], bool]) -> str:
    """The newest major that a range has in it, to name one that fits (even ones live longest)."""
    majors = [*range(30, 0, -2), *range(29, 0, -2)]
    return next((str(major) for major in majors if holds((major, 999, 0))), "")


def _line(tree: BoxTree, path: str) -> str:
    text = (tree.read(path, 64 << 10) or b"").decode("utf-8", "replace")
    for line in text.splitlines()[:100]:
        words = line.split("#", 1)[0].split()
        if path.endswith(".tool-versions"):
            words = words[1:] if words[:1] in (["nodejs"], ["node"]) else []
        if words:
            return words[0][:_MAX_TEXT]
    return ""


def _pick(place: str, text: str) -> Iterator[Wish]:
    """By its major: versions of one major are alike. ``lts/*``, ``node`` and the like say no more than a new one."""
    named = _LINES.get(text.strip().lower().removeprefix("lts/"))
    hit = _VERSION.fullmatch(text.strip())
    major = named or (int(hit[1]) if hit else None)
    if major is not None:
        yield Wish(place, text.strip(), lambda found: found[:1] == (major,), short=str(major))


# The oldest Node.js that a manager's major starts on (its own ``engines``), where that is none of the last ten years'.
_NEEDS = {
    ("pnpm", 9): (18, 12), ("pnpm", 10): (18, 12), ("pnpm", 11): (22, 0),
    ("yarn", 4): (18, 12), ("npm", 10): (18, 17), ("npm", 11): (20, 17),
}  # fmt: skip


def _manager(text: str) -> Iterator[Wish]:
    """The package manager that the project names needs a Node.js that it starts on."""
    hit = re.match(r"(npm|pnpm|yarn)@\^?(\d{1,3})\.", text)
    needs = _NEEDS.get((hit[1], int(hit[2]))) if hit else None
    if needs is not None:
        place, short = "packageManager in package.json", str(needs[0])
        why = f"{hit[1]} {hit[2]} needs Node.js {needs[0]}.{needs[1]} or newer" if hit else ""
        yield Wish(place, text.split("+", 1)[0], lambda found: found >= needs, True, short, why)
