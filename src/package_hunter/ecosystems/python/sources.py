"""Where a Python requirement comes from: a registry (by name), the project's own files, or somewhere else.

What lies in the project is scanned from there; what lies elsewhere (git, an address, a path outside) can be had
from allowed hosts only, and what cannot be had must be said: it was not scanned.

Format facts: pip's documentation (requirement specifiers, VCS support), PEP 440 and 508, PEP 751.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker

from package_hunter.ecosystems.tree import BoxTree, as_text
from package_hunter.model.text import shortened

_NAMED = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?)\s*(\[[\w.,\s-]{0,200}\])?\s*@\s*(\S.*)"
)
_VCS = re.compile(r"(?:git|hg|svn|bzr)\+", re.I)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SCP = re.compile(r"(?!\S+@file:)[\w.-]+@[\w.-]+:(?!/)\S")  # git@host:path
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))$", re.I)
_TAIL = re.compile(r"\s*(\[[\w.,\s-]{0,200}\])\s*$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]{1,200})")
_FILE_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?(?:-(?!\d)[A-Za-z0-9._]+)*)-\d")
# What build tools put for the folder of the project: pdm, hatch, and shells.
_PROJECT = re.compile(r"(?:file:/{0,3})?(?:\$\{PROJECT_ROOT\}|\{root:uri\}|\{root\}|\$\{?PWD\}?)")
BOX = {
    "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64",
    "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
}  # fmt: skip
_MAX = 2_000  # characters of a requirement
_EXTRA = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_MOST_EXTRAS = 100


@dataclass(frozen=True, slots=True)
class Local:
    """A package in the project itself. ``path`` is its folder or file below it (``.``: the project), ``name`` what
    the requirement calls it (``""``: it does not say), ``extras`` as in ``[a,b]``."""

    path: str
    name: str = ""
    editable: bool = False
    extras: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """A dependency that neither a registry nor the project has. ``why`` it cannot be had at all; ``""`` where
    a setting may allow its ``host``. ``asked`` is how pip takes it."""

    name: str
    address: str
    why: str = ""
    asked: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host that has it, where it is asked for by HTTP; else ``""``."""
        try:
            parts = urlsplit(re.sub(r"^\w+\+", "", self.address))
            return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
        except ValueError:
            return ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a requirement stands: in a file of ``folder``, of the project that ``tree`` shows at ``project``.
    Relative paths are looked for from there, else from the project's top (pip's way)."""

    tree: BoxTree
    project: str
    folder: str

    def find(self, path: str) -> tuple[str, str]:
        """The path below the project, and ``""``; or why it is not there."""
        inside = False
        for base in (self.folder, self.project):
            whole = posixpath.normpath(posixpath.join(base, path))
            if whole != self.project and not whole.startswith(f"{self.project}/"):
                continue
            inside = True
            if self.tree.kind(whole) == "link":  # one that leads elsewhere in the project
                target = self.tree.link_target(whole) or ""
                whole = posixpath.normpath(posixpath.join(posixpath.dirname(whole), target))
            there = whole.startswith(f"{self.project}/") and self.tree.kind(whole) in ("file", "folder")
            if whole == self.project or there:
                return posixpath.relpath(whole, self.project), ""
        return path, "is not in the project" if inside else "lies outside of the project"


def classify(line: str, place: Place | None, editable: bool = False) -> Local | Outside | None:
    """What a requirement asks for beside a registry; None where it is one by name. Its marker is not looked
    at (see ``applies``)."""
    text = without_marker(" ".join(line[:_MAX].split()))
    named = _NAMED.fullmatch(text) if not _SCP.match(text) else None
    name, extras, address = (named[1], named[2] or "", named[3]) if named else ("", "", text)
    # pip takes what is asked for in editable form for a path, however it is spelled
    if named is None and not editable and not _looks_like_path(address, place) and not _is_address(address):
        return None
    name = name or _name_in(address)
    if _is_address(address) and not address.lower().startswith("file:"):
        asked = ("-e", text) if editable else (text,)
        why = "" if Outside("", address).host else "it is not asked for by HTTP"
        return Outside(name, address, why, asked)
    return _in_project(name, extras, address, place, editable)


def from_table(name: str, table: Mapping[str, Any], place: Place | None) -> Local | Outside | None:
    """What a table of a lock file or of pyproject.toml says: keys as uv, poetry, pdm and pipenv write them (``rev``
    names the revision). None where it names a registry or nothing."""
    name, extras = name[:200], _extras(table)
    asked = f"{name}[{extras}]" if extras else name
    for kind in ("git", "hg", "svn", "bzr"):
        if table.get(kind):
            # uv puts what was asked for behind a question mark, and the commit behind a number sign
            url, _, commit = str(table[kind])[:_MAX].partition("#")
            rev = commit or as_text(table.get("rev"), 200)
            address = f"{kind}+{url.partition('?')[0]}" + (f"@{rev}" if rev else "")
            return classify(f"{asked} @ {address}", place) or Outside(name, address, "it was not understood")
    url, path = as_text(table.get("url"), _MAX), as_text(table.get("path") or table.get("file"), _MAX)
    path = path or as_text(table.get("directory") or table.get("editable"), _MAX)
    if url or "://" in path:
        return classify(f"{asked} @ {url or path}", place) or Outside(
            name, url or path, "it was not understood"
        )
    if path:
        return _in_project(name, f"[{extras}]" if extras else "", path, place, bool(table.get("editable")))
    return None


def extras_of(line: str) -> list[str]:
    """The extras of a requirement by name (``NAME[a,b]…``)."""
    hit = re.match(r"\s*[\w.-]{1,200}\s*\[([\w.,\s-]{0,200})\]", line)
    return [text for part in hit[1].split(",") if (text := part.strip())] if hit else []


def _extras(table: Mapping[str, Any]) -> str:
    """The extras that a table asks for, with commas between."""
    listed = table.get("extras")
    names = listed[:_MOST_EXTRAS] if isinstance(listed, list) else []
    return ",".join(name for name in names if isinstance(name, str) and _EXTRA.fullmatch(name))


def _in_project(name: str, extras: str, address: str, place: Place | None, editable: bool) -> Local | Outside:
    tail = _TAIL.search(address)
    if tail is not None:
        extras, address = tail[1], address[: tail.start()]
    path, _, _ = _PROJECT.sub(".", address).partition("#")
    if path.lower().startswith("file:"):
        path = unquote(re.sub(r"^//(?:localhost)?(?=[/.])", "", path[5:])) or "."
    found, why = place.find(path) if place is not None else (path, "is not in the project")
    if why or "\0" in found:
        return Outside(name, address, f"it {why or 'has an impossible name'}")
    return Local(found, name, editable, extras.replace(" ", ""))


def without_marker(line: str) -> str:
    """The requirement without its environment marker."""
    return re.split(r"\s;|;\s", line, maxsplit=1)[0].strip()


def applies(line: str) -> bool:
    """Whether the requirement's marker may hold in the box (Linux, CPython; which release is not asked)."""
    parts = re.split(r"\s;|;\s", line[:_MAX], maxsplit=1)
    return len(parts) < 2 or marker_applies(parts[1])


