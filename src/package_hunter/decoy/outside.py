"""What came, or did not come, from outside of the registries, in sentences for the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from package_hunter.model.observation import NetworkLog, OutsideFetch
from package_hunter.model.registry import RegistryAllow
from package_hunter.model.scan import CommandRun

_MAX = 20
_ASKED = re.compile(r"asked for (\S{1,214}), which no dependency of this project names")
_HAS_NO = re.compile(
    r"[Tt]he registry has no “(?P<name>@?[A-Za-z0-9][A-Za-z0-9._/-]{0,213})[^”]{0,300}”"
    r" \(or not in a version that is asked for\)\.(?: Check the name and version; [^.:]{1,200}\.)?"
)


def reasons_of(
    network: NetworkLog, runs: Sequence[CommandRun], allowed: Iterable[RegistryAllow]
) -> tuple[str, ...]:
    """A sentence for each dependency that was refused: asked for in the fetch, or named by the tree. What a
    package's own script asks for later is its behaviour, not a gap."""
    named = {url for allow in allowed for url in allow.urls}
    spans = [(run.started_ns, run.ended_ns) for run in runs if run.phase == "fetch"]
    found: dict[str, str] = {}
    for item in network.fetched:
        in_fetch = any(start <= item.time_ns <= end for start, end in spans)
        if item.refused and (in_fetch or item.url in named):
            found.setdefault(_name(item.url), _sentence(item))
    return tuple(found.values())[:_MAX]


def of_refusals(reasons: Iterable[str], network: NetworkLog) -> tuple[str, ...]:
    """The sentences, where one says that a registry has not what was never asked of it: this gateway refused it."""
    details = (_ASKED.match(mark.detail) for mark in network.marks if mark.kind == "registry_channel")
    refused = {hit[1].lower() for hit in details if hit is not None}

    def said(hit: re.Match[str]) -> str:
        if hit["name"].lower() not in refused:
            return hit[0]
        return (
            f"“{hit['name']}” was not scanned: nothing that was known before the builds ran names it, so it was not "
            f"asked of the registry."
        )

    return tuple(_HAS_NO.sub(said, reason) for reason in reasons)


def notes_of(network: NetworkLog) -> tuple[str, ...]:
    """A sentence for each thing that was fetched truly, or that a registry had, too."""
    found = dict.fromkeys(_told(item) for item in network.fetched if not item.refused)
    return tuple(found)[:_MAX]


def _told(item: OutsideFetch) -> str:
    name = _name(item.url)[:500]
    if item.stood_in:
        return (
            f"{name} was not asked of its host: {item.stood_in} has the file of the lock file's digest, too."
        )
    return f"{name} was fetched truly, {item.size} bytes (sha256 {item.sha256})."


def _name(url: str) -> str:
    """The address of the thing: of a git repository not that of its parts."""
    return url.partition("/info/refs?")[0].removesuffix("/git-upload-pack")


def _sentence(item: OutsideFetch) -> str:
    host = urlsplit(item.url).hostname or "its host"
    advice = ""
    if "not among" in item.refused:
        advice = f" Name {host} in PACKAGE_HUNTER_FETCH_HOSTS to have its files fetched, read-only."
    return f"The dependency {_name(item.url)[:500]} was not fetched: {item.refused}.{advice}"
