"""The pages as the server takes them."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Scope

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.web import page
from package_hunter.web.pages import PAGES
from package_hunter.web.render import environment


class Web:
    """See `api.service.Pages`."""

    def __init__(self) -> None:
        made = environment()
        for name in made.list_templates():
            made.get_template(name)  # compiled before rights are given up, and before anybody waits for it

    def routes(self, service: Service) -> Iterable[APIRouter]:
        """All pages."""
        return [one.routes(service) for one in PAGES]

    def refusal(self, error: ApiError, scope: Scope) -> Response:
        """What somebody sees in place of a page."""
        return page.refusal(error, scope)
