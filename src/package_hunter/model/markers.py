"""Our own decoys' markers among what was seen: an executed decoy download asks for them, not the package."""

from __future__ import annotations

import re

from package_hunter.model.observation import NetworkLog


def marker_domains(network: NetworkLog) -> tuple[str, ...]:
    """Domains of our own decoys' markers: an executed decoy download asks for them, not the package."""
    names = {str(m.evidence["marker"]) for m in network.marks if m.evidence.get("marker")}
    return tuple(sorted({".".join(name.split(".")[-2:]) for name in names}))


def is_marker(name: str | None, domains: tuple[str, ...]) -> bool:
    """Whether a host name, or the host of a URL, is such a marker."""
    if not name or not domains:
        return False
    host = name.partition("://")[2] or name
    host = re.split(r"[/?#\\]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
