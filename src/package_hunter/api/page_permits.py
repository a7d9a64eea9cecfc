"""The pages' rows. Anybody who is signed in may open any page: what stands there, and what can be
done there, is asked of the API as that account, and the API's rows decide."""

from __future__ import annotations

from package_hunter.api.permit import Permit, Where

_ACCOUNT = Where.ACCOUNT


def _page(path: str, *posts: str) -> tuple[Permit, ...]:
    """A page, and the forms on it: what is posted to ``path/POST``."""
    forms = (Permit("POST", f"{path}/{post}", _ACCOUNT, None, page=True) for post in posts)
    return (Permit("GET", path, _ACCOUNT, None, page=True), *forms)


def _posts(path: str, *posts: str) -> tuple[Permit, ...]:
    """Forms alone: of a page of another path."""
    return _page(path, *posts)[1:]


def _form(path: str) -> tuple[Permit, ...]:
    """A page whose form is posted to its own address."""
    return (*_page(path), Permit("POST", path, _ACCOUNT, None, page=True))


def _open(method: str, path: str) -> Permit:
    return Permit(method, path, Where.OPEN, None, page=True)


PAGES: tuple[Permit, ...] = (
    _open("GET", "/static/{digest}/{name}"),
    _open("GET", "/sign-in"),
    _open("POST", "/sign-in"),
    *_page("/scans"),
    *_page("/scans.csv"),
    *_page("/findings", "preview", "apply", "claim", "views", "forget"),
    *_page("/findings.csv"),
    *_page("/findings/{finding_id}", "state", "claim", "release", "notes"),
    *_page("/overview"),
    *_page("/projects"),
    *_page("/projects/{project_id}"),
    *_page("/history"),
    *_page("/history.csv"),
    *_page("/people", "invite"),
    *_page("/people/account", "end-sessions", "unlock", "codes", "remove", "invite"),
    *_page("/members", "give", "take"),
    *_page("/projects/{project_id}/members", "give", "take"),
    *_page("/groups/{group_id}/members", "give", "take"),
    *_page("/groups", "add"),
    *_page("/tokens", "own", "add", "revoke", "revoke-own"),
    *_page("/settings/identity", "provider", "provider-remove", "rule", "rule-remove"),
    *_page("/workers", "drain", "resume", "rerun"),
    *_page("/settings", "password"),
    *_page("/settings/notices", "add", "remove", "test", "retry"),
    *_page("/settings/drill", "run"),
    *_posts("/settings/codes", "begin", "confirm", "recovery", "remove"),
    *_posts("/settings/sessions", "end", "end-others"),
    *_posts("/settings/identities", "link", "unlink"),
    *_page("/confirm", "provider"),
    Permit("POST", "/confirm", _ACCOUNT, None, page=True),
    _open("GET", "/welcome"),
    _open("POST", "/welcome"),
    *_page("/proposals"),
    *_page("/proposals.csv"),
    *_form("/proposals/new"),
    *_form("/proposals/{number}"),
    *_form("/proposals/{number}/edit"),
    *_page("/policies"),
    *_form("/policies/{scope}"),
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
    *_page("/scans/{scan_id}/keep"),
    *_page("/rules"),
    *_page("/rules/explain"),
    *_page("/rules/files/{scope}/{name}"),
    *_form("/rules/try"),
    Permit("POST", "/sign-out", _ACCOUNT, None, page=True),
)
