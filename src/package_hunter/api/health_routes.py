"""The route that asks nobody who he is: does the server do its work?"""

from __future__ import annotations

import structlog
from anyio.to_thread import run_sync
from fastapi import APIRouter

from package_hunter import __version__
from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.schemas import Health
from package_hunter.api.service import Service
from package_hunter.audit.sealer import oldest_unsealed
from package_hunter.audit.verify import ALARM_MS
from package_hunter.store import scans
from package_hunter.store.database import now_ms

log = structlog.get_logger(__name__)

_WORKER_SILENT_SECONDS = 60.0


def routes(service: Service) -> APIRouter:
    """The one."""
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute)

    @router.get(
        "/health", tags=["server"], summary="Whether the server works", description="Asks no credentials."
    )
    async def health() -> Health:
        waiting, seen, lacks = await run_sync(_queue_state, service)
        unsealed = await run_sync(_unsealed, service)
        silent = None if seen is None else max(0.0, (now_ms() - seen) / 1000)
        if silent is None or silent >= _WORKER_SILENT_SECONDS:
            lacks = "No worker is running: package-hunter worker starts one."
        if lacks is None and unsealed:
            lacks = "Changes wait for their seal: the history's sealer does not work."
            log.error("history unsealed", seconds=unsealed)
        return Health(
            status="ok" if lacks is None else "degraded",
            version=__version__,
            waiting=waiting,
            worker_seen_seconds=silent,
            reason=lacks,
        )

    return router


def _queue_state(service: Service) -> tuple[int, int | None, str | None]:
    with service.store.read() as session:
        lately = now_ms() - int(_WORKER_SILENT_SECONDS * 1000)
        return scans.unfinished(session), scans.worker_seen(session), scans.worker_lacks(session, lately)


def _unsealed(service: Service) -> float:
    """For how many seconds too long the history's oldest entry has waited for its seal."""
    with service.store.read() as session:
        since = oldest_unsealed(session)
    return 0.0 if since is None else max(0.0, (now_ms() - since - ALARM_MS) / 1000)
