"""Whom providers know: which account a provider's subject is, and the roles that its groups give.

An account is never found by a name or a mail address, which anybody may have at some provider: only by issuer and
subject, or because the account's owner linked them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.errors import UsageError
from package_hunter.store import history, members
from package_hunter.store.access_tables import Account, Group, Member, Project
from package_hunter.store.base import MAX_NAME
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.identity_tables import GroupRoleRow, IdentityRow, ProviderRow, SessionRow
from package_hunter.store.places import MissingError, TakenError
from package_hunter.store.starts import Newcomer, Start, begin, lookalike


class NotLetInError(UsageError):
    """The provider knows him; nobody here does."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a provider vouches for, as far as accounts are concerned."""

    subject: str
    names: Sequence[str]
    groups: Sequence[str]


def sign_in(session: Session, provider: ProviderRow, known: Known, origin: str) -> Account:
    """The account, made at the first sight of somebody whose groups have a role here; its roles as the groups are now.
    NotLetInError."""
    row = session.get(IdentityRow, (provider.id, known.subject))
    if row is None:
        if not _wanted(session, provider.id, known.groups):
            raise NotLetInError(
                "None of your groups at the identity provider has a role here.",
                "Who runs the server maps groups to roles, or you sign in otherwise and link it.",
            )
        by = Actor(f"oidc:{provider.name}", origin)
        name = _free_name(session, provider, known.names)
        account = begin(session, Newcomer(name, "user"), Start(()), by, "came by the identity provider")
        row = _add(session, provider, known, account, by)
    account = session.get_one(Account, row.account_id)
    row.seen, row.groups = now_ms(), json.dumps(list(known.groups))
    session.flush()
    work_out(session, provider.id, account, Actor(f"oidc:{provider.name}", origin))
    return account


def _add(session: Session, provider: ProviderRow, known: Known, account: Account, by: Actor) -> IdentityRow:
    now = now_ms()
    row = IdentityRow(
        provider_id=provider.id,
        subject=known.subject,
        account_id=account.id,
        groups=json.dumps(list(known.groups)),
        created=now,
        seen=now,
    )
    session.add(row)
    session.flush()
    said = {"provider": provider.name, "subject": known.subject}
    history.record(session, by, Change("link.add", account.name, after=said))
    return row


def _free_name(session: Session, provider: ProviderRow, names: Sequence[str]) -> str:
    """A name that nobody has or had, and that looks like nobody's: an old account's scans and history are not a
    newcomer's."""
    said = "".join(c for c in names[0] if c.isprintable() and c != ":").strip()[:100]
    for number in range(1, 10_000):
        for end in ("", f"@{provider.name}") if number == 1 else (f"@{provider.name}-{number}",):
            name = f"{said or 'somebody'}{end}"[:MAX_NAME]
            had = session.scalar(select(Account.id).where(Account.name == name).limit(1))
            if had is None and lookalike(session, name) is None:
                return name
    raise UsageError("There are too many people of this name.", "Remove some.")


def link(session: Session, provider: ProviderRow, known: Known, account: Account, by: Actor) -> None:
    """The provider's subject is this account from now on; TakenError where it is another's already."""
    row = session.get(IdentityRow, (provider.id, known.subject))
    if row is not None:
        raise TakenError("This identity belongs to an account already.", "Unlink it there first.")
    _add(session, provider, known, account, by)
    work_out(session, provider.id, account, by)


def unlink(session: Session, provider: ProviderRow, account: Account, by: Actor) -> None:
    """Take the links of this account to the provider away, and the roles that came by them; MissingError."""
    rows = session.scalars(
        select(IdentityRow).where(
            IdentityRow.provider_id == provider.id, IdentityRow.account_id == account.id
        )
    ).all()
    if not rows:
        raise MissingError(f"This account is not linked to {provider.name!r}.", "")
    for row in rows:
        said = {"provider": provider.name, "subject": row.subject}
        session.delete(row)
        history.record(session, by, Change("link.remove", account.name, before=said))
    session.flush()
    work_out(session, provider.id, account, by)
    session.execute(delete(SessionRow).where(SessionRow.account_id == account.id))


def links_of(session: Session, account: Account) -> Sequence[tuple[str, str, int]]:
    """Provider, subject and when it was last seen, of each link of the account."""
    query = (
        select(ProviderRow.name, IdentityRow.subject, IdentityRow.seen)
        .join(ProviderRow, ProviderRow.id == IdentityRow.provider_id)
        .where(IdentityRow.account_id == account.id)
        .order_by(ProviderRow.name, IdentityRow.subject)
    )
    return [(name, subject, seen) for name, subject, seen in session.execute(query)]


def is_linked(session: Session, provider: ProviderRow, subject: str, account: Account) -> bool:
    """Whether the provider's subject is this account."""
    row = session.get(IdentityRow, (provider.id, subject))
    return row is not None and row.account_id == account.id


def work_out(session: Session, provider: uuid.UUID, account: Account, by: Actor) -> None:
    """Give and take the roles that come by the account's groups at the provider; roles that somebody gave stay."""
    source = provider.hex
    links = select(IdentityRow.groups).where(
        IdentityRow.provider_id == provider, IdentityRow.account_id == account.id
    )
    groups = [group for text in session.scalars(links) for group in json.loads(text)]
    wanted = _wanted(session, provider, groups)
    held = session.scalars(select(Member).where(Member.account_id == account.id)).all()
    have = {(member.role, member.place): member for member in held}
    for key, member in have.items():
        if member.source == source and key not in wanted:
            members.take(session, account.name, Role(member.role), _place(session, member), by, "by groups")
    for key in sorted(wanted.keys() - have.keys()):
        mapped = wanted[key]
        given = members.give(
            session, account.name, Role(mapped.role), _place(session, mapped), by, "by groups"
        )
        given.source = source
    session.flush()


def work_out_all(session: Session, by: Actor) -> None:
    """Of everybody who ever came, by the groups that he had then."""
    query = select(IdentityRow.provider_id, IdentityRow.account_id).distinct()
    for provider, key in session.execute(query).all():
        work_out(session, provider, session.get_one(Account, key), by)


def forget_provider(session: Session, provider: ProviderRow, by: Actor) -> None:
    """Take away whatever came by this provider."""
    query = select(Account).join(IdentityRow, IdentityRow.account_id == Account.id)
    query = query.where(IdentityRow.provider_id == provider.id, Account.removed.is_(None)).distinct()
    for account in session.scalars(query).all():
        unlink(session, provider, account, by)


def _wanted(
    session: Session, provider: uuid.UUID, groups: Sequence[str]
) -> dict[tuple[str, str], GroupRoleRow]:
    """By role and place. A role of another version of this program gives nothing."""
    query = select(GroupRoleRow).where(GroupRoleRow.provider_id == provider)
    inside, known = set(groups), {role.value for role in Role}
    rows = [row for row in session.scalars(query) if row.group_name in inside and row.role in known]
    return {(row.role, row.place): row for row in rows}


def _place(session: Session, held: Member | GroupRoleRow) -> members.Place:
    if held.project_id is not None:
        return members.Place(project=session.get_one(Project, held.project_id))
    if held.group_id is not None:
        return members.Place(group=session.get_one(Group, held.group_id))
    return members.Place()
