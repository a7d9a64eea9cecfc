"""The Python package index's read side: index pages, artefacts, and what those say that they depend on.

Facts: PEP 503 (HTML index), 691 (JSON index), 658 (metadata beside a file), 427 (wheels), 518 (builds).
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

from package_hunter.ecosystems.python import setup_text
from package_hunter.model import toml

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SETUP = ("/setup.py", "/setup.cfg")
_MAX_MEMBER, _MAX_SETUP = 4 << 20, 64 << 10
_ALWAYS = ("setuptools", "wheel", "pip")  # what a build without further word needs (PEP 518)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.found.append(href)


def page_lesson(page: bytes, base: str) -> dict[str, Any]:
    """``files``: URL of each artefact that an index page names -> SRI (or ``""``)."""
    files: dict[str, str] = {}
    if page.lstrip().startswith(b"{"):
        for entry in json.loads(page).get("files", ()):
            digest = entry.get("hashes", {}).get("sha256", "")
            files[urljoin(base, entry["url"])] = _sri(digest)
    else:
        links = _Links()
        links.feed(page.decode("utf-8", "replace"))
        for href in links.found:
            url, fragment = urldefrag(urljoin(base, href))
            files[url] = _sri(fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else "")
    return {"files": files}


def _sri(digest: str) -> str:
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        return ""
    return "sha256-" + base64.b64encode(raw).decode() if len(raw) == 32 else ""


def metadata_lesson(text: bytes) -> dict[str, Any]:
    """``names`` in a METADATA or PKG-INFO file's Requires-Dist lines."""
    names = []
    for line in text.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.lower() == "requires-dist" and (match := _REQUIREMENT.match(value)):
            names.append(match[1])
    return {"names": names}


def artefact_names(data: bytes) -> set[str]:
    """Names that a wheel or source distribution depends on, to run and to be built."""
    names, setups = set(_ALWAYS), 0
    for name, text in _members(data):
        if name.endswith(("METADATA", "PKG-INFO")):
            names.update(metadata_lesson(text)["names"])
        elif name.endswith("requires.txt"):
            lines = text.decode("utf-8", "replace").splitlines()
            names.update(
                m[1] for line in lines if not line.startswith("[") and (m := _REQUIREMENT.match(line))
            )
        elif name.endswith(_SETUP):
            if (setups := setups + 1) > len(_SETUP):
                continue  # one of each is what a build reads
            read = setup_text.listed if name.endswith(".py") else setup_text.of_config
            asked = read(text[:_MAX_SETUP].decode("utf-8", "replace"))
            names.update(m[1] for line in asked if (m := _REQUIREMENT.match(line)))
        else:
            names.update(_build_names(text))
    return names


def _build_names(text: bytes) -> set[str]:
    try:
        project = toml.loads(text.decode("utf-8", "replace"))
        wanted = [*project.get("build-system", {}).get("requires", ())]
        wanted += project.get("project", {}).get("dependencies", ())
    except (toml.TomlError, AttributeError, TypeError):
        return set()
    return {m[1] for item in wanted if isinstance(item, str) and (m := _REQUIREMENT.match(item))}


def _wanted(name: str) -> bool:
    if name.endswith(("/pyproject.toml", *_SETUP)):
        return name.count("/") == 1
    return name.endswith((".dist-info/METADATA", "/PKG-INFO", "/requires.txt"))


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The few small files of an archive that name dependencies; nothing where it is broken."""
    try:
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as wheel:
                for info in wheel.infolist()[:20_000]:
                    if _wanted(info.filename) and info.file_size <= _MAX_MEMBER:
                        yield info.filename, wheel.read(info)
        else:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as sdist:
                for count, member in enumerate(sdist):
                    if count > 20_000:
                        return
                    if member.isfile() and _wanted(member.name) and member.size <= _MAX_MEMBER:
                        file = sdist.extractfile(member)
                        yield member.name, file.read(_MAX_MEMBER) if file else b""
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, ValueError, RuntimeError):
        return