def marker_applies(text: str) -> bool:
    """See applies. What is no marker, or asks for more than is known here, may hold."""
    if not text.strip():
        return True
    if re.search(r"python_(full_)?version|implementation_version|platform_(release|version)", text):
        return True
    try:
        return Marker(text.strip()).evaluate(BOX)
    except (InvalidMarker, ValueError, KeyError, RecursionError):
        return True


def _is_address(text: str) -> bool:
    return bool(_VCS.match(text) or _SCHEME.match(text) or _SCP.match(text)) or text.lower().startswith(
        "file:"
    )


def _looks_like_path(text: str, place: Place | None) -> bool:
    """pip's rule: a dot in front, a slash, or an archive's ending of a file that is there."""
    bare = _TAIL.sub("", text)
    if bare.startswith(".") or re.match(r"[^\[<>=!~;@\s]*[/\\]", bare):
        return True
    return _ARCHIVE.search(bare) is not None and " " not in bare


def _name_in(address: str) -> str:
    """A name for a dependency that only has an address: as ``#egg=`` says, else as its file or folder is called."""
    egg = _EGG.search(address)
    if egg is not None:
        return egg[1]
    path = re.split(r"[?#]", address, maxsplit=1)[0].rstrip("/")
    if _VCS.match(address) or _SCP.match(address):  # …/click.git@8.1.7, …/click.git@feature/x
        path = re.sub(r"^(?:[\w+.-]+://)?[^/:]*[/:]", "", path).partition("@")[0]
        return path.rpartition("/")[2].removesuffix(".git")
    last = path.rpartition("/")[2] or path
    file = _FILE_NAME.match(last) if _ARCHIVE.search(last) else None
    return file[1] if file is not None else ""


def label(name: str, address: str) -> str:
    """A dependency in a sentence."""
    where = shortened(address, 300)
    return f"{shortened(name)} ({where})" if name and name != address else where
