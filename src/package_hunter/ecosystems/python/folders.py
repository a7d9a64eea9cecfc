"""Packages in the project's own folders and files, as far as they can be read without running them: what they are
called, and what they need. Untrusted text."""

from __future__ import annotations

import configparser
import io
import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from email.parser import HeaderParser

from package_hunter.ecosystems.python.setup_text import listed, plain_lines
from package_hunter.ecosystems.tree import BoxTree

_MAX_TEXT, _MAX_WHEEL = 256 << 10, 32 << 20
_MAX_FILES = 20
_SETUP_NAME = re.compile(r"""\bname\s*=\s*["']([A-Za-z0-9][A-Za-z0-9._-]{0,200})["']""")
_UNSOUND = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, ValueError, NotImplementedError,
            RuntimeError, EOFError, OverflowError, IndexError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FolderMetadata:
    """``name`` (``""``: it does not say) and requirement lines of a package that is not installed yet."""

    name: str = ""
    requires: tuple[str, ...] = ()


def by_setup(tree: BoxTree, folder: str) -> FolderMetadata:
    """What setup.cfg and setup.py of a folder say in plain words; what they compute is not seen."""
    config = _setup_cfg(tree, folder)
    script = _text(tree, f"{folder}/setup.py")
    name = _SETUP_NAME.search(script)
    return FolderMetadata(config.name or (name[1] if name else ""), (*config.requires, *listed(script)))


def _setup_cfg(tree: BoxTree, folder: str) -> FolderMetadata:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_text(tree, f"{folder}/setup.cfg"))
    except (configparser.Error, ValueError):
        return FolderMetadata()
    lines: list[str] = []
    for key in ("install_requires", "setup_requires"):
        lines += _of_list(tree, folder, parser.get("options", key, fallback="") or "")
    name = parser.get("metadata", "name", fallback="") or ""
    return FolderMetadata(name.strip()[:200], tuple(lines))


def _of_list(tree: BoxTree, folder: str, value: str) -> list[str]:
    """A list of requirements as setuptools takes it: lines, or ``file:`` with the files that hold them, which lie in
    the folder, with commas or lines between (its user guide, declarative configuration)."""
    text = value.strip()
    if text.startswith("file:"):
        names = [posixpath.normpath(name.strip()) for name in re.split(r"[,\n]", text[5:]) if name.strip()]
        inside = [name for name in names[:_MAX_FILES] if not name.startswith(("/", "../"))]
        text = "\n".join(_text(tree, f"{folder}/{name}") for name in inside)
    return plain_lines(text)


def by_wheel(tree: BoxTree, path: str) -> FolderMetadata:
    """A wheel's own metadata."""
    raw = tree.read(path, _MAX_WHEEL)
    try:
        with zipfile.ZipFile(io.BytesIO(raw or b"")) as archive:
            infos = [
                item
                for item in archive.infolist()
                if re.fullmatch(r"[^/]+\.dist-info/METADATA", item.filename)
            ]
            text = archive.open(infos[0]).read(_MAX_TEXT) if len(infos) == 1 else b""
    except _UNSOUND:
        return FolderMetadata()  # pip will say what is wrong with it
    head = HeaderParser().parsestr(text.decode("utf-8", "replace").split("\n\n", 1)[0] + "\n")
    return FolderMetadata(str(head.get("Name", ""))[:200], tuple(map(str, head.get_all("Requires-Dist", []))))


def _text(tree: BoxTree, path: str) -> str:
    return (tree.read(path, _MAX_TEXT) or b"").decode("utf-8", "replace")
