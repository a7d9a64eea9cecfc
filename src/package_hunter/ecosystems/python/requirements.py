"""What a Python project asks for: requirement files, pyproject.toml, lock files. All of it is untrusted text.

What is asked for by name comes from a registry; the project's own folders and files, and what lies elsewhere, are
kept apart (see the module ``sources``): nothing that is asked for goes by without a word. Where an index is named
in them (``--index-url`` and the like), that is left out: registries come from the host's own configuration, never
from what is scanned.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from package_hunter.ecosystems.python import folders, origins
from package_hunter.ecosystems.python.origins import Origin
from package_hunter.ecosystems.python.sources import (
    Local,
    Outside,
    Place,
    applies,
    classify,
    from_table,
    marker_applies,
)
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, parse_object
from package_hunter.model import toml

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=$|[\[<>=!~;@,( #])")
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_OWN_OPTION = re.compile(r"\s--(?!hash[= ])\S.*?(?=\s--hash|$)")  # of a requirement line; hashes stay
_KEPT_OPTIONS = (
    "--no-binary",
    "--only-binary",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--use-pep517",
)
_MAX_FILES, _MAX_LINES, _MAX_LOCAL = 50, 20_000, 200
_FILES = ("requirements.txt", "requirements/base.txt", "requirements/production.txt", "requirements.in")


@dataclass(slots=True)
class RequirementSet:
    """Lines for pip and the names that they ask for; what the project has itself (``local``, by path) and what
    lies ``outside``; options that were left out (``dropped``), sentences about files that were not read
    (``unread``), and where all came from. ``place`` is where relative paths are looked for."""

    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    source: str = ""
    locked: bool = False  # names every package of the tree, with its version
    local: dict[str, Local] = field(default_factory=dict)
    outside: list[Outside] = field(default_factory=list)
    told: set[Outside] = field(default_factory=set)  # all of ``outside``
    unread: list[str] = field(default_factory=list)
    also: set[str] = field(default_factory=set)  # names that what is local may ask for while it is built
    alone: set[str] = field(default_factory=set)  # paths of what is local whose needs stand in ``lines``
    by_setup: set[str] = field(default_factory=set)  # paths of what is local and has a setup.py only
    needs: dict[str, set[str]] = field(
        default_factory=dict
    )  # path of what is local -> names that it asks for
    place: Place | None = None
    indexes: list[str] = field(default_factory=list)  # that the project names for all it asks for
    origins: dict[str, Origin] = field(default_factory=dict)  # of lines of a lock file
    proven: dict[str, list[str]] = field(default_factory=dict)  # a stranger's host -> lines with digests

    @property
    def urls(self) -> list[str]:
        """Addresses of files that are asked for."""
        return [item.address.split("#", 1)[0] for item in self.outside if item.address.startswith("http")]

    def add(self, line: str, editable: bool = False) -> None:
        """A requirement as pip takes it."""
        line = _OWN_OPTION.sub("", line)
        found = classify(re.sub(r"\s--hash[= ].*", "", line), self.place, editable)
        name = requirement_name(line)
        if found is not None:
            self.take(found, applies(line))
        elif name is None:
            self.take(Outside("", line[:200], "it was not understood"))
        else:
            self.lines.append(line)
            self.names.append(name)

    def settle(self, known: frozenset[str]) -> None:
        """Keep the host's indexes (``known`` by their hosts) from answering for a stranger's packages: those with
        digests go to ``proven``, the others lie ``outside``."""
        lines, names = [], []
        proven: list[str] = []
        named = iter(list(self.names))
        for line in self.lines:
            name = next(named) if not line.startswith("-") else ""
            origin = self.origins.get(line, Origin())
            strange = origin.strangers(known)
            if not strange:
                lines.append(line)
                names += [name] if name else []
            elif origin.hashes:
                whole = f"{line} {' '.join(f'--hash={text}' for text in origin.hashes)}"
                self.proven.setdefault(origins.host_of(strange[0]), []).append(whole)
                proven.append(name)
            else:
                self.take(_strange(name, strange, self.place), applies(line))
        self.lines, self.names = lines, names
        self.also.update(proven)

    def strange_indexes(self, known: frozenset[str]) -> list[str]:
        """Hosts of the indexes that the project asks and this host does not: which packages those have is not
        known here. None where every line has its digest."""
        asked = [line for line in self.lines if not line.startswith("-")]
        if all("--hash" in line for line in asked):
            return []
        return list(dict.fromkeys(origins.host_of(url) for url in origins.strangers(self.indexes, known)))

    def take(self, found: Local | Outside, applies: bool = True) -> None:
        """What no registry has; nothing where it is for other systems."""
        if applies and isinstance(found, Local):
            self.local.setdefault(found.path, found)
        elif applies and isinstance(found, Outside) and found not in self.told:
            self.told.add(found)
            self.outside.append(found)

    def add_source(self, name: str, source: Mapping[str, Any], applies: bool = True) -> bool:
        """What a table says of where ``name`` comes from, in the words of any tool; False where it says nothing
        but a registry."""
        found = from_table(name, source, self.place)
        if found is not None:
            self.take(found, applies)
        return found is not None


def _strange(name: str, urls: tuple[str, ...], place: Place | None) -> Outside:
    """A package of a stranger's index, or the file there that its lock file names."""
    archive = next((url for url in urls if url.lower().endswith((".whl", ".tar.gz", ".zip"))), None)
    found = classify(f"{name} @ {archive}", place) if archive is not None else None
    if isinstance(found, Outside):
        return found
    host = origins.host_of(urls[0])
    return Outside(name, host, "this host's package manager is not set up for that index")


