"""What changes an account's own credentials, or approves, asks that the person himself was there a moment ago."""

from __future__ import annotations

from package_hunter.access.identity import Identity, Method
from package_hunter.api.errors import ApiError
from package_hunter.store.database import now_ms

RECENT_SECONDS = 900


def require_recent(who: Identity, seconds: float = RECENT_SECONDS) -> Identity:
    """Who asks, where he showed who he is by this request itself, or within so many seconds before; ApiError 403."""
    fresh = who.authenticated is not None and who.authenticated > now_ms() - seconds * 1_000
    if who.method is Method.PASSWORD or fresh:
        return who
    advice = "POST /api/v1/session/confirm, or sign in again at the identity provider."
    raise ApiError(403, "For this you have to show once more who you are.", advice)
