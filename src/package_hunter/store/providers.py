"""Identity providers that somebody set up, and which of their groups have which roles where."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import SERVER_ROLES, Role
from package_hunter.access.view import EVERYTHING
from package_hunter.errors import UsageError
from package_hunter.store import history, identities, places
from package_hunter.store.access_tables import EVERYWHERE, Group, Project
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import MAX_ISSUER, MAX_SUBJECT, GroupRoleRow, ProviderRow
from package_hunter.store.members import Place
from package_hunter.store.places import MissingError, TakenError
from package_hunter.store.secret_box import SecretBox

OIDC = "oidc"
KINDS = (OIDC, "gitlab", "github")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class NewProvider:
    """What is to be set up. ``client_id``: ours at the provider of people, or the audience of CI jobs' tokens."""

    name: str
    kind: str
    issuer: str
    client_id: str
    secret: str | None = None
    groups_claim: str = "groups"


def add(session: Session, box: SecretBox, new: NewProvider, by: Actor, why: str | None = None) -> ProviderRow:
    """Set a provider up; UsageError."""
    _check(new)
    if session.scalar(select(ProviderRow.id).where(ProviderRow.name == new.name)) is not None:
        raise TakenError(f"There is a provider {new.name!r} already.", "Choose another name.")
    same = (ProviderRow.issuer == new.issuer, ProviderRow.client_id == new.client_id)
    if session.scalar(select(ProviderRow.id).where(*same)) is not None:
        raise TakenError("This issuer is set up already for the same audience.", "Remove it first.")
    key = uuid.uuid4()
    row = ProviderRow(
        id=key,
        name=new.name,
        kind=new.kind,
        issuer=new.issuer,
        client_id=new.client_id,
        secret=None if not new.secret else box.seal(new.secret.encode(), _bound(key)),
        groups_claim=new.groups_claim,
        created=now_ms(),
    )
    session.add(row)
    session.flush()
    history.record(session, by, Change("provider.add", new.name, after=_said(row), why=why))
    return row


def _check(new: NewProvider) -> None:
    if not _NAME.fullmatch(new.name) or new.kind not in KINDS:
        raise UsageError(
            f"{new.name[:64]!r} cannot be a provider.",
            f"Small letters, digits and -; kinds: {', '.join(KINDS)}.",
        )
    try:
        parts = urlsplit(new.issuer)
    except ValueError:
        parts = urlsplit("")
    odd = parts.query or parts.fragment or parts.username is not None or not new.issuer.isprintable()
    if parts.scheme not in ("https", "http") or not parts.hostname or odd or len(new.issuer) > MAX_ISSUER:
        raise UsageError("The issuer is no address.", "Give it as the provider does: https://login.example.")
    if not 0 < len(new.client_id) <= 255 or not 0 < len(new.groups_claim) <= 64:
        raise UsageError("The client's id, or the claim of groups, is empty or too long.")


def _bound(key: uuid.UUID) -> str:
    return f"provider:{key.hex}"


def _said(row: ProviderRow) -> dict[str, object]:
    return {
        "kind": row.kind,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "secret": row.secret is not None,
    }


def secret_of(box: SecretBox, row: ProviderRow) -> str | None:
    """Our secret at the provider; StoreError."""
    return None if row.secret is None else box.open(row.secret, _bound(row.id)).decode()


def providers(session: Session, *kinds: str) -> Sequence[ProviderRow]:
    """All (of these kinds), by name."""
    query = select(ProviderRow).order_by(ProviderRow.name)
    return session.scalars(query.where(ProviderRow.kind.in_(kinds)) if kinds else query).all()


def provider(session: Session, name: str) -> ProviderRow:
    """The one of this name; MissingError."""
    found = session.scalar(select(ProviderRow).where(ProviderRow.name == name))
    if found is None:
        raise MissingError(
            f"There is no identity provider {name[:64]!r}.", "See package-hunter identity list."
        )
    return found


def remove(session: Session, name: str, by: Actor, why: str | None = None) -> None:
    """Believe it no more: its mappings, rules, links, the roles that its groups gave and its jobs' tokens go, and the
    sessions of its people. MissingError."""
    row = provider(session, name)
    identities.forget_provider(session, row, by)
    said = _said(row)
    session.delete(row)
    session.flush()
    history.record(session, by, Change("provider.remove", name, before=said, why=why))


@dataclass(frozen=True, slots=True, order=True)
class Mapping:
    """Who is in this group of this provider has this role there (a path; empty: everywhere)."""

    provider: str
    group: str
    role: str
    place: str = ""


def mappings(session: Session) -> list[Mapping]:
    """All of them, in order."""
    query = (
        select(ProviderRow.name, GroupRoleRow.group_name, GroupRoleRow.role, Group.path, Project.path)
        .join(ProviderRow, ProviderRow.id == GroupRoleRow.provider_id)
        .outerjoin(Group, Group.id == GroupRoleRow.group_id)
        .outerjoin(Project, Project.id == GroupRoleRow.project_id)
    )
    return sorted(
        Mapping(p, g, r, group or project or "") for p, g, r, group, project in session.execute(query)
    )


def put_mappings(session: Session, wanted: Iterable[Mapping], by: Actor, why: str | None = None) -> None:
    """Make these the mappings, all and no others; the roles of everybody who ever came by one of the providers are
    worked out anew at once. UsageError where one names what is not there; then nothing is changed."""
    before, after = mappings(session), sorted(set(wanted))
    if before == after:
        return
    rows = [_row(session, mapping) for mapping in after]
    session.execute(delete(GroupRoleRow))
    session.add_all(rows)
    session.flush()
    said = [[[m.provider, m.group, m.role, m.place] for m in listed] for listed in (before, after)]
    gone = [m for m in said[0] if m not in said[1]]
    new = [m for m in said[1] if m not in said[0]]
    history.record(
        session,
        by,
        Change("mapping.set", "roles of groups", before={"mappings": gone}, after={"mappings": new}, why=why),
    )
    identities.work_out_all(session, by)


def check_mappings(session: Session, wanted: Iterable[Mapping]) -> None:
    """UsageError where one of them names what is not there."""
    for mapping in wanted:
        _row(session, mapping)


def _row(session: Session, mapping: Mapping) -> GroupRoleRow:
    row = provider(session, mapping.provider)
    if row.kind != OIDC:
        raise UsageError(f"{mapping.provider!r} is a forge: its jobs have rules, and no groups.")
    if mapping.role not in set(Role):
        raise UsageError(f"There is no role {mapping.role[:32]!r}.", f"Roles: {', '.join(Role)}.")
    if not 0 < len(mapping.group) <= MAX_SUBJECT:
        raise UsageError("A group's name is empty or too long.")
    place = place_of(session, mapping.place)
    if place.key != EVERYWHERE and Role(mapping.role) in SERVER_ROLES:
        raise UsageError(f"{mapping.role} is a role for the whole server.", "Give it everywhere.")
    return GroupRoleRow(
        provider_id=row.id,
        group_name=mapping.group,
        role=mapping.role,
        place=place.key,
        group_id=None if place.group is None else place.group.id,
        project_id=None if place.project is None else place.project.id,
    )


def place_of(session: Session, path: str) -> Place:
    """The project or group of this path, everywhere where it is empty; MissingError."""
    if not path:
        return Place()
    try:
        return Place(project=places.project_at(session, EVERYTHING, path))
    except MissingError:
        return Place(group=places.group_at(session, EVERYTHING, path))
