"""The npm registry's protocol, read side: which package a path asks for, what an answer teaches.

Facts: npm's registry API (docs of the public registry, ``npm-registry-fetch``, ``pacote``): a packument at
``/NAME`` (``/@scope%2fname``), in short form for ``application/vnd.npm.install-v1+json``; artefacts wherever
``dist.tarball`` says, commonly ``/NAME/-/FILE.tgz``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

_NAME = r"(?:@[A-Za-z0-9_.~*!'()-]+/)?[A-Za-z0-9_.~*!'()-]+"
_PACKUMENT = re.compile(rf"/({_NAME})")
_VERSION = re.compile(rf"/({_NAME})/([^/@]+)")
_TARBALL = re.compile(rf"/({_NAME})/-/([^/]+\.tgz)")
_DEPENDENCIES = ("dependencies", "optionalDependencies", "peerDependencies")
_SHORT = "application/vnd.npm.install-v1+json"


@dataclass(frozen=True, slots=True)
class NpmPath:
    """What a path asks for: ``packument``, ``version``, ``tarball``, ``service`` or ``unknown``."""

    kind: str
    name: str = ""
    item: str = ""  # version or file name


def read_path(path: str) -> NpmPath:
    """``path`` is the raw path below the registry's base, starting with a slash."""
    decoded = unquote(path)
    if decoded.startswith("/-/"):
        return NpmPath("service", item=decoded)
    for kind, pattern in (("packument", _PACKUMENT), ("tarball", _TARBALL), ("version", _VERSION)):
        if match := pattern.fullmatch(decoded):
            return NpmPath(kind, match[1], match[2] if match.re.groups > 1 else "")
    return NpmPath("unknown", item=decoded)


def variant(headers: Mapping[str, str]) -> str:
    """Which form of a packument these request headers get: part of the cache's key."""
    form = "short" if _SHORT in headers.get("accept", "") else "full"
    return f"{form}+gzip" if "gzip" in headers.get("accept-encoding", "") else form


def lesson(packument: bytes) -> dict[str, Any]:
    """What a packument teaches: ``names`` that its versions depend on, and ``files``: path of each tarball's
    URL -> (version, SRI, URL). Raises ValueError where it is no packument."""
    try:
        data = json.loads(packument)
        versions = data["versions"] if "versions" in data else {data["version"]: data}
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no packument") from error
    names: set[str] = set()
    files: dict[str, tuple[str, str, str]] = {}
    if not isinstance(versions, dict):
        raise ValueError("no packument")  # noqa: TRY004 (broken input, not a wrong call)
    for version, manifest in versions.items():
        if isinstance(manifest, dict):
            _learn_names(manifest, names)
            _learn_file(version, manifest.get("dist"), files)
    return {"names": sorted(names), "files": files}


def _learn_names(manifest: dict[str, Any], names: set[str]) -> None:
    for key in _DEPENDENCIES:
        wanted = manifest.get(key)
        if not isinstance(wanted, dict):
            continue
        names.update(wanted)
        for value in wanted.values():
            if isinstance(value, str) and value.startswith("npm:"):  # an alias: its target is fetched
                target = value[4:]
                names.add(target[: target.find("@", 1)] if "@" in target[1:] else target)


def _learn_file(version: str, dist: Any, files: dict[str, tuple[str, str, str]]) -> None:
    if not isinstance(dist, dict) or not isinstance(dist.get("tarball"), str):
        return
    sri = dist.get("integrity")
    if not isinstance(sri, str) or not sri:
        try:
            sri = "sha1-" + base64.b64encode(bytes.fromhex(dist.get("shasum", ""))).decode()
        except (ValueError, TypeError):
            sri = ""
    try:
        files[urlsplit(dist["tarball"]).path] = (version, sri, dist["tarball"])
    except ValueError:
        return
