"""Routes of where teams are told, and how that went: the same for a project, a group, and all."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session

from package_hunter.api.access_schemas import Why
from package_hunter.api.allowed import PermittedRoute, actor_of, unknown
from package_hunter.api.notice_schemas import (
    DeliveryInfo,
    DeliveryList,
    DestinationInfo,
    DestinationList,
    MadeDestination,
    Name,
    NewDestinationBody,
    Retried,
    RetryBody,
    State,
    TestBody,
    Tested,
)
from package_hunter.api.service import Service
from package_hunter.api.transactions import (
    WRONG,
    PlaceOf,
    as_time,
    everywhere,
    group_place,
    maybe_time,
    project_place,
    read,
    write,
)
from package_hunter.notices import deliveries, destinations, secrecy
from package_hunter.notices.deliveries import Delivery
from package_hunter.notices.destinations import NewDestination
from package_hunter.notices.kinds.webhook import Webhook
from package_hunter.store.notice_tables import DestinationRow


def routes(service: Service) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/v1", responses=WRONG, route_class=PermittedRoute)
    for path, place_of, tail in (
        ("/projects/{project_id}", project_place, "a project"),
        ("/groups/{group_id}", group_place, "a group"),
        ("", everywhere, "all"),
    ):
        _destinations(router, service, path, place_of, tail)
        _test(router, service, path, place_of, tail)
        _deliveries(router, service, path, place_of, tail)
    return router


def _destinations(router: APIRouter, service: Service, path: str, place_of: PlaceOf, tail: str) -> None:
    @router.get(f"{path}/destinations", tags=["notices"], summary=f"Where the teams of {tail} are told")
    async def list_destinations(request: Request) -> DestinationList:
        def look(session: Session) -> DestinationList:
            found = destinations.listed(session, place_of(session, request))
            return DestinationList(items=[DestinationInfo(**_info(row)) for row in found])

        return await read(service, look)

    @router.post(
        f"{path}/destinations", tags=["notices"], summary=f"Tell the teams of {tail}", status_code=201
    )
    async def add_destination(request: Request, new: NewDestinationBody) -> MadeDestination:
        made = NewDestination(new.name, new.settings, tuple(new.events))

        def change(session: Session) -> MadeDestination:
            key = secrecy.public_key(service.settings)
            place = place_of(session, request)
            destinations.check_target(new.settings, service.settings.notices_allow)
            row = destinations.add(session, place, made, key, actor_of(request), new.why)
            own = isinstance(new.settings, Webhook) and "secret" not in new.settings.model_fields_set
            secret = new.settings.secret if isinstance(new.settings, Webhook) and own else None
            return MadeDestination(secret=secret, **_info(row))

        return await write(service, change)

    @router.delete(
        f"{path}/destinations", tags=["notices"], summary=f"Tell them no more, of {tail}", status_code=204
    )
    async def remove_destination(
        request: Request, name: Annotated[Name, Query()], why: Annotated[Why, Query()] = None
    ) -> None:
        def change(session: Session) -> None:
            destinations.remove(session, place_of(session, request), name, actor_of(request), why)

        await write(service, change)


def _test(router: APIRouter, service: Service, path: str, place_of: PlaceOf, tail: str) -> None:
    @router.post(
        f"{path}/destinations/test",
        tags=["notices"],
        summary=f"Tell a destination of {tail} that this is a test",
        status_code=202,
    )
    async def test_destination(request: Request, asked: TestBody) -> Tested:
        def change(session: Session) -> Tested:
            place = place_of(session, request)
            key = destinations.test(session, place, asked.name, actor_of(request), asked.why)
            return Tested(delivery=str(key))

        return await write(service, change)


def _deliveries(router: APIRouter, service: Service, path: str, place_of: PlaceOf, tail: str) -> None:
    @router.get(f"{path}/deliveries", tags=["notices"], summary=f"How telling the teams of {tail} went")
    async def list_deliveries(
        request: Request,
        state: Annotated[State | None, Query(description="`dead`: given up.")] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> DeliveryList:
        def look(session: Session) -> DeliveryList:
            found = deliveries.listed(session, place_of(session, request), limit, state)
            return DeliveryList(items=[_delivery(one) for one in found])

        return await read(service, look)

    @router.post(
        f"{path}/deliveries/retry", tags=["notices"], summary=f"Try again what was given up, of {tail}"
    )
    async def retry_deliveries(request: Request, asked: RetryBody) -> Retried:
        key = None if asked.delivery is None else _delivery_id(asked.delivery)

        def change(session: Session) -> Retried:
            place = place_of(session, request)
            number = deliveries.retry(session, place, actor_of(request), key, asked.why)
            return Retried(deliveries=number)

        return await write(service, change)


def _delivery_id(text: str) -> uuid.UUID:
    try:
        if len(text) == 36:
            return uuid.UUID(text)
    except ValueError:
        pass
    raise unknown("delivery")


def _info(row: DestinationRow) -> dict[str, Any]:
    told = destinations.described(row)
    return {"name": row.name, "created": as_time(row.created), **told}


def _delivery(one: Delivery) -> DeliveryInfo:
    return DeliveryInfo(
        id=str(one.id),
        destination=one.destination,
        event=one.event,
        time=as_time(one.time),
        notice=str(one.notice),
        state=one.state,  # type: ignore[arg-type]
        attempts=one.attempts,
        tried=maybe_time(one.tried),
        due=as_time(one.due) if one.state == "waiting" else None,
        error=one.error,
    )
