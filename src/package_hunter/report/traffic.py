"""What a reader must see of the network and the fakes: the package manager's own lawful traffic left out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from package_hunter.model.markers import is_marker, marker_domains
from package_hunter.model.observation import Blame, CanaryHit, CanaryRead, Connection, Request
from package_hunter.model.report import Report

_MADE_UP = tuple(map(ipaddress.ip_network, ("198.18.0.0/15", "2001:2::/48", "10.88.0.0/24", "fd88::/64")))


def host_of(url: str) -> str | None:
    """The host of a URL, None where there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def contacts(report: Report) -> Iterator[Connection]:
    """Connections to others than the registry. Where the registry's host was asked for more than packages
    (say, to publish one), what came after the fetch stands here too."""
    ours = marker_domains(report.network)
    registry = {host_of(r.url) for r in report.network.requests if r.registry}
    else_asked = {host_of(r.url) for r in report.network.requests if not r.registry}
    for c in report.network.connections:
        if c.kind in ("registry", "dns") or is_marker(c.name, ours):
            continue
        fetching = c.blame is not None and c.blame.phase == "fetch" and c.blame.package is None
        # nothing sent: a spare one of several that a package manager opens at once
        plain = (c.kind in ("http", "h2", "tls") or c.bytes_out == 0) and c.name in registry
        if not (plain and (fetching or c.name not in else_asked)):
            yield c


def requests(report: Report) -> Iterator[Request]:
    """Requests that were not passed on to a registry."""
    ours = marker_domains(report.network)
    return (r for r in report.network.requests if not r.registry and not is_marker(r.url, ours))


def unlawful_reads(report: Report) -> Iterator[CanaryRead]:
    """Reads of fakes that a finding speaks of; the others were by the programs that the files are for."""
    accused = _accused(report)
    return (r for r in report.canaries.read if (r.path, *_doer(r.blame)) in accused)


def lawful_reads(report: Report) -> Iterator[CanaryRead]:
    """Reads by the programs that the files are for (npm its .npmrc, wget its .netrc)."""
    accused = _accused(report)
    return (r for r in report.canaries.read if (r.path, *_doer(r.blame)) not in accused)


def _accused(report: Report) -> set[tuple[str | None, ...]]:
    return {
        (str(e.data.get("path")), *_doer(f.blame))
        for f in report.findings
        if f.kind == "credential_access"
        for e in f.evidence
    }


def _doer(blame: Blame | None) -> tuple[str | None, ...]:
    return (blame.package, blame.phase) if blame else (None, None)


def real_address(text: str) -> bool:
    """Whether this address means something outside of the box, which makes up one for each name."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(address in net for net in _MADE_UP if net.version == address.version)


def stolen(report: Report) -> Iterator[CanaryHit]:
    """Fakes that were sent where they have no business."""
    return (h for h in report.canaries.sent if not h.lawful)
