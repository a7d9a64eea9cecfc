"""Indicators of compromise: what to search logs for. Only of findings that count; the registry is none."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from package_hunter.model.observation import Blame
from package_hunter.model.report import Report
from package_hunter.report import traffic, words


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def indicators(report: Report) -> Iterator[tuple[str, str]]:
    """``("domain" | "address" | "url", value)``, each once, of what blamed packages contacted."""
    return _once(report, _blamed(report))


def indicators_of(report: Report, package: str | None) -> Iterator[tuple[str, str]]:
    """The same of one package (purl; None: the project itself) alone."""
    return _once(report, _blamed(report) & {package})


def _blamed(report: Report) -> set[str | None]:
    return {f.blame.package for f in words.counting(report) if f.blame}


def _once(report: Report, blamed: set[str | None]) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for pair in _all(report, blamed):
        if pair[1] and pair not in seen:
            seen.add(pair)
            yield pair


def _all(report: Report, blamed: set[str | None]) -> Iterator[tuple[str, str]]:
    def theirs(blame: Blame | None) -> bool:
        return blame is not None and blame.package in blamed

    for connection in traffic.contacts(report):
        if not theirs(connection.blame):
            continue
        if connection.name and not _is_address(connection.name):
            yield "domain", connection.name
        if traffic.real_address(connection.address):
            yield "address", connection.address
    for request in traffic.requests(report):
        if not theirs(request.blame):
            continue
        yield "url", request.url
        host = traffic.host_of(request.url)
        if host and not _is_address(host):
            yield "domain", host
