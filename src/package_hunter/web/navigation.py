"""Which pages there are for this account, in the order in which a day goes."""

from __future__ import annotations

from dataclasses import dataclass

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access


@dataclass(frozen=True, slots=True)
class Link:
    """One entry; ``here``: the page that is open is of it."""

    title: str
    path: str
    here: bool


_LINKS: tuple[tuple[str, str, Permission | None], ...] = (
    ("Overview", "/overview", None),
    ("Findings", "/findings", Permission.FINDING_READ),
    ("Scans", "/scans", Permission.SCAN_READ),
    ("Packages", "/packages", Permission.INVENTORY_READ),
    ("Proposals", "/proposals", Permission.PROPOSAL_READ),
    ("Policies", "/policies", Permission.POLICY_READ),
    ("Rules", "/rules", Permission.POLICY_READ),
    ("Projects", "/projects", Permission.PROJECT_READ),
    ("History", "/history", Permission.HISTORY_READ),
    ("People", "/people", Permission.USER_READ),
    ("Workers", "/workers", Permission.WORKER_READ),
    ("Settings", "/settings", None),
)


def navigation(access: Access | None, path: str) -> list[Link]:
    """The entries of who may see something there."""
    if access is None:
        return []
    return [
        Link(title, there, _is_of(path, there))
        for title, there, needed in _LINKS
        if needed is None or _anywhere(access, needed)
    ]


_SETTINGS: tuple[tuple[str, str, Permission | None], ...] = (
    ("Your account", "/settings", None),
    ("Tokens", "/tokens", None),
    ("Notices", "/settings/notices", Permission.NOTICE_READ),
    ("Drill", "/settings/drill", Permission.DRILL_READ),
    ("Identity providers", "/settings/identity", Permission.IDENTITY_READ),
)


_ALSO: dict[str, tuple[str, ...]] = {
    "/settings": ("/tokens", "/confirm"),
    "/people": ("/members", "/groups"),
}
"""Pages of an entry that lie elsewhere."""


def _is_of(path: str, there: str) -> bool:
    return any(path == one or path.startswith(one + "/") for one in (there, *_ALSO.get(there, ())))


def settings_tabs(access: Access, path: str) -> list[Link]:
    """The pages of settings that somebody may open."""
    return [
        Link(title, there, path.startswith(there) and (path == there or there != "/settings"))
        for title, there, needed in _SETTINGS
        if needed is None or _anywhere(access, needed)
    ]


def _anywhere(access: Access, needed: Permission) -> bool:
    if access.may(needed):
        return True
    return any(needed in held for places in (access.projects, access.groups) for held in places.values())
