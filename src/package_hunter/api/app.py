"""The application: the original's routes, ours, figures, and one way to say no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from package_hunter import __version__
from package_hunter.api import (
    access_routes,
    bundle_routes,
    drill_routes,
    errors,
    event_routes,
    finding_look_routes,
    finding_routes,
    gate_routes,
    health_routes,
    history_routes,
    hold_routes,
    inventory_routes,
    job_routes,
    notice_routes,
    oidc_routes,
    original,
    original_form,
    overview_routes,
    own_routes,
    policy_routes,
    proposal_routes,
    provider_routes,
    queue_routes,
    recorded_routes,
    rule_routes,
    rule_set_routes,
    rule_try_routes,
    scan_act_routes,
    scan_file_routes,
    scan_look_routes,
    scan_routes,
    session_routes,
    simulation_routes,
    token_routes,
    view_routes,
    worker_routes,
)
from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.described import describe
from package_hunter.api.errors import ApiError, JsonResponse, store_failed
from package_hunter.api.gate import Gate
from package_hunter.api.metrics import Metrics
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Pages, Renderer, Service
from package_hunter.config import Settings
from package_hunter.ecosystems import known  # noqa: F401 (says to the reports which there are)
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import ScanStatus
from package_hunter.queue.base import Queue
from package_hunter.report.sample import sample
from package_hunter.store.database import Store, StoreError, UnstorableError

log = structlog.get_logger(__name__)

_DESCRIPTION = """\
Runs dependencies in a sealed box, watches every system call, and tells which package did what.

Submit an archive or a package, ask for its status until it is `finished` or `failed`, fetch its report.
Every route but health and this description asks for credentials: a bearer token or HTTP Basic."""


def create_app(
    settings: Settings,
    store: Store,
    queue: Queue,
    renderers: Mapping[str, Renderer],
    pages: Pages | None = None,
    within: bool = False,
) -> FastAPI:
    """The server as an ASGI application. ``renderers`` are the report formats beside JSON; ``pages`` what stands on
    it for people. ``within``: no requests of a network come to it, and each says in its scope whose it is, as the gate
    would (``identity``, ``principal``)."""
    service = Service(settings, store, queue, renderers, pages)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.auth.flush()
        store.close()

    app = FastAPI(
        title="Package Hunter",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=None,  # `_description` has it
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(original.routes(service))
    for room in (
        *(scan_routes, scan_act_routes, scan_file_routes, event_routes, hold_routes, bundle_routes),
        *(scan_look_routes, health_routes, worker_routes, simulation_routes),
        *(rule_routes, rule_set_routes, rule_try_routes, recorded_routes),
        *(oidc_routes, provider_routes, job_routes, gate_routes, inventory_routes),
        *(access_routes, history_routes, queue_routes, token_routes, session_routes, own_routes),
        *(notice_routes, finding_routes, finding_look_routes, view_routes, overview_routes),
        *(policy_routes, proposal_routes, drill_routes),
    ):
        app.include_router(room.routes(service))
    for router in () if pages is None else pages.routes(service):
        app.include_router(router)
    app.include_router(_figures(service, metrics))
    app.include_router(_description(app))
    _handle_errors(app, service)
    if not within:
        app.add_middleware(Gate, service=service, metrics=metrics)
    _describe_credentials(app)
    return app


def _figures(service: Service, metrics: Metrics) -> APIRouter:
    router = APIRouter(route_class=PermittedRoute)

    @router.get("/metrics", tags=["server"], summary="Figures for Prometheus", response_class=Response)
    async def figures() -> Response:
        return Response(await metrics.text(service), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _description(app: FastAPI) -> APIRouter:
    router = APIRouter(route_class=PermittedRoute, include_in_schema=False)
    made: list[bytes] = []

    @router.get("/api/v1/openapi.json")
    async def description() -> Response:
        if not made:
            made.append(json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode())
        return JsonResponse(made[0])

    return router


def _handle_errors(app: FastAPI, service: Service) -> None:
    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> Response:
        return service.refusal(error, request.scope)

    @app.exception_handler(StoreError)
    async def no_store(request: Request, error: StoreError) -> Response:
        if isinstance(error, UnstorableError):
            return service.refusal(ApiError(400, error.message, error.advice), request.scope)
        log.warning("store failed", error=str(error))
        return service.refusal(store_failed(error), request.scope)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return service.refusal(errors.invalid(error.errors()[0], error.__cause__), request.scope)

    @app.exception_handler(HTTPException)
    async def routed_nowhere(request: Request, error: HTTPException) -> Response:
        advice = "See /api/v1/openapi.json for all there is."
        refusal = ApiError(error.status_code, f"{error.detail}.", advice, error.headers)
        return service.refusal(refusal, request.scope)


def _describe_credentials(app: FastAPI) -> None:
    """OpenAPI's word for what `gate.Gate` asks for."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        schema.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "password": {"type": "http", "scheme": "basic"},
        }
        schema["security"] = [{"token": []}, {"password": []}]
        schema["paths"]["/api/v1/health"]["get"]["security"] = []
        schema["components"].setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"].get("schemas", {}).pop(name, None)
        describe(schema)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


async def warm_up(app: FastAPI) -> None:
    """Answer requests inside the process and render a report in every form, so that all that is loaded with the
    first of each is loaded before rights are given up."""
    report = to_json(sample())
    original_form.answer(report["id"], ScanStatus.FINISHED.value, None, report)
    for renderer in app.state.service.renderers.values():
        renderer.render(report).encode("utf-8", "backslashreplace")
    headers = [(b"host", b"localhost")]
    for path in ("/api/v1/openapi.json", "/no-such-page", "/api/v1/health"):
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        await app(scope, _no_body, _ignore)


async def _no_body() -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ignore(_message: Any) -> None:
    return None
