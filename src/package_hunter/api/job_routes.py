"""The route by which a CI job gets a token for its forge's: no secret is stored anywhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session

from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.errors import ApiError
from package_hunter.api.identity_schemas import AskedJobToken, JobToken
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, read, write
from package_hunter.identity import jobs
from package_hunter.identity.errors import UntrustedError
from package_hunter.identity.tokens import Believed, Expected, believe, unverified_claims
from package_hunter.store import ci, providers
from package_hunter.store.ci import Granted, Job, RefusedError, Rule
from package_hunter.store.identity_tables import ProviderRow

_MAX_JTI = 255


def routes(service: Service) -> APIRouter:
    """It."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)

    @router.post("/job-token", tags=["sign-in"], summary="A token for a CI job's ID token", status_code=201)
    async def exchange(request: Request, asked: AskedJobToken) -> JobToken:
        origin = request.client.host if request.client else "unknown"
        try:
            granted = await _exchange(service, asked, origin)
        except ApiError as error:
            if error.status == 403:
                service.auth.stranger(origin)
            raise
        return JobToken(
            token=granted.token,
            project=granted.project,
            permissions=list(granted.permissions),
            expires=as_time(granted.expires),
        )

    return router


async def _exchange(service: Service, asked: AskedJobToken, origin: str) -> Granted:
    try:
        said = unverified_claims(asked.token)
    except UntrustedError as error:
        raise ApiError(403, error.message, error.advice) from error
    provider = await read(service, lambda s: _provider(s, said))
    expected = Expected(provider.issuer, provider.client_id, jobs.MAX_LIFETIME)
    found: Believed = await service.trust.ask(lambda directory: believe(asked.token, expected, directory))
    job = _job(provider.kind, found)

    def change(session: Session) -> Granted:
        rule, path = _rule(ci.rules(session, provider.id), job, asked.project)
        try:
            return ci.exchange(session, provider, job, rule, path, origin)
        except RefusedError as error:
            raise ApiError(403, error.message, error.advice) from error

    return await write(service, change)


def _provider(session: Session, said: dict[str, object]) -> ProviderRow:
    """The forge that the token says it is of, where it was set up; ApiError 403."""
    audience = said.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    for row in providers.providers(session, *jobs.KINDS):
        if row.issuer == said.get("iss") and row.client_id in audiences:
            return row
    raise ApiError(
        403,
        "The token's issuer, or its audience, is none that jobs come from here.",
        "See docs/identity.md, CI jobs.",
    )


def _job(kind: str, found: Believed) -> Job:
    claims, jti = found.claims, found.claims.get("jti")
    number = jobs.forge_id(kind, claims)
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI or number is None:
        raise ApiError(403, "The token has no number of its own (jti), or none of its project.")
    return Job(jti, int(claims["exp"] * 1_000), number, jobs.job_claims(kind, claims), claims)


def _rule(rules: list[Rule], job: Job, project: str | None) -> tuple[Rule, str]:
    """The first rule that the job fits, and its project's path; ApiError 400, 403."""
    fitting = [
        (rule, path)
        for rule in rules
        if jobs.fits(rule.conditions, job.claims)
        and (path := jobs.project_of(rule.project, job.claims)) is not None
        and project in (None, path)
    ]
    if not fitting:
        raise ApiError(403, "No rule lets this job in.", "package-hunter identity ci-rules lists them.")
    if len({path for _, path in fitting}) > 1:
        raise ApiError(400, "The job may do something in several projects.", "Name one: project.")
    return fitting[0]
