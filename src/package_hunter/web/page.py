"""What all pages have in common: the form's token, refusals as pages, and how a template is shown."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request
from starlette.datastructures import ImmutableMultiDict
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from package_hunter.access.identity import NOBODY, Method
from package_hunter.api import cookies
from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.errors import ApiError, store_failed
from package_hunter.api.permits import is_page
from package_hunter.model.text import visible
from package_hunter.store.database import StoreError
from package_hunter.web.navigation import navigation
from package_hunter.web.refused import for_people, labels_of, names_a_field
from package_hunter.web.render import rendered
from package_hunter.web.told import DONE

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Everything that a page loads comes from here, nothing of it is written into the page."""
_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 5_000
_NO_CHALLENGE = 403  # in place of 401, at which browsers ask for a password by themselves
Form = ImmutableMultiDict[str, str]
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(PermittedRoute):
    """A page's route. A form that is posted to it has brought the session's token before the page's function runs."""

    def get_route_handler(self) -> _Handler:
        """See APIRoute."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                if request.method not in cookies.SAFE_METHODS:
                    await _read_form(request)
                return await inner(request)
            except ApiError as error:
                return refusal(error, request.scope)
            except StoreError as error:
                return refusal(store_failed(error), request.scope)

        return handler


async def _read_form(request: Request) -> None:
    """The form, for `form_of`; ApiError 400, 403, 413. htmx sends forms as browsers do."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 2 << 20:
            raise ApiError(413, "The form is too large.", "Shorten what you wrote.")
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise ApiError(400, "This is no form.", "Use the page's own.")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise ApiError(400, "This form cannot be read.", "Use the page's own.") from None
    who = request.scope["identity"]
    form = request.scope["package-hunter.form"] = Form(fields)
    if who.method is Method.SESSION:
        try:
            cookies.require_token(str(form.get("csrf", "")).encode(), who)
        except ApiError as error:
            advice = "Reload the page, and send it again."
            raise ApiError(error.status, "The form is of another session.", advice) from error


def form_of(request: Request) -> Form:
    """The fields that were posted."""
    found: Form = request.scope["package-hunter.form"]
    return found


def field(request: Request, name: str) -> str:
    """A field of the form; empty where it is not there."""
    return str(form_of(request).get(name, ""))


def act(request: Request, *known: str) -> str:
    """Which of the page's buttons sent the form; empty: none did (a field that is checked while it is written).
    ApiError 400: one that the page has not, which would pass for done."""
    found = field(request, "act")
    if found and found not in known:
        raise ApiError(400, "There is no such act.", "Use the page's own buttons.")
    return found


def prose(request: Request, name: str) -> str:
    """A field of several lines, with what nobody sees in it made visible: so it comes back as it was shown."""
    return visible(field(request, name).replace("\r\n", "\n"), keep="\n\t").strip()


def show(
    request: Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    problem: ApiError | None = None,
) -> Response:
    """The page of this template (`templates/NAME.html.j2`). ``problem``: what the API refused, told at its top, with
    the API's status."""
    return _shown(
        request.scope, template, values or {}, status if problem is None else problem.status, problem
    )


def _shown(
    scope: Scope, template: str, values: Mapping[str, Any], status: int, problem: ApiError | None
) -> Response:
    request = Request(scope)
    identity = scope.get("identity", NOBODY)
    access = scope.get("state", {}).get("access")
    around = {
        "account": identity.account,
        "csrf": identity.csrf or "",
        "access": access,
        "navigation": navigation(access, scope["path"]),
        "path": scope["path"],
        "query": request.query_params,
        "problem": problem and for_people(problem),
        "done": DONE.get(request.query_params.get("done", "")),
    }
    headers = {"Content-Security-Policy": CSP, "Vary": "HX-Request"}
    status = _NO_CHALLENGE if status == 401 else status
    if problem is not None:
        headers |= problem.headers
    page = rendered(template, {**around, **values})
    if problem is not None and names_a_field(problem):  # once more, now that its labels are known
        around["problem"] = for_people(problem, labels_of(page))
        page = rendered(template, {**around, **values})
    return Response(page, status, headers, "text/html; charset=utf-8")


def refusal(error: ApiError, scope: Scope) -> Response:
    """What somebody sees in place of a page: the way to sign in, or a sentence."""
    if error.status == 401 and not scope["path"].startswith("/sign-in"):
        return _to_sign_in(scope)
    if error.status == 404 and not is_page(scope["path"]):
        error = ApiError(404, "There is no such page.", "The address may be mistyped, or of another version.")
    return _shown(scope, "error", {}, error.status, error)


def _to_sign_in(scope: Scope) -> Response:
    path = scope["path"] if scope["method"] in ("GET", "HEAD") else "/overview"
    query = scope["query_string"].decode("latin-1") if scope["method"] in ("GET", "HEAD") else ""
    target = quote(path, safe="/:@!$&'()*+,;=") + (f"?{query}" if query else "")
    there = f"/sign-in?{urlencode({'next': target})}"
    if dict(scope["headers"]).get(
        b"hx-request"
    ):  # a part of a page would be replaced by the whole of another
        return Response(status_code=200, headers={"HX-Redirect": there})
    return RedirectResponse(there, 303)


def to(path: str, done: str = "", query: Mapping[str, Any] | None = None) -> Response:
    """After something was done: the page where it is seen. ``done``: one of `told.DONE`, said at its top."""
    assert not done or done in DONE, done
    pairs = {key: value for key, value in {**(query or {}), "done": done}.items() if value}
    return RedirectResponse(path + (f"?{urlencode(pairs, doseq=True)}" if pairs else ""), 303)
