"""Routes by which identity providers, and the rules of CI jobs, are set up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.api.access_schemas import Why
from package_hunter.api.allowed import PermittedRoute, access_to, actor_of
from package_hunter.api.errors import ApiError
from package_hunter.api.identity_schemas import (
    CiRule,
    CiRuleList,
    MappingInfo,
    MappingList,
    NewCiRule,
    NewProvider,
    ProviderInfo,
    ProviderList,
)
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, as_time, read, write
from package_hunter.identity import jobs
from package_hunter.store import ci, providers
from package_hunter.store.identity_tables import MAX_LABEL, ProviderRow

_Name = Annotated[str, Query(max_length=MAX_LABEL)]


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1/identity", responses=WRONG, route_class=PermittedRoute)
    _providers(router, service)
    _rules(router, service)
    return router


def _providers(router: APIRouter, service: Service) -> None:
    @router.get("/providers", tags=["access"], summary="List identity providers")
    async def list_providers() -> ProviderList:
        return await read(service, lambda s: ProviderList(items=[_info(r) for r in providers.providers(s)]))

    @router.post("/providers", tags=["access"], summary="Set an identity provider up", status_code=201)
    async def add_provider(request: Request, new: NewProvider) -> ProviderInfo:
        by = actor_of(request)
        made = providers.NewProvider(
            new.name, new.kind, new.issuer, new.client_id, new.secret, new.groups_claim
        )
        return await write(service, lambda s: _info(providers.add(s, service.box, made, by, new.why)))

    @router.delete("/providers", tags=["access"], summary="Believe a provider no more", status_code=204)
    async def remove_provider(request: Request, name: _Name, why: Annotated[Why, Query()] = None) -> None:
        by = actor_of(request)
        await write(service, lambda s: providers.remove(s, name, by, why))

    @router.get("/mappings", tags=["access"], summary="Which groups of providers have which roles where")
    async def list_mappings() -> MappingList:
        def look(session: Session) -> MappingList:
            found = providers.mappings(session)
            items = [
                MappingInfo(provider=m.provider, group=m.group, role=m.role, place=m.place) for m in found
            ]
            return MappingList(items=items)

        return await read(service, look)


def _info(row: ProviderRow) -> ProviderInfo:
    return ProviderInfo(
        name=row.name,
        kind=row.kind,
        issuer=row.issuer,
        client_id=row.client_id,
        groups_claim=row.groups_claim,
        created=as_time(row.created),
    )


def _rules(router: APIRouter, service: Service) -> None:
    @router.get("/ci-rules", tags=["access"], summary="List the rules of CI jobs")
    async def list_rules() -> CiRuleList:
        return await read(service, lambda s: CiRuleList(items=[_rule_info(rule) for rule in ci.rules(s)]))

    @router.post("/ci-rules", tags=["access"], summary="Let CI jobs in", status_code=201)
    async def add_rule(request: Request, new: NewCiRule) -> None:
        by = actor_of(request)
        _require_all(access_to(request), new)

        def change(session: Session) -> None:
            provider = providers.provider(session, new.provider)
            jobs.check_rule(provider.kind, new.conditions, new.project)
            rule = ci.Rule(
                new.name,
                new.provider,
                new.conditions,
                new.project,
                tuple(new.permissions),
                new.creates,
                new.owner_claim,
                new.owner_role,
            )
            ci.add_rule(session, provider, rule, by, new.why)

        await write(service, change)

    @router.delete("/ci-rules", tags=["access"], summary="Let these CI jobs in no more", status_code=204)
    async def remove_rule(request: Request, name: _Name, why: Annotated[Why, Query()] = None) -> None:
        by = actor_of(request)
        await write(service, lambda s: ci.remove_rule(s, name, by, why))


def _require_all(access: Access, new: NewCiRule) -> None:
    """Who may not give any role gives jobs nothing either; ApiError 403."""
    if not access.may(Permission.ROLE_MANAGE) and not set(new.permissions) <= access.everywhere:
        raise ApiError(403, "A rule cannot give what this account may not do itself.")


def _rule_info(rule: ci.Rule) -> CiRule:
    return CiRule(
        name=rule.name,
        provider=rule.provider,
        conditions={claim: list(wanted) for claim, wanted in rule.conditions.items()},
        project=rule.project,
        permissions=list(rule.permissions),
        creates=rule.creates,
        owner_claim=rule.owner_claim,
        owner_role=rule.owner_role,
    )
