"""Where the teams of a place are told what happens, how that went, and another try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_origin

from fastapi import APIRouter, Request
from starlette.responses import Response

from package_hunter.access.permissions import Permission
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.notices.kinds import chat, gitlab, jira, mail, webhook
from package_hunter.notices.kinds.base import DestinationSettings
from package_hunter.notices.outbox import Event
from package_hunter.web.inside import ask, get
from package_hunter.web.navigation import settings_tabs
from package_hunter.web.page import PageRoute, field, form_of, show, to
from package_hunter.web.pages.people import typed
from package_hunter.web.whereabouts import EVERYWHERE, Spot, held_at, spot_at, spots

_HERE = "/settings/notices"
_MOST = 50
KINDS: dict[str, type[DestinationSettings]] = {
    "mail": mail.MailTo,
    "slack": chat.Slack,
    "mattermost": chat.Mattermost,
    "teams": chat.Teams,
    "gitlab": gitlab.GitLab,
    "jira": jira.Jira,
    "webhook": webhook.Webhook,
}
"""As the API takes them; the form is made of their fields."""
_ON_EVENTS = [one.value for one in Event if one is not Event.TEST]


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a kind's form; ``form``: text, password, lines or tick."""

    name: str
    form: str
    hint: str
    required: bool
    usual: str


def fields_of(kind: str) -> list[Asked]:
    """What a destination of this kind needs."""
    model, found = KINDS[kind], []
    for name, info in model.model_fields.items():
        if name == "kind":
            continue
        secret = name in model.SECRET and name != "url"
        form = "password" if secret else "text"
        if get_origin(info.annotation) is list:
            form = "lines"
        elif info.annotation is bool:
            form = "tick"
        usual = info.default if not info.is_required() and info.default_factory is None else None
        said = "\n".join(map(str, usual)) if isinstance(usual, list) else "" if usual is None else str(usual)
        found.append(Asked(name, form, (info.description or "").replace("`", ""), info.is_required(), said))
    return found


def routes(_: Service) -> APIRouter:
    """See the module."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(_HERE)
    async def page(request: Request) -> Response:
        asked = request.query_params.get("at")
        return await _shown(
            request, await _first(request) if asked is None else await spot_at(request, asked)
        )

    @router.post(f"{_HERE}/add")
    async def add(request: Request) -> Response:
        spot = await _spot(request)
        answer = await ask(request, "POST", f"{spot.root}/destinations", body=_body(request))
        if not answer.ok:
            return await _shown(request, spot, answer.error)
        made = answer.json()
        if made["secret"]:
            return show(request, "webhook_key", {**made, "at": spot.path})
        return to(_HERE, "destination-added", {"at": spot.path})

    @router.post(f"{_HERE}/remove")
    async def remove(request: Request) -> Response:
        spot = await _spot(request)
        query = {"name": field(request, "name")}
        answer = await ask(request, "DELETE", f"{spot.root}/destinations", query)
        return await _then(request, spot, answer.error if not answer.ok else None, "destination-removed")

    @router.post(f"{_HERE}/test")
    async def test(request: Request) -> Response:
        spot = await _spot(request)
        body = {"name": field(request, "name")}
        answer = await ask(request, "POST", f"{spot.root}/destinations/test", body=body)
        return await _then(request, spot, answer.error if not answer.ok else None, "destination-tested")

    @router.post(f"{_HERE}/retry")
    async def retry(request: Request) -> Response:
        spot = await _spot(request)
        body = {"delivery": field(request, "delivery") or None}
        answer = await ask(request, "POST", f"{spot.root}/deliveries/retry", body=body)
        return await _then(request, spot, answer.error if not answer.ok else None, "delivery-retried")

    return router


async def _spot(request: Request) -> Spot:
    return await spot_at(request, field(request, "at"))


async def _first(request: Request) -> Spot:
    """Everywhere, where the account may look there; else the first place where it may."""
    access = request.state.access
    if access.may(Permission.NOTICE_READ):
        return EVERYWHERE
    return next(
        (one for one in await spots(request) if _may(request, one, Permission.NOTICE_READ)), EVERYWHERE
    )


def _may(request: Request, spot: Spot, permission: Permission) -> bool:
    return permission in held_at(request.state.access, spot)


async def _then(request: Request, spot: Spot, problem: ApiError | None, said: str) -> Response:
    if problem is not None:
        return await _shown(request, spot, problem)
    return to(_HERE, said, {"at": spot.path})


def _body(request: Request) -> dict[str, Any]:
    """The destination of the form; ApiError 400: a kind that is none."""
    kind = field(request, "kind")
    if kind not in KINDS:
        raise ApiError(400, "There is no such kind of destination.", "Choose one of the list.")
    settings: dict[str, Any] = {"kind": kind}
    for one in fields_of(kind):
        text = field(request, one.name).strip()
        if one.form == "tick":
            settings[one.name] = bool(text)
        elif one.form == "lines":
            settings[one.name] = [line.strip() for line in text.splitlines() if line.strip()]
        elif text:
            settings[one.name] = text
    events = [str(one) for one in form_of(request).getlist("event")]
    return {"name": field(request, "name").strip(), "settings": settings, "events": events}


async def _shown(request: Request, spot: Spot, problem: ApiError | None = None) -> Response:
    kind = typed(request, "kind") or request.query_params.get("kind", "mail")
    kind = kind if kind in KINDS else "mail"
    found = await get(request, f"{spot.root}/destinations")
    gone = await get(request, f"{spot.root}/deliveries", {"limit": _MOST})
    places = [one for one in await spots(request) if _may(request, one, Permission.NOTICE_READ)]
    chosen = set(form_of(request).getlist("event")) if request.method == "POST" else set()
    values = {
        "tabs": settings_tabs(request.state.access, request.url.path),
        "spot": spot,
        "spots": places,
        "everywhere": request.state.access.may(Permission.NOTICE_READ),
        "destinations": found["items"],
        "deliveries": gone["items"],
        "dead": sum(one["state"] == "dead" for one in gone["items"]),
        "may": _may(request, spot, Permission.NOTICE_MANAGE),
        "kind": kind,
        "kinds": list(KINDS),
        "fields": fields_of(kind),
        "events": [(one, one in chosen) for one in _ON_EVENTS],
        "typed": {one.name: typed(request, one.name) for one in fields_of(kind) if one.form != "password"}
        | {"name": typed(request, "name")},
        "again": request.method == "POST" and problem is not None and bool(typed(request, "kind")),
    }
    return show(request, "notices", values, problem=problem)
