"""Which encodings a package's own source names: what it would decode before it executes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Package

MOST = 3  # encodings that are tried
ROTE = ("base64", "json", "hex", "gzip", "reversed")
_PACKAGES, _FILES, _BYTES, _DEPTH = (
    200,
    100,
    1 << 20,
    3,
)  # packages of a round; files, bytes and folders of each
_SOURCE = (".js", ".cjs", ".mjs", ".ts", ".py", ".rb", ".sh")
_MEMBER = re.compile(rb"\.([A-Za-z_]\w{1,20})\b(?!\s*\()|\[['\"]([A-Za-z_]\w{1,20})['\"]\]")
_SIGNS = (
    ("json", re.compile(rb"JSON\.parse|\.json\(|json\.loads?\b|JSON\.load")),
    ("reversed", re.compile(rb"\.reverse\(|\[::-1\]|\breversed\(|\.reverse\b")),
    ("base64", re.compile(rb"base64|\batob\b|b64decode|unpack1?\(['\"]m")),
    ("hex", re.compile(rb"['\"]hex['\"]|fromhex|unhexlify|pack\(\[?['\"]H\*")),
    ("gzip", re.compile(rb"gunzip|gzip|\bunzip")),
    ("zlib", re.compile(rb"inflate|zlib\.decompress|createInflate")),
)


def encodings_of(source: bytes) -> tuple[str, ...]:
    """At most ``MOST``: all that the source names as one, then each alone, then by rote."""
    named = [name for name, sign in _SIGNS if sign.search(source)]
    if "gzip" in named and "zlib" in named:
        named.remove("zlib")
    if "base64" in named and "hex" in named:
        named.remove("hex")
    whole = ["+".join(named)] if named else []
    inner = ["+".join(named[1:])] if len(named) > 1 else []
    return tuple(dict.fromkeys((*whole, *inner, *named, *ROTE)))[:MOST]


def members_of(source: bytes) -> tuple[str, ...]:
    """Names by which the source takes something out of an object; at most 60."""
    found = dict.fromkeys((one or other).decode() for one, other in _MEMBER.findall(source))
    return tuple(found)[:60]


def sources(tree: BoxTree, packages: Iterable[Package]) -> dict[str, bytes]:
    """By purl, what lies in the packages' own folders; a bounded look."""
    found = {}
    for package, _ in zip((p for p in packages if p.path), range(_PACKAGES), strict=False):
        found[package.purl] = b"\n".join(_read(tree, str(package.path)))
    return found


def _read(tree: BoxTree, folder: str) -> Iterator[bytes]:
    left = _BYTES
    for path, _ in zip(_files(tree, folder, _DEPTH), range(_FILES), strict=False):
        data = tree.read(path, left)
        if data is not None:
            left -= len(data)
            yield data


def _files(tree: BoxTree, folder: str, depth: int) -> Iterator[str]:
    for name in tree.names(folder)[:_FILES]:
        path = f"{folder}/{name}"
        if name.endswith(_SOURCE):
            yield path
        elif depth > 0 and name != "node_modules" and tree.kind(path) == "folder":
            yield from _files(tree, path, depth - 1)
