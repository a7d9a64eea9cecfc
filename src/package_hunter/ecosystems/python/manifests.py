"""What pyproject.toml asks for, in the words of the standard, of setuptools, uv and Poetry; and a Pipfile."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from package_hunter.ecosystems.python import groups, origins, poetry, requirement_files
from package_hunter.ecosystems.python.asked import RequirementSet, normal, read_toml, requirement_name
from package_hunter.ecosystems.python.sources import (
    Local,
    Outside,
    Place,
    applies,
    extras_of,
    marker_applies,
)
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text

DEPENDENCIES = "dependencies"


def pyproject(
    tree: BoxTree, project: str, place: Place | None = None, with_groups: bool = False
) -> RequirementSet | None:
    """``place``: where its relative paths begin; the project itself if it is not given. ``with_groups``: with what
    those who work on the project get."""
    toml = read_toml(tree, f"{project}/pyproject.toml")
    if not toml:
        return None
    place = place or Place(tree, project, project)
    found = RequirementSet(source="pyproject.toml", place=place, indexes=origins.of_tools(toml))
    tool = as_map(toml.get("tool"))
    told = {normal(name): value for name, value in as_map(as_map(tool.get("uv")).get("sources")).items()}
    found.unread += _unsound(toml)
    own = place.folder == place.project and tree.kind(f"{project}/PKG-INFO") != "file"
    listed = _listed(as_map(toml.get("project")).get("dependencies"))
    # groups are for those who work on a project: nobody gets them with a package
    for line in [*listed, *(groups.lines(toml) if with_groups and own else ())]:
        if not _from_sources(found, line, told, tool):
            found.add(line)
    if DEPENDENCIES in _listed(as_map(toml.get("project")).get("dynamic")):
        for name in _dynamic_files(tool):
            requirement_files.read_into(found, tree, project, name)
    for name, table in poetry.tables(as_map(tool.get("poetry")), with_groups and own):
        if not found.add_source(name, _rev(table), poetry.applies(table)):
            found.add(poetry.requirement(name, table))
    return found


def _unsound(toml: Mapping[str, Any]) -> list[str]:
    """Sentences about what asks for something, and is not of the kind that every tool demands."""
    project, tool = toml.get("project"), as_map(toml.get("tool"))
    needs = as_map(project).get(DEPENDENCIES)
    poetry_needs = as_map(tool.get("poetry")).get(DEPENDENCIES)
    wrong = {
        "project": project is not None and not isinstance(project, dict),
        "project.dependencies": needs is not None and (
            not isinstance(needs, list) or len(_listed(needs)) != len(needs)
        ),
        "tool.poetry.dependencies": poetry_needs is not None and not isinstance(poetry_needs, dict),
    }  # fmt: skip
    return [
        f"{name} in pyproject.toml is not of the kind that it must be (project and Poetry's dependencies are tables, "
        f"dependencies of project a list of strings): package managers refuse it, and what it asks for was not "
        f"scanned. Mend it and scan again."
        for name, bad in wrong.items()
        if bad
    ]


def _listed(value: object) -> list[str]:
    return [line for line in value if isinstance(line, str)] if isinstance(value, list) else []


def is_static(toml: Mapping[str, Any]) -> bool:
    """Whether a pyproject.toml says what its package needs, itself or by a file that it names."""
    project, tool = as_map(toml.get("project")), as_map(toml.get("tool"))
    if not project:
        return "poetry" in tool
    return (
        DEPENDENCIES not in _listed(project.get("dynamic")) or bool(_dynamic_files(tool)) or "poetry" in tool
    )


def _dynamic_files(tool: Mapping[str, Any]) -> list[str]:
    """Requirement files that a build reads what its package needs from: setuptools' and hatch's ways."""
    dynamic = as_map(as_map(as_map(tool.get("setuptools")).get("dynamic")).get(DEPENDENCIES))
    hooks = as_map(
        as_map(as_map(as_map(tool.get("hatch")).get("metadata")).get("hooks")).get("requirements_txt")
    )
    found: list[str] = []
    for value in (dynamic.get("file"), hooks.get("files")):
        found += [value] if isinstance(value, str) else _listed(value)
    return found[:50]


def pipfile(tree: BoxTree, project: str) -> RequirementSet | None:
    """What a Pipfile without its lock file asks for."""
    toml = read_toml(tree, f"{project}/Pipfile")
    if not toml:
        return None
    found = RequirementSet(source="Pipfile", place=Place(tree, project, project))
    found.indexes = list(origins.of_pipfile({"_meta": {"sources": toml.get("source")}}).values())
    for name, value in {**as_map(toml.get("dev-packages")), **as_map(toml.get("packages"))}.items():
        item = {"version": value} if isinstance(value, str) else as_map(value)
        marker = as_text(item.get("markers"))
        if found.add_source(name, {**item, "rev": item.get("ref")}, applies=marker_applies(marker)):
            continue
        version = as_text(item.get("version"), 200).strip()
        extras = ",".join(_listed(item.get("extras")))
        line = f"{name}[{extras}]" if extras else name
        found.add(f"{line}{'' if version == '*' else version}" + (f" ; {marker}" if marker else ""))
    return found


def _from_sources(found: RequirementSet, line: str, told: Mapping[str, Any], tool: dict[str, Any]) -> bool:
    """Whether ``[tool.uv.sources]`` says that a requirement comes from elsewhere than a registry."""
    name = requirement_name(line)
    value = told.get(name) if name is not None else None
    tables = _tables(value)
    if any(table.get("workspace") is True for table in tables) and name is not None:
        member, extras = _member(found, name, tool), ",".join(extras_of(line))
        if isinstance(member, Local) and extras:
            member = replace(member, extras=f"[{extras}]")
        found.take(member, applies(line))
        return True
    extras_asked = {"extras": extras_of(line)}
    elsewhere = [found.add_source(name or "", {**table, **extras_asked}, applies(line)) for table in tables]
    return any(elsewhere)


def _tables(value: object) -> list[dict[str, Any]]:
    """Where uv's or poetry's table says that something comes from, for the box's system."""
    found = [as_map(item) for item in (value if isinstance(value, list) else [value])]
    return [
        _rev(item) for item in found if marker_applies(as_text(item.get("marker") or item.get("markers")))
    ]


