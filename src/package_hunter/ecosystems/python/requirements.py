"""What a Python project asks for: requirement files, pyproject.toml, lock files. All of it is untrusted text.

Where an index is named in them (``--index-url`` and the like), that is left out: registries come from the
host's own configuration, never from what is scanned.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

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
_MAX_FILES, _MAX_LINES = 50, 20_000
_FILES = ("requirements.txt", "requirements/base.txt", "requirements/production.txt", "requirements.in")


@dataclass(slots=True)
class Wanted:
    """Lines for pip, the names that they ask for, what was left out, and where they came from."""

    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    source: str = ""
    locked: bool = False  # names every package of the tree, with its version

    def add(self, line: str) -> None:
        """A requirement as pip takes it."""
        line = _OWN_OPTION.sub("", line)
        name = requirement_name(line)
        if name is None:
            self.dropped.append(line[:100])
            return
        self.lines.append(line)
        self.names.append(name)
        hit = re.search(r"@\s*(https?://\S+)", line)
        if hit:
            self.urls.append(hit[1].split("#", 1)[0])


def normal(name: str) -> str:
    """A name in the form that PyPI compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str | None:
    """The normal name that a requirement asks for; None where it is none by name (a path, an address)."""
    hit = _NAME.match(line)
    return normal(hit[1]) if hit else None


def wanted(tree: BoxTree, project: str) -> Wanted:
    """What the project asks for: its lock file if it has one, else its requirement files, else
    pyproject.toml."""
    for read in (_uv_lock, _poetry_lock, _pipfile_lock, _requirement_files, _pyproject):
        found = read(tree, project)
        if found is not None:
            return found
    return Wanted()


def _toml(tree: BoxTree, path: str) -> dict[str, Any]:
    raw = tree.read(path, 16 << 20)
    try:
        return toml.loads(raw.decode("utf-8", "replace")) if raw is not None else {}
    except toml.TomlError:
        return {}


def _packages(lock: dict[str, Any]) -> list[dict[str, Any]]:
    listed = lock.get("package")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _uv_lock(tree: BoxTree, project: str) -> Wanted | None:
    packages = _packages(_toml(tree, f"{project}/uv.lock"))
    if not packages:
        return None
    found = Wanted(source="uv.lock", locked=True)
    for item in packages:
        source = as_map(item.get("source"))
        if "registry" in source:
            _pin(found, item)
        elif not {"editable", "virtual", "directory"} & set(source):
            found.dropped.append(as_text(item.get("name"), 100))
    return found


def _poetry_lock(tree: BoxTree, project: str) -> Wanted | None:
    packages = _packages(_toml(tree, f"{project}/poetry.lock"))
    if not packages:
        return None
    found = Wanted(source="poetry.lock", locked=True)
    for item in packages:
        kind = as_map(item.get("source")).get("type")
        if kind in (None, "legacy"):
            _pin(found, item)
        else:
            found.dropped.append(as_text(item.get("name"), 100))
    return found


def _pin(found: Wanted, item: dict[str, Any]) -> None:
    name, version = as_text(item.get("name"), 200), as_text(item.get("version"), 100)
    if _PLAIN.fullmatch(name) and re.fullmatch(r"[A-Za-z0-9.!+_-]+", version):
        found.add(f"{name}=={version}{_marker(item)}")


def _marker(item: dict[str, Any]) -> str:
    """uv's and poetry's markers for packages of other systems, as far as one text says it."""
    markers = item.get("resolution-markers") or item.get("markers")
    text = markers if isinstance(markers, str) else ""
    return f" ; {text}" if text and re.fullmatch(r"[\w\s.'\"<>=!()-]{1,500}", text) else ""


def _pipfile_lock(tree: BoxTree, project: str) -> Wanted | None:
    lock = parse_object(tree.read(f"{project}/Pipfile.lock", 16 << 20))
    if not lock:
        return None
    found = Wanted(source="Pipfile.lock", locked=True)
    for name, item in {**as_map(lock.get("develop")), **as_map(lock.get("default"))}.items():
        version = as_text(as_map(item).get("version"), 100)
        if version.startswith("=="):
            found.add(f"{name}{version}")
        else:
            found.dropped.append(name[:100])
    return found


def _requirement_files(tree: BoxTree, project: str) -> Wanted | None:
    start = next((name for name in _FILES if tree.kind(f"{project}/{name}") == "file"), None)
    if start is None:
        return None
    found = Wanted(source=start)
    _read_file(tree, project, start, found, set())
    return found


def _read_file(tree: BoxTree, project: str, name: str, found: Wanted, seen: set[str]) -> None:
    if name in seen or len(seen) >= _MAX_FILES or ".." in name.split("/"):
        return
    seen.add(name)
    text = (tree.read(f"{project}/{name}", 4 << 20) or b"").decode("utf-8-sig", "replace")
    for line in re.sub(r"\\\r?\n", " ", text).splitlines()[:_MAX_LINES]:
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        include = re.match(r"(?:-r|--requirement)[\s=]*(\S+)", line)
        if include:
            folder = name.rpartition("/")[0]
            _read_file(tree, project, f"{folder}/{include[1]}".lstrip("/").replace("./", ""), found, seen)
        elif line.startswith("-"):
            (found.lines if line.startswith(_KEPT_OPTIONS) else found.dropped).append(line[:200])
        elif line:
            found.add(line)


def _pyproject(tree: BoxTree, project: str) -> Wanted | None:
    toml = _toml(tree, f"{project}/pyproject.toml")
    if not toml:
        return None
    found = Wanted(source="pyproject.toml")
    listed = as_map(toml.get("project")).get("dependencies")
    for line in listed if isinstance(listed, list) else []:
        if isinstance(line, str):
            found.add(line)
    poetry = as_map(as_map(toml.get("tool")).get("poetry"))
    for name, value in as_map(poetry.get("dependencies")).items():
        if name != "python":
            found.add(_poetry_requirement(name, value))
    return found


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
