"""Which index or address each package of a Python project comes from, where a file of the project says so.

Registries come from the host's own configuration, never from what is scanned. A package that the project has from
another place may be something else there: the host's index may give its own in its place only where the lock file's
digests, which pip is then made to check, prove that they are the same bytes. Else that is told.

Format facts: pip's requirements files, PEP 751, the lock files of uv, poetry, pdm and pipenv.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from package_hunter.ecosystems.tree import as_map, as_text

_OPTION = re.compile(r"(?:-i|--index-url|--pypi-url|--extra-index-url|-f|--find-links)(?:\s*=\s*|\s*)(\S+)")
_HASH = re.compile(r"sha(?:256|384|512):[0-9a-f]{64,128}")
_MAX_FILES, _MAX_URL = 1_000, 2_000
UNKNOWN = "an address that was not understood"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a lock file has a package from: addresses of its indexes and files, and the digests of its files
    (``sha256:HEX``); none where a file is without one."""

    urls: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()

    def strangers(self, known: frozenset[str]) -> tuple[str, ...]:
        """The addresses at hosts that are not among ``known``."""
        return strangers(self.urls, known)


def host_of(url: str) -> str:
    """The host of an address, for a sentence and to compare: never with the credentials in it."""
    try:
        return urlsplit(url).hostname or UNKNOWN
    except ValueError:
        return UNKNOWN


def strangers(urls: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """The addresses whose hosts are not among ``known``."""
    return tuple(dict.fromkeys(url for url in urls if host_of(url) not in known))


def of_item(item: Mapping[str, Any], indexes: Iterable[str] = ()) -> Origin:
    """What an entry of any tool's lock file says: ``indexes`` it has from its source, its files from itself."""
    files = list(_files(item))
    urls = [url for file in files if (url := as_text(file.get("url"), _MAX_URL)).startswith("http")]
    digests = [_digests(file) for file in files]
    if isinstance(item.get("hashes"), list):  # pipenv's
        digests = [[text] for text in item["hashes"][:_MAX_FILES] if isinstance(text, str)]
    found = [text for each in digests for text in each if _HASH.fullmatch(text)]
    whole = bool(digests) and all(any(_HASH.fullmatch(text) for text in each) for each in digests)
    named = [url for url in indexes if url]
    return Origin(tuple(dict.fromkeys([*named, *urls])), tuple(dict.fromkeys(found)) if whole else ())


def _files(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Its wheels and source archive (uv, PEP 751), or its files (poetry, pdm)."""
    for key in ("wheels", "sdist", "files"):
        value = item.get(key)
        for file in (value if isinstance(value, list) else [value])[:_MAX_FILES]:
            if isinstance(file, dict):
                yield file


def _digests(file: Mapping[str, Any]) -> list[str]:
    table = as_map(file.get("hashes"))
    return [as_text(file.get("hash"), 200), *(f"{name}:{as_text(text, 200)}" for name, text in table.items())]


def of_option(line: str) -> str:
    """The index or page of links at an address that an option of a requirements file names; ``""`` where it is
    none."""
    hit = _OPTION.match(line)
    return hit[1][:_MAX_URL] if hit and not hit[1].startswith((".", "/", "file:")) else ""


def of_tools(toml: Mapping[str, Any]) -> list[str]:
    """The indexes that a pyproject.toml names, for uv, poetry, pdm and setuptools' old way."""
    tool = as_map(toml.get("tool"))
    uv = as_map(tool.get("uv"))
    tables = [
        *_tables(uv.get("index")),
        *_tables(as_map(tool.get("poetry")).get("source")),
        *_tables(as_map(tool.get("pdm")).get("source")),
    ]
    found = [as_text(table.get("url"), _MAX_URL) for table in tables]
    found += [as_text(uv.get("index-url"), _MAX_URL)]
    for key in ("extra-index-url", "find-links"):
        value = uv.get(key)
        found += [text for text in (value if isinstance(value, list) else [])[:100] if isinstance(text, str)]
    return [url[:_MAX_URL] for url in found if "://" in url and not url.startswith("file:")]


def of_pipfile(lock: Mapping[str, Any]) -> dict[str, str]:
    """Name -> address of the sources in a Pipfile.lock."""
    listed = as_map(lock.get("_meta")).get("sources")
    return {as_text(t.get("name"), 200): as_text(t.get("url"), _MAX_URL) for t in _tables(listed)}


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [])[:100] if isinstance(item, dict)]
