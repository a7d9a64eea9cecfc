"""The pages, a file each: its addresses, what it asks the API, its template. A new one is listed here, in
`api/page_permits.py` and, where it has an entry of its own, in `navigation.py`."""

from __future__ import annotations

from package_hunter.web.pages import package, scan, scan_compare, scans, sign_in, static

PAGES = (
    static,
    sign_in,
    scans,
    package,
    scan_compare,
    scan,
)