def normal(name: str) -> str:
    """A name in the form that PyPI compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str | None:
    """The normal name that a requirement asks for; None where it is none by name (a path, an address)."""
    hit = _NAME.match(line)
    return normal(hit[1]) if hit else None


def wanted(tree: BoxTree, project: str) -> RequirementSet:
    """What the project asks for: its lock file if it has one, else its requirement files, else
    pyproject.toml."""
    for read in (_uv_lock, _poetry_lock, _pdm_lock, _pylock, _pipfile_lock, _requirement_files, _pyproject):
        found = read(tree, project)
        if found is not None:
            _describe(found, tree, project)
            return found
    found = RequirementSet(source="setup.py" if tree.kind(f"{project}/setup.py") == "file" else "")
    found.place = Place(tree, project, project)
    _describe(found, tree, project)
    return found


def _describe(found: RequirementSet, tree: BoxTree, project: str) -> None:
    """Names of what is local, and what it needs in turn, as far as that stands in plain words."""
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
    toml = _toml(tree, f"{place.folder}/pyproject.toml")
    own = _pyproject(tree, place.folder, place)
    static = own is not None and ("poetry" in as_map(toml.get("tool")) or "project" in toml)
    told = as_map(toml.get("project")).get("dynamic")
    if item.path == "." and found.source == "pyproject.toml":
        own, static = None, False  # that was read already
    if own is None or not static or (isinstance(told, list) and "dependencies" in told):
        own = RequirementSet(place=place)
        for line in said.requires:
            own.add(line)
        static = False
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
    listed = as_map(
        as_map(_toml(tree, f"{folder}/pyproject.toml").get("project")).get("optional-dependencies")
    )
    lines = [
        line for part in listed.values() if isinstance(part, list) for line in part if isinstance(line, str)
    ]
    return {name for line in lines if (name := requirement_name(line)) is not None}


def unsound(tree: BoxTree, project: str) -> str | None:
    """Why the project's pyproject.toml cannot be read; None where it can, or is not there."""
    raw = tree.read(f"{project}/pyproject.toml", 16 << 20)
    try:
        toml.loads((raw or b"").decode("utf-8", "replace"))
    except toml.TomlError as error:
        return str(error)[:300]
    return None


def _toml(tree: BoxTree, path: str) -> dict[str, Any]:
    raw = tree.read(path, 16 << 20)
    try:
        return toml.loads(raw.decode("utf-8", "replace")) if raw is not None else {}
    except toml.TomlError:
        return {}


def _packages(lock: dict[str, Any], key: str = "package") -> list[dict[str, Any]]:
    listed = lock.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _lock(tree: BoxTree, project: str, name: str) -> RequirementSet:
    return RequirementSet(source=name, locked=True, place=Place(tree, project, project))


def _uv_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    packages = _packages(_toml(tree, f"{project}/uv.lock"))
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


def _poetry_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    packages = _packages(_toml(tree, f"{project}/poetry.lock"))
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


