"""The pages, a file each: its addresses, what it asks the API, its template. A new one is listed here, in
`api/page_permits.py` and, where it has an entry of its own, in `navigation.py`."""

from __future__ import annotations

from package_hunter.web.pages import (
    confirm,
    drill,
    finding,
    findings,
    findings_many,
    history,
    identity,
    members,
    notices,
    overview,
    people,
    policies,
    project,
    proposals,
    propose,
    scans,
    settings,
    sign_in,
    static,
    tokens,
    welcome,
    workers,
)

PAGES = (
    static,
    sign_in,
    scans,
    findings,
    findings_many,
    finding,
    overview,
    project,
    history,
    people,
    members,
    tokens,
    identity,
    workers,
    settings,
    confirm,
    notices,
    drill,
    welcome,
    propose,  # before /proposals/{number}
    proposals,
    policies,
)
