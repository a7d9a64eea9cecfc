"""Poetry's tables of dependencies as requirement lines: versions, extras and markers in pip's words.

Format facts: Poetry's documentation (dependency specification, managing dependencies). What Poetry says in words that
a requirement has none for (``1 || 3``, as a version) is asked for by name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from package_hunter.ecosystems.python.sources import marker_applies
from package_hunter.ecosystems.tree import as_map, as_text

_MAX_PARTS = 20
_VERSION = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,8}(?:[._-]?[A-Za-z]{1,20}[0-9]{0,9}){0,3}"
_PART = re.compile(rf"(\^|~=|~|===?|!=|>=|<=|>|<|)\s*v?({_VERSION})(\.\*)?")
_EXTRA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_PLATFORM = re.compile(r"[a-z0-9_]{1,40}")


def tables(poetry: Mapping[str, Any], groups: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each dependency that a plain ``poetry install`` takes, name and table (one with several has a table for each
    case); with ``groups`` those of the groups that are not optional too."""
    listed = [as_map(poetry.get("dependencies"))]
    if groups:
        listed.append(as_map(poetry.get("dev-dependencies")))
        parts = map(as_map, as_map(poetry.get("group")).values())
        listed += [as_map(part.get("dependencies")) for part in parts if part.get("optional") is not True]
    for table in listed:
        for name, value in table.items():
            if name == "python":
                continue
            for case in value if isinstance(value, list) else [value]:
                item = {"version": case} if isinstance(case, str) else as_map(case)
                if item.get("optional") is not True:
                    yield name, item


def optional_names(poetry: Mapping[str, Any]) -> list[str]:
    """What is there for extras only."""
    every = as_map(poetry.get("dependencies")).items()
    return [name for name, value in every if as_map(value).get("optional") is True]


def marker(table: Mapping[str, Any]) -> str:
    """The table's conditions as an environment marker; ``""`` without one."""
    said = as_text(table.get("markers"), 1_000).strip()
    platform = as_text(table.get("platform"), 100).strip()
    parts = [
        f"({said})" if " or " in said else said,
        _of_python(as_text(table.get("python"), 200)),
        f"sys_platform == '{platform}'" if _PLATFORM.fullmatch(platform) else "",
    ]
    return " and ".join(part for part in parts if part)


def applies(table: Mapping[str, Any]) -> bool:
    """Whether its conditions may hold in the box."""
    return marker_applies(marker(table))


def requirement(name: str, table: Mapping[str, Any]) -> str:
    """The table as a requirement line."""
    listed = table.get("extras")
    extras = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    inner = ",".join(text for text in extras if _EXTRA.fullmatch(text))
    version = ",".join(specifiers(as_text(table.get("version"), 200)) or ())
    condition = marker(table)
    line = f"{name}[{inner}]{version}" if inner else f"{name}{version}"
    return f"{line} ; {condition}" if condition else line


def specifiers(text: str) -> list[str] | None:
    """Poetry's constraint in pip's words; None where there are none for it. ``*`` is an empty list."""
    text = text.strip()
    if text in ("", "*"):
        return []
    pieces = [piece for piece in re.split(r"\s*,\s*|(?<=[\w*])\s+(?=[<>=!~^])", text) if piece]
    found: list[str] = []
    for piece in pieces[:_MAX_PARTS]:
        hit = _PART.fullmatch(piece)
        if hit is None:
            return None
        found += _specifier(hit[1], hit[2], hit[3] or "")
    return found


def _specifier(sign: str, version: str, star: str) -> list[str]:
    if star or sign not in ("^", "~"):
        return [f"{sign if sign not in ('', '^', '~') else '=='}{version}{star}"]
    parts = [int(part) for part in re.match(r"[0-9.]*[0-9]", version)[0].split(".")]  # type: ignore[index]
    if sign == "~":
        at = min(1, len(parts) - 1)
    else:  # the first that is not zero may not change
        at = next((number for number, part in enumerate(parts) if part), len(parts) - 1)
    upper = [*parts[:at], parts[at] + 1]
    return [f">={version}", f"<{'.'.join(map(str, upper))}"]


def _of_python(text: str) -> str:
    """The releases of Python that something is for, as a marker."""
    cases = []
    for case in re.split(r"\s*\|\|?\s*", text)[:_MAX_PARTS]:
        said = specifiers(case)
        if not said:
            return ""  # for any, or not understood: rather one too many
        cases.append(" and ".join(map(_python_marker, said)))
    return cases[0] if len(cases) == 1 else "(" + " or ".join(cases) + ")"


def _python_marker(specifier: str) -> str:
    sign, version = re.match(r"([<>=!~]+)(.*)", specifier).groups()  # type: ignore[union-attr]
    short = version.removesuffix(".*").count(".") < 2
    if sign == "==" and short and version.count(".") == 0:
        version = f"{version}.*"
    if short and "*" not in version and version.count(".") == 1:
        return f"python_version {sign} '{version}'"
    return f"python_full_version {sign} '{version}'"