def _pdm_lock(tree: BoxTree, project: str) -> RequirementSet | None:
    packages = _packages(_toml(tree, f"{project}/pdm.lock"))
    if not packages:
        return None
    found = _lock(tree, project, "pdm.lock")
    named = origins.of_tools(_toml(tree, f"{project}/pyproject.toml"))
    for item in packages:
        name = as_text(item.get("name"), 200)
        table = {**item, "rev": item.get("revision")}
        if not found.add_source(name, table, applies=marker_applies(as_text(item.get("marker")))):
            _pin(found, {**item, "markers": item.get("marker")}, named)
    return found


def _pylock(tree: BoxTree, project: str) -> RequirementSet | None:
    """PEP 751."""
    packages = _packages(_toml(tree, f"{project}/pylock.toml"), "packages")
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
    """uv's and poetry's markers for packages of other systems, as far as one text says it."""
    markers = item.get("resolution-markers") or item.get("markers")
    text = markers if isinstance(markers, str) else ""
    return f" ; {text}" if text and re.fullmatch(r"[\w\s.'\"<>=!()-]{1,500}", text) else ""


def _pipfile_lock(tree: BoxTree, project: str) -> RequirementSet | None:
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
        if version.startswith("=="):
            named = sources.get(as_text(item.get("index")))
            found.origins[f"{name}{version}"] = origins.of_item(item, [named] if named else sources.values())
            found.add(f"{name}{version}")
        else:
            found.take(Outside(name[:200], version, "it has no version"))
    return found


def _requirement_files(tree: BoxTree, project: str) -> RequirementSet | None:
    start = next((name for name in _FILES if tree.kind(f"{project}/{name}") == "file"), None)
    if start is None:
        return None
    found = RequirementSet(source=start, place=Place(tree, project, project))
    _read_file(tree, project, start, found, set())
    return found


def _read_file(tree: BoxTree, project: str, name: str, found: RequirementSet, seen: set[str]) -> None:
    if name in seen:
        return
    seen.add(name)
    raw = tree.read(f"{project}/{name}", 4 << 20) if not name.startswith("../") else None
    if raw is None or len(seen) > _MAX_FILES:
        why = "lies outside of the project" if name.startswith("../") else "could not be read"
        found.unread.append(f"{name[:200]} {why}, so what it asks for was not scanned.")
        return
    place, found.place = found.place, Place(tree, project, posixpath.dirname(f"{project}/{name}"))
    lines = re.sub(r"\\\r?\n", " ", raw.decode("utf-8-sig", "replace")).splitlines()
    for line in lines[:_MAX_LINES]:
        _read_line(tree, project, name, re.sub(r"(^|\s)#.*$", "", line).strip(), found, seen)
    if len(lines) > _MAX_LINES:
        found.unread.append(f"{name[:200]} has more than {_MAX_LINES} lines; the rest was not scanned.")
    found.place = place


def _read_line(
    tree: BoxTree, project: str, name: str, line: str, found: RequirementSet, seen: set[str]
) -> None:
    include = re.match(r"(?:-r|--requirement)[\s=]*(\S+)", line)
    editable = re.match(r"(?:-e|--editable)[\s=]*(\S.*)", line)
    links = re.match(r"(?:-f|--find-links)[\s=]*(\S+)", line)
    if include and "://" in include[1]:
        found.unread.append(
            f"{include[1][:200]} lies outside of the project, so what it asks for was not scanned."
        )
    elif include:
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), include[1].removeprefix("file:")))
        _read_file(tree, project, inner if not inner.startswith("/") else f"../{inner}", found, seen)
    elif links:
        _find_links(found, links[1])
    elif line.startswith("--no-index") and any(kept.startswith("--find-links") for kept in found.lines):
        found.lines.append("--no-index")
    elif editable:
        found.add(re.sub(r"^([\"'])(.*)\1$", r"\2", editable[1]), editable=True)
    elif line.startswith("-"):
        found.indexes += [url] if (url := origins.of_option(line)) else []
        (found.lines if line.startswith(_KEPT_OPTIONS) else found.dropped).append(line[:200])
    elif line:
        found.add(line)


