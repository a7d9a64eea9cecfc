"""What a Python project asks for, by whichever of its files says it: a lock file, requirement files, pyproject.toml.
All of it is untrusted text. What a resolver must know is read by uv and pip, in the box: what is read here is what
has to be known before (what may be asked of whom, and what lies where)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from package_hunter.ecosystems.python import (
    folders,
    formats,
    lock_readers,
    manifests,
    poetry,
    requirement_files,
)
from package_hunter.ecosystems.python.asked import RequirementSet, normal, read_toml, requirement_name
from package_hunter.ecosystems.python.manifests import project_name
from package_hunter.ecosystems.python.sources import Local, Outside, Place
from package_hunter.ecosystems.tree import BoxTree, as_map
from package_hunter.model import toml

__all__ = ["build_requires", "is_installable", "project_name", "unsound", "wanted"]

_MAX_LOCAL = 200
_READERS = (
    lock_readers.uv_lock,
    lock_readers.poetry_lock,
    lock_readers.pdm_lock,
    lock_readers.pylock,
    lock_readers.pipfile_lock,
    requirement_files.requirement_files,
    partial(manifests.pyproject, with_groups=True),
    manifests.pipfile,
)


def wanted(tree: BoxTree, project: str) -> RequirementSet:
    """What the project asks for: its lock file if it has one, else its requirement files, else
    pyproject.toml."""
    for read in _READERS:
        found = read(tree, project)
        if found is not None:
            _describe(found, tree, project)
            found.lines += formats.of_tools(found, tree, project) if found.lines else []
            return found
    found = RequirementSet(source="setup.py" if tree.kind(f"{project}/setup.py") == "file" else "")
    found.place = Place(tree, project, project)
    _describe(found, tree, project)
    return found


def _describe(found: RequirementSet, tree: BoxTree, project: str) -> None:
    """Names of what is local, and what it needs in turn, as far as that stands in plain words."""
    if "build-system" in read_toml(tree, f"{project}/pyproject.toml"):
        found.by_project.add(".")
    if not found.locked and is_installable(tree, project):
        _needs(found, tree, Place(tree, project, project), folders.by_setup(tree, project), Local("."))
    seen: set[str] = set()
    while (
        len(seen) < _MAX_LOCAL and (path := next((p for p in found.local if p not in seen), None)) is not None
    ):
        seen.add(path)
        item, whole = found.local[path], f"{project}/{path}"
        if path == ".":
            found.also |= _extras(tree, project)
            continue
        said = folders.by_wheel(tree, whole) if tree.kind(whole) == "file" else folders.by_setup(tree, whole)
        name = item.name or project_name(tree, whole) or said.name or path.rpartition("/")[2]
        found.local[path] = replace(item, name=name[:200])
        if tree.kind(f"{whole}/setup.py") == "file" and tree.kind(f"{whole}/pyproject.toml") != "file":
            found.by_setup.add(path)
        if "build-system" in read_toml(tree, f"{whole}/pyproject.toml"):
            found.by_project.add(path)
        if not found.locked:
            _needs(found, tree, Place(tree, project, whole), said, item)
        found.also |= {*build_requires(tree, whole), *_extras(tree, whole)}
    for path in list(found.local)[_MAX_LOCAL:]:
        item = found.local.pop(path)
        found.outside.append(Outside(item.name, path, f"it is beyond the first {_MAX_LOCAL}"))


def _needs(
    found: RequirementSet, tree: BoxTree, place: Place, said: folders.FolderMetadata, item: Local
) -> None:
    """A local package's own requirements. Where they stand in plain words, all are asked for with the project's,
    and the package itself is installed without looking for them again (pip could not have those outside)."""
    toml = read_toml(tree, f"{place.folder}/pyproject.toml")
    own = manifests.pyproject(tree, place.folder, place)
    static = own is not None and manifests.is_static(toml)
    if item.path == "." and found.source == "pyproject.toml":
        own, static = None, False  # that was read already
    if own is None or not static:
        own = RequirementSet(place=place)
        for line in said.requires:
            own.add(line)
        static = False
        if not item.path.lower().endswith(".whl") and not manifests.is_static(toml):  # a wheel says it itself
            found.computed.add(item.path)
    found.needs[item.path] = {*own.names, *(normal(inner.name) for inner in own.local.values())}
    for path, inner in own.local.items():
        found.local.setdefault(path, inner)
    for thing in own.outside:
        found.take(thing)
    if not own.outside and (item.extras or not static or (item.path == "." and not own.local)):
        found.also.update(own.names)
        return
    found.alone.add(item.path)
    if any("--hash" in line for line in found.lines):
        found.also.update(own.names)  # such a list takes no line without a hash
        found.alone -= set() if own.outside else {item.path}
        return
    found.lines += own.lines
    found.names += own.names


def _extras(tree: BoxTree, folder: str) -> set[str]:
    """Names of everything that a pyproject.toml's extras ask for."""
    toml = read_toml(tree, f"{folder}/pyproject.toml")
    listed = as_map(as_map(toml.get("project")).get("optional-dependencies"))
    of_poetry = poetry.optional_names(as_map(as_map(toml.get("tool")).get("poetry")))
    lines = [
        line for part in listed.values() if isinstance(part, list) for line in part if isinstance(line, str)
    ]
    return {name for line in (*lines, *of_poetry) if (name := requirement_name(line)) is not None}


def unsound(tree: BoxTree, project: str) -> str | None:
    """Why the project's pyproject.toml cannot be read; None where it can, or is not there."""
    raw = tree.read(f"{project}/pyproject.toml", 16 << 20)
    try:
        toml.loads((raw or b"").decode("utf-8", "replace"))
    except toml.TomlError as error:
        return str(error)[:300]
    return None


def says_all(tree: BoxTree, project: str, wanted: RequirementSet) -> bool:
    """Whether all that the project itself needs is among what is ``wanted``, without its own build."""
    own = read_toml(tree, f"{project}/pyproject.toml")
    return wanted.source == "pyproject.toml" and manifests.is_static(own)


def build_requires(tree: BoxTree, project: str) -> list[str]:
    """Normal names of what the project's own build needs."""
    listed = as_map(read_toml(tree, f"{project}/pyproject.toml").get("build-system")).get("requires")
    names = (
        [requirement_name(line) for line in listed if isinstance(line, str)]
        if isinstance(listed, list)
        else []
    )
    return [name for name in names if name]


def is_installable(tree: BoxTree, project: str) -> bool:
    """Whether the project is a package itself, which `pip install .` would build."""
    if tree.kind(f"{project}/setup.py") == "file":
        return True
    toml = read_toml(tree, f"{project}/pyproject.toml")
    tool = as_map(toml.get("tool"))
    if (
        as_map(tool.get("poetry")).get("package-mode") is False
        or as_map(tool.get("uv")).get("package") is False
    ):
        return False  # a list of dependencies, its author says
    if "build-system" in toml:
        return True
    # uv builds no project that does not say how; pip would
    of_uv = "uv" in tool or tree.kind(f"{project}/uv.lock") == "file"
    wanted = as_map(tool.get("uv")).get("package") is True
    return bool(as_map(toml.get("project")).get("name")) and (wanted or not of_uv)
