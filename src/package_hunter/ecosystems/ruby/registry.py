"""The RubyGems index's read side: which gem a path asks for, what an answer teaches.

Facts: the compact index (``/versions``, ``/info/NAME``; guides of RubyGems, bundler's compact_index_client), the
older index (``/specs.4.8.gz``, ``/quick/Marshal.4.8/NAME-VERSION.gemspec.rz``), artefacts at ``/gems/``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAME = r"[A-Za-z0-9_.-]{1,200}"
_INFO = re.compile(rf"/(?:info|api/v2/rubygems)/({NAME})")
_GEM = re.compile(rf"/(?:gems|downloads)/({NAME})\.gem")
_QUICK = re.compile(rf"/quick/Marshal\.4\.8/({NAME})\.gemspec\.rz")
_WHOLE = frozenset(
    ("/versions", "/names", "/specs.4.8.gz", "/latest_specs.4.8.gz", "/prerelease_specs.4.8.gz",
     "/specs.4.8", "/latest_specs.4.8", "/prerelease_specs.4.8")
)  # fmt: skip
_LINE = re.compile(rf"({NAME}) ([^|]*)\|(.*)")
_CHECKSUM = re.compile(r"(?:^|,)checksum:([0-9a-f]{64})(?:,|$)")


@dataclass(frozen=True, slots=True)
class GemPath:
    """What a path asks for: ``info`` of a gem; ``gem`` or ``quick``, ``item`` being name, version and platform
    as in the file's name; ``whole``, an index of everything; ``root``; or ``unknown``."""

    kind: str
    item: str = ""


def read_path(path: str) -> GemPath:
    """``path`` is the decoded path below the source's base, starting with a slash."""
    if path in ("/", ""):
        return GemPath("root")
    if path in _WHOLE:
        return GemPath("whole", path)
    for kind, pattern in (("info", _INFO), ("gem", _GEM), ("quick", _QUICK)):
        if match := pattern.fullmatch(path):
            return GemPath(kind, match[1])
    return GemPath("unknown", path)


def names_of(full: str) -> Iterator[str]:
    """The names that the gem ``NAME-VERSION[-PLATFORM]`` may have, longest first: a version begins with a
    digit, but so may what follows a dash in a name."""
    parts = full.split("-")
    for end in range(len(parts) - 1, 0, -1):
        if parts[end][:1].isdigit():
            yield "-".join(parts[:end])


def info_lesson(name: str, text: bytes) -> dict[str, Any]:
    """What ``/info/NAME`` teaches: ``names`` that its versions depend on, ``files``: NAME-VERSION[-PLATFORM] ->
    (version with platform, SRI or ``""``). Lines: ``VERSION[-PLATFORM] DEP:REQ&REQ,DEP:REQ|checksum:HEX,...``"""
    names: set[str] = set()
    files: dict[str, tuple[str, str]] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        version, needs, facts = match.groups()
        for need in needs.split(","):
            needed = need.partition(":")[0].strip()
            if re.fullmatch(NAME, needed):
                names.add(needed)
        digest = _CHECKSUM.search(facts)
        sri = "sha256-" + base64.b64encode(bytes.fromhex(digest[1])).decode() if digest else ""
        files[f"{name}-{version}"] = (version, sri)
    return {"names": sorted(names), "files": files}


def no_lesson(_: bytes) -> dict[str, Any]:
    """Of an answer that teaches nothing."""
    return {}
