"""How often an account may ask: reading and changing each have a pace (token buckets), told in the answer's headers
(``RateLimit-Policy``, ``RateLimit``: draft-ietf-httpapi-ratelimit-headers-10)."""

from __future__ import annotations

import math

from package_hunter.api.errors import ApiError, too_many
from package_hunter.api.limits import Buckets
from package_hunter.config import Settings

_MINUTE = 60


class Pace:
    """Of one server: several share nothing, an account may ask each so often."""

    def __init__(self, settings: Settings) -> None:
        self._reads = _Kind("reads", settings.requests_per_minute)
        self._changes = _Kind("changes", settings.changes_per_minute)

    def reserve(self, account: str, changes: bool) -> None:
        """Count a request of the account; ApiError 429 where it asks too often."""
        kind = self._changes if changes else self._reads
        wait = kind.buckets.reserve(account)
        if wait:
            raise kind.refusal(account, wait)

    def headers(self, account: str) -> dict[str, str]:
        """What the answer to a change says of the pace."""
        return self._changes.headers(account)


class _Kind:
    def __init__(self, name: str, per_minute: int) -> None:
        self.buckets = Buckets(per_minute)
        self._name = name
        self._policy = f'"{name}";q={per_minute};w={_MINUTE}'

    def headers(self, account: str) -> dict[str, str]:
        """``r``: how many are left at once; ``t``: seconds until there is one more."""
        left, wait = self.buckets.left(account), self.buckets.wait(account)
        now = f'"{self._name}";r={left};t={math.ceil(wait)}'
        return {"RateLimit-Policy": self._policy, "RateLimit": now}

    def refusal(self, account: str, wait: float) -> ApiError:
        """429."""
        what = f"This account asks too often ({self._name})."
        error = too_many(
            what, "Spread the requests out, or wait as Retry-After says.", wait, "too-many-requests"
        )
        error.headers |= self.headers(account)
        return error
