"""What pages load: kept by browsers, since a new file has a new address."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web.assets import ASSETS
from package_hunter.web.page import PageRoute

_FOR_EVER = "public, max-age=31536000, immutable"


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/static/{digest}/{name}")
    async def static(digest: str, name: str) -> Response:
        found = ASSETS.get(name)
        if found is None or found.digest != digest:
            raise ApiError(404, "There is no such file.", "Reload the page.")
        return Response(found.body, headers={"Cache-Control": _FOR_EVER}, media_type=found.media_type)

    return router
