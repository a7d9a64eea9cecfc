"""The pages' rows of `permits.PERMITS`. Anybody who is signed in may open any page: what stands there, and what can be
done there, is asked of the API as that account, and the API's rows decide."""

from __future__ import annotations

from package_hunter.api.permit import Permit, Where

_ACCOUNT = Where.ACCOUNT


def _page(path: str, *posts: str) -> tuple[Permit, ...]:
    """A page, and the forms on it: what is posted to ``path/POST``."""
    forms = (Permit("POST", f"{path}/{post}", _ACCOUNT, None, page=True) for post in posts)
    return (Permit("GET", path, _ACCOUNT, None, page=True), *forms)


def _open(method: str, path: str) -> Permit:
    return Permit(method, path, Where.OPEN, None, page=True)


PAGES: tuple[Permit, ...] = (
    _open("GET", "/static/{digest}/{name}"),
    _open("GET", "/sign-in"),
    _open("POST", "/sign-in"),
    *_page("/scans"),
    *_page("/scans.csv"),
    *_page("/packages"),
    *_page("/packages/{purl:path}"),
    *_page("/scans/compare"),
    *_page(
        "/scans/{scan_id}",
        *("cancel", "rescan", "rerun", "rejudge", "bundle", "hold", "lift", "delete"),
    ),
    *_page("/scans/{scan_id}/findings"),
    *_page("/scans/{scan_id}/timeline"),
    *_page("/scans/{scan_id}/processes"),
    *_page("/scans/{scan_id}/network"),
    *_page("/scans/{scan_id}/secrets"),
    *_page("/scans/{scan_id}/files"),
    *_page("/scans/{scan_id}/indicators"),
    *_page("/scans/{scan_id}/coverage"),
    *_page("/scans/{scan_id}/events"),
    *_page("/scans/{scan_id}/keep"),
    Permit("POST", "/sign-out", _ACCOUNT, None, page=True),
)
