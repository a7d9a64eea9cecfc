"""Dependency groups (PEP 735) that a project's package manager installs if it is told nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from package_hunter.ecosystems.python.asked import normal
from package_hunter.ecosystems.tree import as_map

_MAX_LINES = 5_000


def lines(toml: Mapping[str, Any]) -> list[str]:
    """Requirement lines: pdm and Poetry install every group (but Poetry's optional ones), uv those that it is told
    of, ``dev`` where it is told nothing."""
    tool = as_map(toml.get("tool"))
    groups = {normal(name): value for name, value in as_map(toml.get("dependency-groups")).items()}
    pdm, uv = as_map(tool.get("pdm")), as_map(tool.get("uv"))
    found: list[str] = []
    for name in _taken(tool, groups):
        found += _group(name, groups, set())
    for value in as_map(pdm.get("dev-dependencies")).values():
        # pdm writes what is to be installed in editable form as pip's option
        found += [line for line in _strings(value) if not line.startswith("-")]
    found += _strings(uv.get("dev-dependencies"))
    return list(dict.fromkeys(found))[:_MAX_LINES]


def _taken(tool: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
    if "pdm" in tool:
        return list(groups)
    if "poetry" in tool:
        settings = as_map(as_map(tool.get("poetry")).get("group"))
        left = {normal(name) for name, item in settings.items() if as_map(item).get("optional") is True}
        return [name for name in groups if name not in left]
    told = as_map(tool.get("uv")).get("default-groups", ["dev"])
    return list(groups) if told == "all" else [normal(name) for name in _strings(told)]


def _group(name: str, groups: Mapping[str, Any], entered: set[str]) -> Iterator[str]:
    """A group with what it includes; loops are cut."""
    value = groups.get(name)
    if name in entered or not isinstance(value, list):
        return
    entered.add(name)
    for item in value[:_MAX_LINES]:
        if isinstance(item, str):
            yield item
        elif isinstance(inner := as_map(item).get("include-group"), str):
            yield from _group(normal(inner), groups, entered)


def _strings(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
