"""Where teams want to be told: kept for a project, a group, or all; changes are in the history."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.errors import HostError, UsageError
from package_hunter.notices import outbox, secrecy
from package_hunter.notices.guard import Guard, networks
from package_hunter.notices.kinds import AnySettings
from package_hunter.notices.kinds.base import DestinationSettings
from package_hunter.notices.outbox import Event, Notice
from package_hunter.store import history
from package_hunter.store.accounts import check_name
from package_hunter.store.database import now_ms
from package_hunter.store.history import Change
from package_hunter.store.members import Place
from package_hunter.store.notice_tables import MAX_TARGET, DeliveryRow, DestinationRow, NoticeRow
from package_hunter.store.places import MissingError, TakenError

MAX_AT_A_PLACE = 50
_ADAPTER: TypeAdapter[AnySettings] = TypeAdapter(AnySettings)


def check_target(new: DestinationSettings, allowed: str) -> None:
    """UsageError where nothing could ever be told there: its address is one that is not public, nor in the networks
    ``allowed`` (PACKAGE_HUNTER_NOTICES_ALLOW)."""
    url = getattr(new, "url", None)  # mail goes by the mail server, wherever that is
    if isinstance(url, str):
        Guard(networks(allowed)).check_literal(url)


@dataclass(frozen=True, slots=True)
class NewDestination:
    """``events`` empty: all of them."""

    name: str
    settings: DestinationSettings
    events: tuple[Event, ...] = ()


def settings_of(values: dict[str, Any]) -> DestinationSettings:
    """Settings out of untrusted values, by their ``kind``; UsageError with the first thing that is wrong."""
    try:
        return _ADAPTER.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"The setting {where!r} is wrong: {first['msg']}.", "See docs/notices.md."
        ) from error


def add(
    session: Session,
    place: Place,
    new: NewDestination,
    key: X25519PublicKey,
    by: Actor,
    why: str | None = None,
) -> DestinationRow:
    """Keep it; UsageError where the name is taken or the place has too many."""
    check_name(new.name)
    there = listed(session, place)
    if any(row.name == new.name for row in there):
        raise TakenError(f"There is a destination {new.name!r} there already.", "Choose another name.")
    if len(there) >= MAX_AT_A_PLACE:
        raise UsageError(f"A place has {MAX_AT_A_PLACE} destinations at most.", "Remove one first.")
    settings, values = new.settings, new.settings.model_dump(mode="json")
    shown = {name: value for name, value in values.items() if name not in settings.SECRET}
    row = DestinationRow(id=uuid.uuid4(), place=place.key, name=new.name, kind=values["kind"])
    row.group_id = None if place.group is None else place.group.id
    row.project_id = None if place.project is None else place.project.id
    row.target, row.options = settings.shown()[:MAX_TARGET], json.dumps(shown)
    row.events, row.created = json.dumps([event.value for event in new.events]), now_ms()
    # the whole: who can write here and not read the key cannot have a token sent to another place
    row.secret = secrecy.seal(key, row.id, values) if settings.SECRET else None
    session.add(row)
    session.flush()
    said = {"place": place.name, **described(row)}
    history.record(
        session, by, Change("destination.add", row.name, project=row.project_id, after=said, why=why)
    )
    return row


def described(row: DestinationRow) -> dict[str, Any]:
    """What may be told of it: no secret."""
    return {"kind": row.kind, "target": row.target, "events": events_of(row)}


def events_of(row: DestinationRow) -> list[str]:
    """The events that it wants, all where it names none."""
    named = wanted(row)
    return [event.value for event in Event if event is not Event.TEST and (not named or event in named)]


def wanted(row: DestinationRow) -> list[str]:
    """The events that it names."""
    try:
        return [str(event) for event in json.loads(row.events)]
    except (ValueError, TypeError):
        return ["none that can be read"]


def listed(session: Session, place: Place) -> Sequence[DestinationRow]:
    """Those of right there, by name."""
    query = select(DestinationRow).where(DestinationRow.place == place.key, DestinationRow.removed.is_(None))
    return session.scalars(query.order_by(DestinationRow.name)).all()


def named(session: Session, place: Place, name: str) -> DestinationRow:
    """The one of this name; MissingError."""
    query = select(DestinationRow).where(
        DestinationRow.place == place.key, DestinationRow.name == name, DestinationRow.removed.is_(None)
    )
    found = session.scalar(query)
    if found is None:
        raise MissingError(
            f"There is no destination {name[:128]!r} there.", "See package-hunter notices list."
        )
    return found


def remove(session: Session, place: Place, name: str, by: Actor, why: str | None = None) -> None:
    """Tell it nothing from now on; its secrets are forgotten. MissingError."""
    row = named(session, place, name)
    before = {"place": place.name, **described(row)}
    row.removed, row.secret = now_ms(), None
    history.record(
        session, by, Change("destination.remove", name, project=row.project_id, before=before, why=why)
    )


def test(session: Session, place: Place, name: str, by: Actor, why: str | None = None) -> uuid.UUID:
    """Have it told that this is a test; the delivery's id. MissingError."""
    row = named(session, place, name)
    text = Notice(
        f"{by.name} asked for a test of the destination {name!r}.",
        todo="Nothing: that you read this shows that it works.",
    )
    about = outbox.Scope(row.project_id, row.group_id)
    notice = session.get_one(NoticeRow, outbox.enqueue(session, Event.TEST, about, text))
    notice.spread = now_ms()  # it goes there alone
    delivery = DeliveryRow(id=uuid.uuid4(), notice_id=notice.id, destination_id=row.id, state="waiting")
    delivery.attempts, delivery.due = 0, now_ms()
    session.add(delivery)
    session.flush()
    after = {"place": place.name, "delivery": str(delivery.id)}
    history.record(
        session, by, Change("destination.test", name, project=row.project_id, after=after, why=why)
    )
    return delivery.id


def opened(row: DestinationRow, key: X25519PrivateKey) -> DestinationSettings:
    """Its settings, secrets included; HostError where its row was changed by somebody else."""
    if row.secret is not None:
        values = secrecy.open_sealed(key, row.id, row.secret)
    else:
        try:
            values = dict(json.loads(row.options))
        except (ValueError, TypeError) as error:
            raise HostError("The destination's row in the store is malformed.", "Add it anew.") from error
    try:
        made = settings_of(values)
    except UsageError as error:
        raise HostError("The destination's settings are malformed.", "Add it anew.") from error
    if made.SECRET and row.secret is None:
        raise HostError("The destination's settings are not sealed.", "Add it anew.")
    return made
