"""Registries that a project's own .npmrc names. The box asks this host's instead; without a lock file whose digests are
checked, what those have under the same names may be something else.

The unpacker leaves their addresses as comments (``intake.secrets``), without anything that could be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from package_hunter.model.scan import Package
from package_hunter.model.text import shortened

_LINE = re.compile(r"^; (?:(@[^:\s]{1,214}):)?registry=(\S{1,2000})$", re.M)


def strange(settings: str, hosts: frozenset[str] | None) -> dict[str, str]:
    """Scope (``""``: all that has none of its own) -> the registry's host, of those that are not at ``hosts`` (None:
    not known, and none is judged)."""
    found: dict[str, str] = {}
    for hit in _LINE.finditer(settings) if hosts is not None else ():
        try:
            host = urlsplit(hit[2]).hostname or hit[2]
        except ValueError:
            host = hit[2]
        found[hit[1] or ""] = host
    return {scope: host for scope, host in found.items() if host not in (hosts or ())}


def reasons(named: Mapping[str, str], packages: Iterable[Package]) -> list[str]:
    """A sentence for each of them that some package was to come from."""
    found: dict[str, list[str]] = {}
    for package in packages:
        scope = package.name.partition("/")[0] if package.name.startswith("@") else ""
        host = named.get(scope, named.get(""))
        if host is not None:
            found.setdefault(host, []).append(f"{package.name}@{package.version}")
    return [_sentence(host, names) for host, names in found.items()]


def _sentence(host: str, names: list[str]) -> str:
    some = shortened(names[0]) + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    return (
        f"The project's .npmrc names the registry {host[:253]}, which this host is not set up for, and no lock file"
        f" says what it has: {some} came from this host's own registry and may be something else. Set this host's npm"
        " up for that registry, or add a lock file."
    )
