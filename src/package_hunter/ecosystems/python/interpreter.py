"""Which Python a project asks for: ranges that pip holds to, and the version that its people use.

``chosen`` is all that a plan needs: tree and project in, an interpreter of the image out.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from package_hunter.ecosystems import version_ranges
from package_hunter.ecosystems.interpreters import Chosen, Wish, choose, how_to_add
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text
from package_hunter.model import toml
from package_hunter.model.interpreters import Interpreter

_SMALL = 1 << 20  # bytes of a manifest that are read
_MAX_TEXT = 500
_MAX_RANGES = 50  # that pip names
_VERSION = re.compile(r"(?:python-|cpython-|cpython@)?v?(3(?:\.\d{1,3}){0,2})(?:\.\*)?(?:[-+].*)?")
# pip's and uv's own words where a package has nothing for this Python
_REFUSED = re.compile(
    r"(?:require[sd]? a different [Pp]ython(?: version)?:? |not in '|Requires-Python )([<>=!~][^'\n;)]{0,200})"
    r"|does not satisfy Python ?([<>=!~][\d.,<>=!~*]{0,200}\d)"
)


def chosen(tree: BoxTree, project: str, available: Sequence[Interpreter]) -> Chosen:
    """The Python of the image that the project is to be installed with; see ``interpreters.choose``."""
    return choose("python", list(wishes(tree, project)), available)


def wishes(tree: BoxTree, project: str) -> Iterator[Wish]:
    """Everything that the project says of its Python."""
    pyproject, base = _toml(tree, f"{project}/pyproject.toml"), f"{project}/"
    yield from _range(
        "requires-python in pyproject.toml", as_map(pyproject.get("project")).get("requires-python")
    )
    poetry = as_map(as_map(as_map(pyproject.get("tool")).get("poetry")).get("dependencies"))
    yield from _loose("python in pyproject.toml (poetry)", poetry.get("python"))
    yield from _range("python_requires in setup.cfg", _setup_cfg(tree, base))
    yield from _range("python_requires in setup.py", _setup_py(tree, base))
    for name in ("uv.lock", "pylock.toml"):
        yield from _range(f"requires-python in {name}", _toml(tree, base + name).get("requires-python"))
    pipfile = as_map(_toml(tree, f"{base}Pipfile").get("requires"))
    pipfile_lock = as_map(as_map(tree.read_json(f"{base}Pipfile.lock").get("_meta")).get("requires"))
    for name, table in (("Pipfile", pipfile), ("Pipfile.lock", pipfile_lock)):
        for key in ("python_full_version", "python_version"):
            if key in table:
                yield from _pick(f"{key} in {name}", as_text(table.get(key), _MAX_TEXT))
                break
    for name in (".python-version", "runtime.txt", ".tool-versions"):
        yield from _pick(name, _line(tree, base + name))


def _line(tree: BoxTree, path: str) -> str:
    """The first CPython that a file names, one a line; of asdf's file the words behind ``python``."""
    text = (tree.read(path, 64 << 10) or b"").decode("utf-8", "replace")
    for line in text.splitlines()[:100]:
        words = line.split("#", 1)[0].split()
        if path.endswith(".tool-versions"):
            words = words[1:] if words[:1] == ["python"] else []
        if hit := next((word for word in words if _VERSION.fullmatch(word)), None):
            return hit
    return ""


def _pick(place: str, text: str) -> Iterator[Wish]:
    if hit := _VERSION.fullmatch(text.strip()):
        given = tuple(int(part) for part in hit[1].split("."))[:2]  # patches of one minor are alike
        short = ".".join(map(str, given))
        yield Wish(place, text.strip(), lambda found: found[: len(given)] == given, short=short)


def _range(place: str, value: object) -> Iterator[Wish]:
    """As PEP 440 has it."""
    text = as_text(value, _MAX_TEXT)
    with suppress(InvalidSpecifier):
        if text:
            holds = _specifier(text)
            yield Wish(place, text, holds, must=True, short=_oldest(holds))


def _loose(place: str, value: object) -> Iterator[Wish]:
    """As poetry has it, which knows carets too."""
    text = as_text(value, _MAX_TEXT)
    holds = version_ranges.allows(text) if text else None
    if holds is not None:
        yield Wish(place, text, holds, must=True, short=_oldest(holds))


def _specifier(text: str) -> Callable[[tuple[int, ...]], bool]:
    specifiers = SpecifierSet(text)
    return lambda found: specifiers.contains(".".join(map(str, found)), prereleases=True)


def _oldest(holds: Callable[[tuple[int, ...]], bool]) -> str:
    """The oldest minor that a range has in it, to name one that fits."""
    fitting = (minor for minor in range(8, 30) if holds((3, minor, 99)))
    return next((f"3.{minor}" for minor in fitting), "")


def refused(output: str) -> list[str]:
    """The ranges of versions that pip or uv says packages want, where it is this Python that they do not fit."""
    found: dict[str, None] = {}
    for hit in _REFUSED.finditer(output):
        text = (hit[1] or hit[2]).strip()
        with suppress(InvalidSpecifier):
            SpecifierSet(text)
            found.setdefault(text)
    return list(found)[:_MAX_RANGES]


def for_ranges(texts: Sequence[str], available: Sequence[Interpreter]) -> Interpreter | None:
    """The oldest further Python of the image that is in one of these ranges."""
    ranges = [_specifier(text) for text in texts]
    fitting = [
        one
        for one in available
        if one.kind == "python" and one.home and any(holds(one.numbers) for holds in ranges)
    ]
    return min(fitting, key=lambda one: one.numbers, default=None)


def nowhere(text: str, available: Sequence[Interpreter]) -> str:
    """The sentence for a package that wants a Python which the image has not."""
    here = ", ".join(one.version for one in available if one.kind == "python")
    return (
        f"A package wants Python {text}, and the box's image has {here or 'another'}. "
        f"{how_to_add('python', _oldest(_specifier(text)))}"
    )


def _setup_cfg(tree: BoxTree, base: str) -> str:
    parser = configparser.RawConfigParser(strict=False)
    with suppress(configparser.Error):
        parser.read_string((tree.read(f"{base}setup.cfg", _SMALL) or b"").decode("utf-8", "replace"))
        return parser.get("options", "python_requires", fallback="").strip()
    return ""


def _setup_py(tree: BoxTree, base: str) -> str:
    """Where it is written out in the call; what is computed is not known."""
    text = (tree.read(f"{base}setup.py", 256 << 10) or b"").decode("utf-8", "replace")
    if "python_requires" not in text:
        return ""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.keyword) and node.arg == "python_requires":
                return as_text(getattr(node.value, "value", ""), _MAX_TEXT)
    return ""


def _toml(tree: BoxTree, path: str) -> dict[str, Any]:
    raw = tree.read(path, 64 << 20 if path.endswith(".lock") else _SMALL)
    with suppress(toml.TomlError):
        return toml.loads((raw or b"").decode("utf-8", "replace"))
    return {}
