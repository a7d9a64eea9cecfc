"""Which groups of identity providers have which roles where: all such mappings together.

``{"mappings": [{"provider": "corp", "group": "security", "role": "security-admin", "place": "web"}]}``; ``place`` is a
path, empty: everywhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping as MappingType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES, Role
from package_hunter.errors import UsageError
from package_hunter.governance.proposals.kind import Act, Budget, Impact, Wanted
from package_hunter.store import providers
from package_hunter.store.access_tables import EVERYWHERE, Account, Member
from package_hunter.store.identity_tables import IdentityRow, ProviderRow
from package_hunter.store.members import Place
from package_hunter.store.providers import Mapping

MAX_MAPPINGS = 2_000
_KEYS = {"provider", "group", "role", "place"}
_MAX_SHOWN = 50
_Held = dict[str, set[tuple[str, str]]]  # role and place by account


class RoleMappingsKind:
    """See `ChangeKind`."""

    name = "role-mappings"
    what = "which groups have which roles"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """Refused where nobody could approve changes, or give roles, any more."""
        if place != Place():
            raise UsageError("Mappings hold for the whole server.", "Propose them for everywhere.")
        if not isinstance(document, MappingType) or set(document) != {"mappings"}:
            raise UsageError("Mappings are an object with the key mappings.", "See docs/proposals.md.")
        wanted = _mappings(document["mappings"])
        providers.check_mappings(session, wanted)
        for permission in (Permission.PROPOSAL_APPROVE, Permission.ROLE_MANAGE):
            _require_somebody(session, wanted, permission)
        return Wanted({"mappings": [_said(m) for m in wanted]}, f"{len(wanted)} roles of groups")

    def base(self, session: Session, place: Place, _wanted: Wanted) -> Any:
        """Those in force."""
        return {"mappings": [_said(m) for m in providers.mappings(session)]}

    def impact(self, session: Session, place: Place, wanted: Wanted, _budget: Budget) -> Impact:
        """No scan is decided otherwise: it says who would get and lose what, by the groups that he had last."""
        before = _by_groups(session, providers.mappings(session))
        after = _by_groups(session, _mappings(wanted.document["mappings"]))
        effects = []
        for name in sorted(set(before) | set(after)):
            was, becomes = before.get(name, set()), after.get(name, set())
            effects += [f"{name} gets {role} ({at or EVERYWHERE})." for role, at in sorted(becomes - was)]
            effects += [f"{name} loses {role} ({at or EVERYWHERE})." for role, at in sorted(was - becomes)]
        more = len(effects) - _MAX_SHOWN
        shown = [*effects[:_MAX_SHOWN], f"And {more} more."] if more > 0 else effects
        return Impact("scans", 0, 0, effects=tuple(shown or ["Nobody who came so far gets or loses a role."]))

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """See `store.providers.put_mappings`."""
        providers.put_mappings(session, _mappings(wanted.document["mappings"]), act.by, act.why)


def _mappings(said: Any) -> list[Mapping]:
    if not isinstance(said, list) or len(said) > MAX_MAPPINGS:
        raise UsageError(f"mappings is a list of at most {MAX_MAPPINGS} objects.", "Correct it.")
    found = set()
    for one in said:
        sound = (
            isinstance(one, MappingType) and set(one) <= _KEYS and {"provider", "group", "role"} <= set(one)
        )
        if not sound or not all(isinstance(value, str) for value in one.values()):
            raise UsageError("A mapping has the texts provider, group, role and place.", "Correct it.")
        found.add(Mapping(one["provider"], one["group"], one["role"], one.get("place", "")))
    return sorted(found)


def _said(mapping: Mapping) -> dict[str, str]:
    values = {"provider": mapping.provider, "group": mapping.group, "role": mapping.role}
    return values | {"place": mapping.place}


def _by_groups(session: Session, mappings: list[Mapping]) -> _Held:
    """What each live account would have by these, of the groups that it had when it came last."""
    query = (
        select(Account.name, ProviderRow.name, IdentityRow.groups)
        .join(IdentityRow, IdentityRow.account_id == Account.id)
        .join(ProviderRow, ProviderRow.id == IdentityRow.provider_id)
        .where(Account.removed.is_(None))
    )
    held: _Held = {}
    for name, provider, groups in session.execute(query):
        inside = set(json.loads(groups))
        mine = {(m.role, m.place) for m in mappings if m.provider == provider and m.group in inside}
        held.setdefault(name, set()).update(mine)
    return held


def _require_somebody(session: Session, mappings: list[Mapping], permission: Permission) -> None:
    """UsageError where somebody holds the permission everywhere now, and nobody would."""
    roles = {role.value for role in Role if permission in ROLES[role]}
    by_hand, now = _holders(session, roles, by_hand=True), _holders(session, roles, by_hand=False)
    by_group = any(
        role in roles and not at for held in _by_groups(session, mappings).values() for role, at in held
    )
    if now and not by_hand and not by_group:
        raise UsageError(
            f"Nobody would hold {permission.value} everywhere any more: all would be locked out.",
            "Keep a mapping that somebody has, or give somebody the role by hand first.",
        )


def _holders(session: Session, roles: set[str], *, by_hand: bool) -> set[uuid.UUID]:
    query = select(Account.id).join(Member, Member.account_id == Account.id)
    query = query.where(Member.place == EVERYWHERE, Member.role.in_(roles), Account.removed.is_(None))
    query = query.where(Account.kind == "user")
    return set(session.scalars(query.where(Member.source == "") if by_hand else query))
