"""What lies in a virtual environment: dist-info folders, modules, start-up files. Untrusted once builds
ran."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.parser import HeaderParser
from typing import NamedTuple
from urllib.parse import unquote

from package_hunter.ecosystems import purls
from package_hunter.ecosystems.base import longer_way
from package_hunter.ecosystems.python import places
from package_hunter.ecosystems.python.asked import normal, requirement_name
from package_hunter.ecosystems.tree import BoxTree, as_text
from package_hunter.model.scan import Package

_MAX_PACKAGES = 20_000
_MAX_RECORD = 16 << 20
_EXTENSION = re.compile(r"\.(?:abi3|cpython-[\w-]+|[\w-]+)?\.?so$")
_COMMAND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_CUSTOM = ("sitecustomize", "usercustomize")
_STARTUP = tuple(f"{name}{end}" for name in _CUSTOM for end in (".py", "/__init__.py"))
_MAX_STARTUP = 1 << 20  # bytes of a start-up file that several lists name
_DIGEST = re.compile(
    r"^([^,/\n]{1,200}\.pth|(?:site|user)customize(?:/__init__)?\.py),sha256=([A-Za-z0-9_-]{43})=?,", re.M
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution. ``modules`` are its import names, the outermost that load something of its own,
    ``inner`` all modules below, ``startup`` the files of it that every start of Python runs, ``commands``
    what it puts into bin, ``places`` what is its own (see the module ``places``), ``source`` the address that pip
    had it from where that was no registry."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    startup: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    source: str = ""
    asks: tuple[str, ...] = ()
    """All that its metadata says it needs, as it says it."""


def site_packages(tree: BoxTree, venv: str) -> str | None:
    """The environment's site-packages."""
    names = [name for name in tree.names(f"{venv}/lib") if re.fullmatch(r"python3\.\d+", name)]
    return f"{venv}/lib/{names[0]}/site-packages" if names else None


def distributions(tree: BoxTree, venv: str) -> list[Distribution]:
    """Every distribution of an environment, by its dist-info folder."""
    site = site_packages(tree, venv)
    if site is None:
        return []
    infos = [name for name in tree.names(site) if name.endswith(".dist-info")][:_MAX_PACKAGES]
    left = places.MAX_ROWS
    found: list[tuple[Distribution, list[str]]] = []
    records = {info: _record(tree, site, info) for info in infos}
    _part_shared(tree, site, list(records.values()))
    for info, record in records.items():
        item = _distribution(tree, site, info, record)
        if item is not None:
            rows = record.rows if len(record.rows) <= left else [f"{name}/" for name in record.modules]
            left -= len(rows)
            found.append((item, rows))
    shared = places.shares([rows for _, rows in found], site)
    return [_with(item, share, site) for (item, _), share in zip(found, shared, strict=True)]


def runs_at_start(name: str) -> bool:
    """Whether every start of Python runs code of a file of that name, or that lies in that folder, in
    site-packages."""
    return name in (*_STARTUP, *_CUSTOM) or ("/" not in name and name.endswith(".pth"))


def _part_shared(tree: BoxTree, site: str, records: list[_Record]) -> None:
    """Of a start-up file that several lists name, the last that was laid is there: it is whose digest it has (of all,
    where no list has it)."""
    named = Counter(name for record in records for name in record.startup)
    for name in [name for name, count in named.items() if count > 1]:
        data = tree.read(f"{site}/{name}", _MAX_STARTUP)
        if data is None:
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        if any(record.digests.get(name) == digest for record in records):
            for record in records:
                if name in record.startup and record.digests.get(name) != digest:
                    record.startup.remove(name)


def _with(item: Distribution, share: places.Share, site: str) -> Distribution:
    """The distribution with its places. Where it has a part of a shared folder only, that is what is loaded."""
    project = site.rsplit("/", 4)[0]
    source = unquote(item.source.removeprefix("file://")).rstrip("/")
    given = (source,) if source.startswith(f"{project}/") and ".." not in source.split("/") else ()
    tops = {name.partition(".")[0] for name in share.modules}
    modules = (*(name for name in item.modules if name not in tops), *share.modules)
    return replace(item, modules=modules, places=(*share.places, *given))


class _Record(NamedTuple):
    rows: list[str]
    modules: dict[str, None]
    inner: dict[str, None]
    startup: list[str]
    commands: list[str]
    digests: dict[str, str]
    """Of start-up files, as the list has them (SHA-256, base64 for URLs, without padding)."""


