"""What is approved asks once more who that is: a password (and code) in the request itself, or a session in which that
was shown a moment ago. A token shows nobody."""

from __future__ import annotations

from fastapi import Request

from package_hunter.access.identity import Method
from package_hunter.api.allowed import actor_of, identity_of
from package_hunter.api.errors import ApiError
from package_hunter.api.password_check import Claim
from package_hunter.api.proposal_schemas import Proof
from package_hunter.api.service import Service
from package_hunter.store.database import now_ms

FRESH_MS = 120_000


async def shown_again(request: Request, service: Service, proof: Proof) -> str:
    """How it was shown: ``password``, ``password, code``, ``session``; ApiError 401, 403, 429."""
    who, by = identity_of(request), actor_of(request)
    if proof.password is not None:
        await service.auth.sign_in(Claim(who.account, proof.password, by.origin, proof.code))
        return "password" if proof.code is None else "password, code"
    if who.method is Method.SESSION and (who.authenticated or 0) > now_ms() - FRESH_MS:
        return "session"
    raise ApiError(
        403,
        "For this you have to show once more who you are.",
        "Give password (and code), or sign in anew: POST /api/v1/session/confirm, or at the identity provider.",
    )
