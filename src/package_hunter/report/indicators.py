"""Indicators of compromise: what to search logs for. Only of findings that count; the registry is none."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from package_hunter.model.observation import Blame
from package_hunter.model.report import Report
from package_hunter.model.report_json import is_marker, marker_domains
from package_hunter.report import words

# addresses that the box made up for names: they mean nothing outside
_MADE_UP = tuple(map(ipaddress.ip_network, ("198.18.0.0/15", "2001:2::/48", "10.88.0.0/24", "fd88::/64")))


def _real_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(address in net for net in _MADE_UP if net.version == address.version)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def indicators(report: Report) -> Iterator[tuple[str, str]]:
    """``("domain" | "address" | "url", value)``, each once, of what blamed packages contacted."""
    blamed = {f.blame.package for f in words.counting(report) if f.blame}
    seen: set[tuple[str, str]] = set()
    for pair in _all(report, blamed):
        if pair[1] and pair not in seen:
            seen.add(pair)
            yield pair


def _all(report: Report, blamed: set[str | None]) -> Iterator[tuple[str, str]]:
    ours = marker_domains(report.network)

    def theirs(blame: Blame | None, name: str | None) -> bool:
        return blame is not None and blame.package in blamed and not is_marker(name, ours)

    for connection in report.network.connections:
        if connection.kind in ("registry", "dns") or not theirs(connection.blame, connection.name):
            continue
        if connection.name and not _is_address(connection.name):
            yield "domain", connection.name
        if _real_address(connection.address):
            yield "address", connection.address
    for request in report.network.requests:
        if request.registry or not theirs(request.blame, request.url):
            continue
        yield "url", request.url
        host = _host(request.url)
        if host and not _is_address(host):
            yield "domain", host


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
