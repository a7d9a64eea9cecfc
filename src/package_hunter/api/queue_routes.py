"""The route of the queue: how many scans wait and run, by how urgent they are."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.service import Service
from package_hunter.api.transactions import WRONG, maybe_time, read
from package_hunter.watching import census


class QueueInfo(BaseModel):
    """Scans of one priority."""

    priority: str
    waiting: int
    running: int
    oldest: datetime | None = Field(description="Since when the first of those that wait waits.")


class QueueList(BaseModel):
    """By priority, the most urgent first."""

    items: list[QueueInfo]
    dead: int = Field(description="Scans that failed through faults of ours: dead letters.")


def routes(service: Service) -> APIRouter:
    """The one."""
    router = APIRouter(prefix="/api/v1", tags=["workers"], responses=WRONG, route_class=PermittedRoute)

    @router.get("/queue", summary="How many scans wait and run")
    async def queue() -> QueueList:
        def look(session: Session) -> QueueList:
            found = census.queue(session)
            items = [
                QueueInfo(
                    priority=name,
                    waiting=one.waiting,
                    running=one.running,
                    oldest=maybe_time(one.oldest),
                )
                for name, one in reversed(found.items())
            ]
            return QueueList(items=items, dead=census.dead(session))

        return await read(service, look)

    return router