def _rev(table: dict[str, Any]) -> dict[str, Any]:
    rev = next((table[key] for key in ("rev", "tag", "branch") if key in table), None)
    return {**table, "rev": rev, "editable": table.get("editable") or table.get("develop")}


def _member(found: RequirementSet, name: str, tool: dict[str, Any]) -> Local | Outside:
    """A member of uv's workspace, by its name. What the project's own file says holds for its members, too."""
    listed = as_map(as_map(tool.get("uv")).get("workspace")).get("members")
    place = found.place
    if listed is None and place is not None and place.folder != place.project:
        place = Place(place.tree, place.project, place.project)
        top = as_map(read_toml(place.tree, f"{place.project}/pyproject.toml").get("tool"))
        listed = as_map(as_map(top.get("uv")).get("workspace")).get("members")
    for pattern in (
        [text for text in listed if isinstance(text, str)][:50] if isinstance(listed, list) else []
    ):
        base, _, last = pattern.strip("/").rpartition("/")
        if place is None or "*" in base or ".." in pattern.split("/"):
            continue
        root = f"{place.folder}/{base}".rstrip("/")
        for child in tree_names(place.tree, root) if last == "*" else [last]:
            if normal(project_name(place.tree, f"{root}/{child}")) == name:
                return Local(posixpath.relpath(f"{root}/{child}", place.project), name, editable=True)
    return Outside(name, "a member of the workspace", "the member was not found")


def tree_names(tree: BoxTree, folder: str) -> list[str]:
    """Names of at most 2,000 things in a folder."""
    return tree.names(folder)[:2_000]


def project_name(tree: BoxTree, project: str) -> str:
    """The project's own name, or ``""``."""
    toml = read_toml(tree, f"{project}/pyproject.toml")
    poetry = as_map(as_map(toml.get("tool")).get("poetry"))
    return as_text(as_map(toml.get("project")).get("name"), 200) or as_text(poetry.get("name"), 200)