def _find_links(found: RequirementSet, where: str) -> None:
    """A folder of packages, kept where it lies in the project: else others of their names would be scanned."""
    place = found.place
    if place is None or "://" in where.removeprefix("file://"):
        found.dropped.append(f"--find-links {where}"[:200])
        found.indexes.append(where[:2_000])
        return
    path, why = place.find(re.sub(r"^file:(//(?=[/.]))?", "", where))
    if why:
        found.unread.append(f"The packages in {where[:200]} were not scanned: it {why}.")
    elif not re.search(r"[\s\\\"'#]", path):
        found.lines.append(f"--find-links {place.project}/{path}")


def _pyproject(tree: BoxTree, project: str, place: Place | None = None) -> RequirementSet | None:
    """``place``: where its relative paths begin; the project itself if it is not given."""
    toml = _toml(tree, f"{project}/pyproject.toml")
    if not toml:
        return None
    place = place or Place(tree, project, project)
    found = RequirementSet(source="pyproject.toml", place=place, indexes=origins.of_tools(toml))
    tool = as_map(toml.get("tool"))
    told = {normal(name): value for name, value in as_map(as_map(tool.get("uv")).get("sources")).items()}
    listed = as_map(toml.get("project")).get("dependencies")
    for line in listed if isinstance(listed, list) else []:
        if isinstance(line, str) and not _from_sources(found, line, told, tool):
            found.add(line)
    poetry = as_map(tool.get("poetry"))
    for name, value in as_map(poetry.get("dependencies")).items():
        elsewhere = [found.add_source(name, table) for table in _tables(value)]
        if name != "python" and not any(elsewhere):
            found.add(_poetry_requirement(name, value))
    return found


def _from_sources(found: RequirementSet, line: str, told: Mapping[str, Any], tool: dict[str, Any]) -> bool:
    """Whether ``[tool.uv.sources]`` says that a requirement comes from elsewhere than a registry."""
    name = requirement_name(line)
    value = told.get(name) if name is not None else None
    tables = _tables(value)
    if any(table.get("workspace") is True for table in tables) and name is not None:
        found.take(_member(found, name, tool), applies(line))
        return True
    elsewhere = [found.add_source(name or "", table, applies(line)) for table in tables]
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
    """A member of uv's workspace, by its name."""
    listed = as_map(as_map(tool.get("uv")).get("workspace")).get("members")
    place = found.place
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


def _poetry_requirement(name: str, value: object) -> str:
    """Poetry's ``^1.2`` and ``~1.2`` in pip's words; what it cannot say so is asked for by name alone."""
    version = value if isinstance(value, str) else as_text(as_map(value).get("version"))
    hit = re.fullmatch(r"([\^~]?)\s*([0-9]{1,9})((?:\.[0-9]{1,9})*)", version.strip())
    if hit is None:
        return f"{name}{version}" if re.fullmatch(r"[<>=!~,.\d\s*]+", version) and version != "*" else name
    sign, major, rest = hit.groups()
    parts = f"{major}{rest}".split(".")
    if not sign:
        return f"{name}=={major}{rest}"
    if sign == "~":
        upper = f"{major}.{int(parts[1]) + 1}" if len(parts) > 1 else str(int(major) + 1)
    else:
        upper = str(int(major) + 1) if major != "0" or len(parts) < 2 else f"0.{int(parts[1]) + 1}"
    return f"{name}>={major}{rest},<{upper}"


def build_requires(tree: BoxTree, project: str) -> list[str]:
    """Normal names of what the project's own build needs."""
    listed = as_map(_toml(tree, f"{project}/pyproject.toml").get("build-system")).get("requires")
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
    toml = _toml(tree, f"{project}/pyproject.toml")
    return "build-system" in toml or bool(as_map(toml.get("project")).get("name"))


def project_name(tree: BoxTree, project: str) -> str:
    """The project's own name, or ``""``."""
    toml = _toml(tree, f"{project}/pyproject.toml")
    poetry = as_map(as_map(toml.get("tool")).get("poetry"))
    return as_text(as_map(toml.get("project")).get("name"), 200) or as_text(poetry.get("name"), 200)


def dumps(lines: list[str]) -> bytes:
    """A requirements file."""
    return ("\n".join(lines) + "\n").encode()


def shown(names: list[str]) -> str:
    """Some names for a sentence."""
    return json.dumps(names[:5], ensure_ascii=True)[1:-1] + (" …" if len(names) > 5 else "")
