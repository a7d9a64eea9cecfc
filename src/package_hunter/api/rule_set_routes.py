"""Routes of rule sets: rule files by scope, in versions. Proposals alone change them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from package_hunter import __version__
from package_hunter.access.permissions import Permission
from package_hunter.access.view import Access
from package_hunter.api import scopes
from package_hunter.api.allowed import PermittedRoute, access_to
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.api.transactions import as_time, read
from package_hunter.rules import builtin_files
from package_hunter.rules.document import read_file
from package_hunter.store import documents
from package_hunter.store.access_tables import EVERYWHERE, Group, Project
from package_hunter.store.canonical import parsed
from package_hunter.store.members import Place
from package_hunter.store.proposal_tables import GovernedDocument
from package_hunter.store.rule_sets import KIND
from package_hunter.triage.chain import scope_name

BUILT_IN = "builtin"
_MAX_VERSIONS = 100


class RuleSetInfo(BaseModel):
    """A rule file that holds somewhere."""

    name: str
    scope: str = Field(description="`builtin`, `all`, `group:PATH` or `project:PATH`.")
    id: str = Field(description="`builtin`, `all`, or the id of the group or project.")
    version: int = Field(description="0: built in.")
    digest: str = Field(description="SHA-256 of the document's canonical JSON; empty: built in.")
    who: str
    time: dt.datetime | None
    size: int = Field(description="Characters; 0: it is there no more.")


class RuleSetList(BaseModel):
    """In the order of loading by place: the built-in ones first."""

    items: list[RuleSetInfo]


class VersionInfo(BaseModel):
    """A version of a rule set."""

    version: int
    digest: str
    who: str
    time: dt.datetime
    size: int


class RuleSetText(RuleSetInfo):
    """A rule file, and its versions, newest first."""

    rules: str
    versions: list[VersionInfo]


def routes(service: Service) -> APIRouter:
    """Both."""
    builtin = {path.name: read_file(path) for path in builtin_files()}
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute, tags=["rules"])

    @router.get("/rule-sets", summary="Rule files, wherever they hold")
    async def rule_sets(request: Request) -> RuleSetList:
        def look(session: Session) -> RuleSetList:
            own = list(_listed(session, access_to(request)))
            return RuleSetList(items=[*(_built_in(name, text) for name, text in builtin.items()), *own])

        return await read(service, look)

    @router.get(
        "/rule-sets/{scope}/{name}",
        summary="A rule file's text, and its versions",
        description="`builtin`, `all`, or the id of a group or project.",
    )
    async def rule_set(request: Request, scope: str, name: str) -> RuleSetText:
        def look(session: Session) -> RuleSetText:
            if scope == BUILT_IN and name in builtin and _reads_anything(access_to(request)):
                return RuleSetText(
                    **_built_in(name, builtin[name]).model_dump(), rules=builtin[name], versions=[]
                )
            place = scopes.place_of(session, access_to(request), scope)
            rows = (
                [] if place is None else documents.versions(session, (KIND, place.key, name), _MAX_VERSIONS)
            )
            if place is None or not rows:
                raise ApiError(
                    404, "There is no such rule set.", "GET /api/v1/rule-sets lists those you can see."
                )
            versions = [_version(row) for row in rows]
            return RuleSetText(**_info(place, rows[0]).model_dump(), rules=_text(rows[0]), versions=versions)

        return await read(service, look)

    return router


def _reads_anything(access: Access) -> bool:
    view = access.view(Permission.POLICY_READ)
    return (
        view.projects is None
        or bool(view.projects)
        or bool(access.groups_view(Permission.POLICY_READ).projects)
    )


def _built_in(name: str, text: str) -> RuleSetInfo:
    who = f"package-hunter {__version__}"
    size = len(text)
    return RuleSetInfo(
        name=name, scope=BUILT_IN, id=BUILT_IN, who=who, size=size, version=0, digest="", time=None
    )


def _listed(session: Session, access: Access) -> Iterator[RuleSetInfo]:
    found = [(_place(session, row.place), row) for row in documents.all_of(session, KIND)]
    known = [
        (place, row) for place, row in found if place is not None and scopes.sees(session, access, place)
    ]
    for place, row in sorted(known, key=lambda one: (scope_name(one[0]), one[1].name)):
        yield _info(place, row)


def _place(session: Session, key: str) -> Place | None:
    if key == EVERYWHERE:
        return Place()
    where = uuid.UUID(key)
    group, project = session.get(Group, where), session.get(Project, where)
    return Place(group, project) if group or project else None


def _text(row: GovernedDocument) -> str:
    return str(parsed(row.document)["rules"])


def _version(row: GovernedDocument) -> VersionInfo:
    return VersionInfo(
        version=row.version,
        digest=row.content_hash,
        who=row.author,
        time=as_time(row.created),
        size=len(_text(row)),
    )


def _info(place: Place, row: GovernedDocument) -> RuleSetInfo:
    of = _version(row).model_dump()
    return RuleSetInfo(name=row.name, scope=scope_name(place), id=scopes.id_of(place), **of)