def _distribution(tree: BoxTree, site: str, info: str, record: _Record) -> Distribution | None:
    raw = tree.read(f"{site}/{info}/METADATA", 4 << 20)
    if raw is None:
        return None
    head = HeaderParser().parsestr(raw.decode("utf-8", "replace").split("\n\n", 1)[0] + "\n")
    name, version = str(head.get("Name", ""))[:200], str(head.get("Version", ""))[:100]
    if requirement_name(name) is None:
        return None
    asks = [" ".join(str(line).split()) for line in head.get_all("Requires-Dist", [])]
    needs = {requirement_name(line) for line in asks if "extra ==" not in line}
    return Distribution(
        name,
        version,
        tuple(sorted(n for n in needs if n)),
        tuple(record.modules),
        tuple(record.startup),
        tuple(record.inner),
        tuple(name for name in record.commands if _COMMAND.fullmatch(name)),
        asks=tuple(asks),
        source=as_text(tree.read_json(f"{site}/{info}/direct_url.json", 1 << 16).get("url"), 4096),
    )


def _record(tree: BoxTree, site: str, info: str) -> _Record:
    text = (tree.read(f"{site}/{info}/RECORD", _MAX_RECORD) or b"").decode("utf-8", "replace")
    digests = {hit[1]: hit[2] for hit in _DIGEST.finditer(text)}
    found = _Record(_rows(text), {}, {}, [], [], digests)
    for row in found.rows:
        first, _, rest = row.partition("/")
        if row.startswith("../../../bin/"):
            found.commands.append(row.rpartition("/")[2])
        elif runs_at_start(row):
            found.startup.append(row)
        elif rest:
            _module_file(found, first, rest)
        else:
            name = first.removesuffix(".py") if first.endswith(".py") else _EXTENSION.sub("", first)
            if name != first and _IDENTIFIER.fullmatch(name):
                found.modules.setdefault(name)
    return found


def _module_file(found: _Record, first: str, rest: str) -> None:
    if not rest.endswith((".py", ".so")) or not _IDENTIFIER.fullmatch(first):
        return
    found.modules.setdefault(first)
    name = rest.removesuffix(".py") if rest.endswith(".py") else _EXTENSION.sub("", rest)
    parts = name.removesuffix("/__init__").split("/")
    # a __main__ is a program: it is started by its command, not loaded
    if name not in ("__init__", rest) and parts[-1] != "__main__" and all(map(_IDENTIFIER.fullmatch, parts)):
        found.inner.setdefault(".".join((first, *parts)))


def _rows(text: str) -> list[str]:
    rows = csv.reader(io.StringIO(text.replace("\0", "")))
    found: list[str] = []
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return found
        except csv.Error:
            continue  # one line that is none takes no other with it
        found += row[:1]


def purl(name: str, version: str) -> str:
    """``pkg:pypi/…``"""
    return purls.purl("pypi", normal(name), version)


def packages(
    found: list[Distribution], site: str, root: str, direct: list[str], builds: Mapping[str, str]
) -> tuple[Package, ...]:
    """The model's form, each with the way from the root. ``builds`` maps names to what ran code at
    install."""
    by_name = {normal(item.name): item for item in found}
    asked = frozenset(direct)
    ways: dict[str, tuple[str, ...]] = {}
    queue: deque[tuple[str, tuple[str, ...]]] = deque((name, (root,)) for name in direct)
    while queue:
        name, way = queue.popleft()
        item = by_name.get(name)
        if item is None or name in ways:
            continue
        ways[name] = longer_way(way, item.name)
        queue.extend((needed, ways[name]) for needed in item.requires)
    return tuple(
        Package(
            purl=purl(item.name, item.version),
            name=item.name,
            version=item.version,
            path=_path(item, site),
            chain=ways.get(name, (item.name,)),
            direct=name in asked,
            scripts={key: text for key, text in builds.items() if key == name},
            requires=item.requires,
            places=item.places,
        )
        for name, item in sorted(by_name.items(), key=lambda pair: pair[0])
    )


def _path(item: Distribution, site: str) -> str | None:
    """The folder or file of what is loaded first."""
    if not item.modules:
        return None
    base = f"{site}/{item.modules[0].replace('.', '/')}"
    return next((place for place in item.places if place == base or place.startswith(f"{base}.")), base)
