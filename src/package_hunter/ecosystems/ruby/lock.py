"""Gemfile.lock, Gemfile and a gem's own metadata, as far as names, versions and dependencies. Untrusted text.

Format facts: the file's own shape, bundler's lockfile_parser documentation.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass, field

from package_hunter.ecosystems import purls
from package_hunter.ecosystems.tree import as_map, as_text
from package_hunter.ecosystems.yamltext import load_text

_SPEC = re.compile(r"    ([A-Za-z0-9_.-]{1,200}) \(([A-Za-z0-9_.-]{1,100})\)$")
_NEED = re.compile(r"      ([A-Za-z0-9_.-]{1,200})(?: \(.*\))?$")
_DIRECT = re.compile(r"  ([A-Za-z0-9_.-]{1,200})!?(?: \(.*\))?$")
_GEM_LINE = re.compile(r"^[^\S\n]*+gem[\s(]++['\"]([A-Za-z0-9_.-]{1,200})['\"]", re.M)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_REMOTE = re.compile(r"  remote: (\S.{0,2000})$")
_NO_SOURCES = ("PLATFORMS", "DEPENDENCIES", "CHECKSUMS", "RUBY VERSION", "BUNDLED WITH", "")
_MAX_METADATA = 4 << 20
_MAX_SPECS = 20_000


@dataclass(slots=True)
class Gem:
    """A gem of the lock file. ``full`` is name and version with the platform, as in its file's name."""

    name: str
    version: str
    requires: list[str] = field(default_factory=list)
    source: str = "GEM"  # the section: GEM, GIT, PATH, or another that a plugin of bundler makes
    remote: str = ""  # where that section says that it comes from

    @property
    def full(self) -> str:
        """As the gem's file and folder are called."""
        return f"{self.name}-{self.version}"


@dataclass(slots=True)
class GemLock:
    """A Gemfile.lock: gems by name (the last platform that fits stands), and what the project asks for."""

    gems: dict[str, Gem] = field(default_factory=dict)
    direct: list[str] = field(default_factory=list)

    def order(self) -> list[Gem]:
        """Each gem after what it requires; loops are cut."""
        done: dict[str, None] = {}
        seen: set[str] = set()
        for start in sorted(self.gems):
            stack = [(start, iter(self.gems[start].requires))] if start not in seen else []
            seen.add(start)
            while stack:
                name, needs = stack[-1]
                fresh = next((n for n in needs if n in self.gems and n not in seen), None)
                if fresh is None:
                    done[name] = None
                    stack.pop()
                else:
                    seen.add(fresh)
                    stack.append((fresh, iter(self.gems[fresh].requires)))
        return [self.gems[name] for name in done]


def parse(text: str) -> GemLock:
    """Read a Gemfile.lock; lines that are not understood are passed over."""
    found, section, remote, last = GemLock(), "", "", None
    for line in text.splitlines():
        if line and not line.startswith(" "):
            section, remote, last = line.strip(), "", None
        elif hit := _REMOTE.match(line):
            remote = hit[1]
        elif section not in _NO_SOURCES and (hit := _SPEC.match(line)):
            last = _spec(found, hit[1], hit[2], section, remote)
        elif last is not None and (hit := _NEED.match(line)):
            last.requires.append(hit[1])
        elif section == "DEPENDENCIES" and (hit := _DIRECT.match(line)):
            found.direct.append(hit[1])
    return found


def _spec(found: GemLock, name: str, version: str, section: str, remote: str) -> Gem | None:
    """Of several platforms, the one for this machine, else the plain one."""
    known = found.gems.get(name)
    if len(found.gems) >= _MAX_SPECS or (known is not None and _fit(known.version) >= _fit(version)):
        return None
    gem = found.gems[name] = Gem(name, version, source=section[:40], remote=remote)
    return gem


def _fit(version: str) -> int:
    platform = version.partition("-")[2]
    if not platform:
        return 1
    return 2 if platform in ("x86_64-linux", "x86_64-linux-gnu") else 0


def gemfile_names(text: str) -> list[str]:
    """Names in ``gem "NAME"`` lines of a Gemfile, which is a program: what it computes is not seen."""
    return list(dict.fromkeys(_GEM_LINE.findall(text)))[:_MAX_SPECS]


def metadata(packed: bytes) -> tuple[str, str, list[str]]:
    """Name, version and run-time dependencies out of a gem's metadata.gz; empty texts where it is not
    sound."""
    try:
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = reader.decompress(packed, _MAX_METADATA).decode("utf-8", "replace")
    except (zlib.error, gzip.BadGzipFile):
        return "", "", []
    spec = as_map(load_text(text))
    name, version = as_text(spec.get("name"), 200), as_text(as_map(spec.get("version")).get("version"), 100)
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(version):
        return "", "", []
    listed = spec.get("dependencies")
    needs = [as_map(item) for item in listed] if isinstance(listed, list) else []
    names = [as_text(item.get("name"), 200) for item in needs if item.get("type") in (":runtime", None)]
    return name, version, [needed for needed in names if _NAME.fullmatch(needed)]


def purl(name: str, version: str) -> str:
    """``pkg:gem/…``, without the platform."""
    return purls.purl("gem", name, version.partition("-")[0])
