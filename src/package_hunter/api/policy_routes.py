"""Routes of policies: what holds, and what its rules did. Changing them is for proposals."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.view import Access, View
from package_hunter.api import scopes
from package_hunter.api.allowed import PermittedRoute, access_to, view_of
from package_hunter.api.errors import ApiError
from package_hunter.api.policy_schemas import (
    CheckBody,
    CheckedPolicy,
    EffectiveInfo,
    ExceptionInfo,
    LayerInfo,
    PolicyInfo,
    PolicyProblem,
    RequiredInfo,
    RuleInfo,
    RunInfo,
    ScopeInfo,
    ScopeList,
)
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, read
from package_hunter.governance import figures, policies, policy_file, policy_text, requirements, schedules
from package_hunter.model.scan import Decision
from package_hunter.policy.decide import today
from package_hunter.policy.layers import Layer
from package_hunter.policy.words import sentence
from package_hunter.store.members import Place
from package_hunter.triage.chain import Chains, scope_name
from package_hunter.triage.results import Standing

_WRONG: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account has not the permission."},
    404: {"model": Problem, "description": "There is none, or none that the account can see."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}
_ADVICE = "GET /api/v1/policies lists those that you can see."


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=_WRONG, route_class=PermittedRoute, tags=["policies"])

    @router.get("/policies", summary="List the scopes that have a policy of their own")
    async def list_policies(request: Request) -> ScopeList:
        return await read(service, lambda s: ScopeList(items=list(_scopes(s, access_to(request)))))

    @router.post("/policies/check", summary="What is wrong with a policy, and where")
    async def check(asked: CheckBody) -> CheckedPolicy:
        return await run_sync(_checked, asked)

    @router.get(
        "/policies/{scope}",
        summary="A scope's policy, and what its rules did",
        description="`all`, or the id of a group or project.",
    )
    async def policy(
        request: Request,
        scope: str,
        findings: Annotated[
            int, Query(ge=0, le=figures.MAX_FINDINGS, description="The newest so many are counted.")
        ] = figures.USUAL_FINDINGS,
    ) -> PolicyInfo:
        def look(session: Session) -> PolicyInfo:
            place = scopes.place_of(session, access_to(request), scope)
            layer = None if place is None else figures.layer_of(session, place)
            if place is None or layer is None:
                raise ApiError(404, "There is no such policy.", _ADVICE)
            return _policy(session, place, layer, view_of(request), findings)

        return await read(service, look)

    @router.get("/projects/{project_id}/policy", summary="What holds for a project, scope by scope")
    async def effective(request: Request) -> EffectiveInfo:
        return await read(service, lambda s: _effective(s, request.state.place))

    return router


def _checked(asked: CheckBody) -> CheckedPolicy:
    if (asked.source is None) == (asked.document is None):
        raise ApiError(400, "Give either source or document.", "See docs/policies.md.")
    source = asked.source if asked.document is None else policy_text.source_of(asked.document)
    document, problems = policy_text.check(source or "", narrow=asked.narrow)
    said = [PolicyProblem(**asdict(problem)) for problem in problems]
    return CheckedPolicy(ok=not said, document=document, source=source or "", problems=said)


def _scopes(session: Session, access: Access) -> Iterator[ScopeInfo]:
    if scopes.sees(session, access, Place()):
        yield _scope(session, Place(), figures.layer_of(session, Place()))
    for place in policies.scopes(session):
        if place == Place():
            continue
        layer = figures.layer_of(session, place) if scopes.sees(session, access, place) else None
        if layer is not None:
            yield _scope(session, place, layer)


def _scope(session: Session, place: Place, layer: Layer | None) -> ScopeInfo:
    assert layer is not None, "a policy for all is always there"
    standing = policies.current(session, place)
    return ScopeInfo(
        scope=scope_name(place),
        id=scopes.id_of(place),
        digest=layer.digest,
        version=standing.version,
        reviewed=standing.reviewed,
        who=standing.who,
        time=as_time(standing.time) if standing.version else None,
    )


def _policy(session: Session, place: Place, layer: Layer, view: View, most: int) -> PolicyInfo:
    found = figures.of_policy(session, view, place, most)
    rules = [
        RuleInfo(
            label=one.label,
            decision=one.decision,
            mode=one.mode,
            fits=one.fits,
            decided=one.decided,
            states=dict(one.states),
            false_positive_share=one.false_positive_share,
            minutes=one.minutes,
            exceptions=[
                ExceptionInfo(rule=e.rule, false_positives=e.false_positives) for e in one.exceptions
            ],
        )
        for one in found.rules
    ]
    document = policies.current(session, place).document or policy_file.document()
    return PolicyInfo(
        **_scope(session, place, layer).model_dump(),
        document=document,
        source=policy_text.source_of(document),
        rules=rules,
        counted=found.counted,
        not_counted=found.not_counted,
    )


def _effective(session: Session, project: uuid.UUID) -> EffectiveInfo:
    standing = Standing(session)
    effective, day = standing.effective(project), today()
    layers = [
        LayerInfo(
            scope=layer.scope,
            digest=layer.digest,
            verdicts={
                verdict.value: decision.value
                for verdict, decision in layer.policy.by_verdict
                if layer.scope == scopes.ALL or decision is not Decision.PASS
            },
            rules=[
                f"{layer.label(r)}: {r.decision.value} ({r.mode_on(day).value})" for r in layer.policy.rules
            ],
            says=[sentence(rule, day) for rule in layer.policy.rules],
        )
        for layer in effective.layers
    ]
    wanted = requirements.required(session, project, Chains(session))
    runs = schedules.runs(session, project)
    return EffectiveInfo(
        project=str(project),
        key=effective.key(day),
        layers=layers,
        required=[RequiredInfo(scan=r.when.value, scope=r.scope, depth=r.depth) for r in wanted],
        schedules=[
            RunInfo(due=as_time(r.due), ran=as_time(r.ran), submitted=r.submitted, said=r.said) for r in runs
        ],
    )
