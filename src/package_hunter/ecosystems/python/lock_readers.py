"""The lock files of uv, poetry, pdm and pipenv, and pylock.toml (PEP 751): which packages they name, and where each
comes from. Each package becomes a requirement line with its marker; which of them hold in the box is the resolver's
to say. A uv.lock is read again by uv itself, in the box (see the module ``closed``)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from package_hunter.ecosystems.python import origins
from package_hunter.ecosystems.python.asked import RequirementSet, read_toml
from package_hunter.ecosystems.python.sources import Outside, Place, marker_applies
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, parse_object

_MARKER = re.compile(r"[\w\s.'\"<>=!(),*~+-]{1,1000}")
_OF_GROUPS = re.compile(r"\b(?:extra|extras|dependency_groups)\b")
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def _packages(lock: dict[str, Any], key: str = "package") -> list[dict[str, Any]]:
    listed = lock.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _lock(tree: BoxTree, project: str, name: str) -> RequirementSet:
    return RequirementSet(source=name, locked=True, place=Place(tree, project, project))


def uv_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    packages = _packages(read_toml(tree, f"{project}/uv.lock"))
    if not packages:
        return None
    found = _lock(tree, project, "uv.lock")
    for item in packages:
        source, name = as_map(item.get("source")), as_text(item.get("name"), 200)
        index = as_text(source.get("registry"))
        if "virtual" in source or found.add_source(name, source):
            continue  # virtual: a project that only asks for packages and is none
        if index.startswith(("http://", "https://")):
            _pin(found, item, (index,))
        else:
            found.take(Outside(name, index, "its index is a folder" if index else "its source is not known"))
    return found


def poetry_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    packages = _packages(read_toml(tree, f"{project}/poetry.lock"))
    if not packages:
        return None
    found = _lock(tree, project, "poetry.lock")
    for item in packages:
        source = as_map(item.get("source"))
        kind, url = as_text(source.get("type"), 20), source.get("url")
        if kind in ("", "legacy"):
            _pin(found, item, (as_text(url),))
            continue
        key = {"directory": "path", "file": "path"}.get(kind, kind)
        rev = source.get("resolved_reference")
        table = {key: url, "rev": rev, "editable": item.get("develop") is True}
        name = as_text(item.get("name"), 200)
        if not found.add_source(name, table, applies=marker_applies(as_text(item.get("markers")))):
            found.take(Outside(name, as_text(url), "its source is not known"))
    return found


def pdm_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    packages = _packages(read_toml(tree, f"{project}/pdm.lock"))
    if not packages:
        return None
    found = _lock(tree, project, "pdm.lock")
    named = origins.of_tools(read_toml(tree, f"{project}/pyproject.toml"))
    for item in packages:
        name = as_text(item.get("name"), 200)
        table = {**item, "rev": item.get("revision")}
        if not found.add_source(name, table, applies=marker_applies(as_text(item.get("marker")))):
            _pin(found, {**item, "markers": item.get("marker")}, named)
    return found


def pylock(tree: BoxTree, project: str) -> RequirementSet | None:
    """PEP 751."""
    packages = _packages(read_toml(tree, f"{project}/pylock.toml"), "packages")
    if not packages:
        return None
    found = _lock(tree, project, "pylock.toml")
    for item in packages:
        name = as_text(item.get("name"), 200)
        vcs, folder, archive = (as_map(item.get(key)) for key in ("vcs", "directory", "archive"))
        table = {
            as_text(vcs.get("type"), 10) or "git": vcs.get("url") or vcs.get("path"),
            "rev": vcs.get("commit-id"),
            "path": folder.get("path") or archive.get("path") or _own_file(item),
            "url": archive.get("url"),
            "editable": folder.get("editable"),
        }
        if not found.add_source(name, table, applies=marker_applies(as_text(item.get("marker")))):
            _pin(found, {**item, "markers": item.get("marker")}, (as_text(item.get("index")),))
    return found


def _own_file(item: dict[str, Any]) -> str:
    """The wheel or source archive that lies in the project itself, of several the one for most systems."""
    listed = item.get("wheels")
    wheels = [as_map(file) for file in listed] if isinstance(listed, list) else []
    paths = [path for file in (*wheels, as_map(item.get("sdist"))) if (path := as_text(file.get("path")))]
    fits = ("-any.whl", "linux_x86_64.whl", "")
    return next((path for end in fits for path in paths if path.endswith(end)), "")


def _pin(found: RequirementSet, item: dict[str, Any], indexes: Iterable[str] = ()) -> None:
    name, version = as_text(item.get("name"), 200), as_text(item.get("version"), 100)
    if _PLAIN.fullmatch(name) and re.fullmatch(r"[A-Za-z0-9.!+_-]+", version):
        line = f"{name}=={version}{_marker(item)}"
        found.origins[line] = origins.of_item(item, indexes)
        found.add(line)
    else:
        found.take(Outside(name, f"version {version}", "it has no plain name and version"))


def _marker(item: dict[str, Any]) -> str:
    """When it is installed: uv has a list of markers of which one must hold, poetry a text, or one for each
    group. What is asked of extras and groups is not: all of them are scanned."""
    said = item.get("resolution-markers") or item.get("markers")
    listed = list(said.values()) if isinstance(said, dict) else said if isinstance(said, list) else [said]
    texts = [text for text in listed[:20] if isinstance(text, str) and text]
    sound = [text for text in texts if _MARKER.fullmatch(text) and not _OF_GROUPS.search(text)]
    if len(sound) != len(listed) or not sound:
        return ""
    return f" ; {sound[0] if len(sound) == 1 else ' or '.join(f'({text})' for text in sound)}"


def pipfile_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    lock = parse_object(tree.read(f"{project}/Pipfile.lock", 16 << 20))
    if not lock:
        return None
    found = _lock(tree, project, "Pipfile.lock")
    sources = origins.of_pipfile(lock)
    for name, value in {**as_map(lock.get("develop")), **as_map(lock.get("default"))}.items():
        item = as_map(value)
        version = as_text(item.get("version"), 100)
        table = {**item, "rev": item.get("ref")}
        if found.add_source(name, table, applies=marker_applies(as_text(item.get("markers")))):
            continue
        named = sources.get(as_text(item.get("index")))
        # pipenv pins nothing of what is only for other systems, and installs what is newest
        line = f"{name}{'' if version == '*' else version}{_marker(item)}"
        found.origins[line] = origins.of_item(item, [named] if named else sources.values())
        found.add(line)
    return found
