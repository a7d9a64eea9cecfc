"""Every route, with every role, held in one's own project, its group, everywhere or nowhere; own and foreign target."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import delete, update

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES, SERVER_ROLES, Role
from package_hunter.api.access_document import document
from package_hunter.api.allowed import PermittedRoute
from package_hunter.api.permits import PERMITS, Permit, Where
from package_hunter.governance.gate.forges import Forge, Forges
from package_hunter.notices import destinations, secrecy
from package_hunter.notices.destinations import NewDestination
from package_hunter.notices.kinds.mail import MailTo
from package_hunter.store import accounts, history, members
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.gate_tables import Repository
from package_hunter.store.notice_tables import DeliveryRow, DestinationRow
from package_hunter.store.watching_tables import DrillRow
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.duty_store import LOOK
from tests.support.identity_asks import IDENTITY_ASKS, a_user
from tests.support.proposal_asks import PROPOSALS
from tests.support.requires import ROOT
from tests.support.scan_asks import SCAN_ASKS

PLACES = ("", "web", OWN)
_URL = "https://gitlab.example/web/shop.git"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    more = {"failed_logins_per_minute": 10_000, "recordings_bytes": 1 << 20}
    made = AccessServer(tmp_path_factory.mktemp("access"), **more)
    yield made
    made.store.close()


Ask = Callable[[AccessServer, str, str, str], httpx.Response]


def _plain(url: str) -> Ask:
    """A GET of this address; ``{project}``, ``{group}``, ``{scan}`` are those of the target."""

    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        return server.ask(token, "GET", _filled(url, server, target))

    return ask


def _filled(url: str, server: AccessServer, target: str) -> str:
    group = server.ids[target.split("/")[0]]
    known = {"scan": server.scans[target], "finding": server.findings[target]}
    return url.format(project=server.ids[target], group=group, **known)


def _submit_original(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    kind = {"Content-Type": "application/octet-stream"}
    return server.ask(token, "POST", "/monitor/project/npm", content=b"x", headers=kind)


def _submit(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    body = {"purl": "pkg:npm/left-pad@1.3.0"}
    return server.ask(token, "POST", "/api/v1/scans", params={"project": target}, json=body)


def _sbom(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}
    return server.ask(token, "POST", "/api/v1/sboms", params={"project": target}, json=document)


def _of_commit(url: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        return server.ask(token, "GET", url, params={"project": target, "commit": "a" * 40})

    return ask


def _with_repository(server: AccessServer, target: str) -> None:
    with server.store.write() as session:
        session.merge(Repository(project_id=server.ids[target], url=_URL, created=1))


def _fetch(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    _with_repository(server, target)
    body = {"commit": "a" * 40, "ref": "main"}
    return server.ask(token, "POST", "/api/v1/gate/fetches", params={"project": target}, json=body)


def _bind(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    server.app.state.service.forges = Forges((Forge("lab", "gitlab", "https://gitlab.example/"),))
    body = {"project": target, "url": _URL, "external": "web/shop", "why": "a test"}
    return server.ask(token, "POST", "/api/v1/repositories", json=body)


def _unbind(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    _with_repository(server, target)
    return server.ask(token, "DELETE", "/api/v1/repositories", params={"project": target})


def _drill(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    with server.store.write() as session:
        session.execute(delete(DrillRow))  # one runs at a time
    return server.ask(token, "POST", "/api/v1/drill")


def _new_place(kind: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        path = f"{target.split('/')[0]}/new-{next(_numbers)}"
        return server.ask(token, "POST", f"/api/v1/{kind}", json={"path": path, "why": "a test"})

    return ask


def _somebody(server: AccessServer) -> str:
    name = f"somebody-{next(_numbers)}"
    server.token(name)
    return f"token:{name}"


def _add_member(url: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        body = {"account": _somebody(server), "role": "viewer"}
        return server.ask(token, "POST", _filled(url, server, target), json=body)

    return ask


def _remove_member(url: str, path: Callable[[str], str]) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        name = _somebody(server)
        with server.store.write() as session:
            members.give(session, name, Role.VIEWER, server.place(session, path(target)), TEST)
        query = {"account": name, "role": "viewer"}
        return server.ask(token, "DELETE", _filled(url, server, target), params=query)

    return ask


def _new_user(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    body = {"name": f"user-{next(_numbers)}", "password": "correct horse", "roles": []}
    return server.ask(token, "POST", "/api/v1/users", json=body)


def _remove_user(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    return server.ask(token, "DELETE", "/api/v1/users", params={"name": a_user(server)})


def _new_token(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    body = {"name": f"new-{next(_numbers)}", "roles": []}
    return server.ask(token, "POST", "/api/v1/tokens", json=body)


def _revoke_token(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    name = _somebody(server).removeprefix("token:")
    return server.ask(token, "DELETE", "/api/v1/tokens", params={"name": name})


def _send(method: str, url: str, **body: Any) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        return server.ask(token, method, _filled(url, server, target), **({"json": body} if body else {}))

    return ask


_CONFIRM = {"state": "confirmed", "reason": "not_applicable"}


def _free(ask: Ask) -> Ask:
    """The same, with nobody on the finding."""

    def first(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
        with server.store.write() as session:
            session.execute(update(FindingRow).values(claimed_by=None, claimed=None, claimed_until=None))
        return ask(server, token, target, who)

    return first


def _claimed(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
    url = _filled("/api/v1/findings/{finding}/claim", server, target)
    _free(_send("PUT", "/api/v1/findings/{finding}/claim", hours=1))(server, token, target, who)
    return server.ask(token, "DELETE", url)


def _many(server: AccessServer, target: str) -> dict[str, Any]:
    return {"filter": {"project": target}, "set": _CONFIRM}


def _preview(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    return server.ask(token, "POST", "/api/v1/findings/preview", json=_many(server, target))


def _set_many(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
    digest = _preview(server, token, target, who).json().get("digest", "")
    body = {**_many(server, target), "digest": digest}
    return server.ask(token, "POST", "/api/v1/findings/state", json=body)


def _notice_routes(route: str, url: str, path: Callable[[str], str]) -> dict[tuple[str, str], Ask]:
    """Those of where a place's teams are told."""

    def named(server: AccessServer, target: str) -> str:
        name = f"to-{next(_numbers)}"
        with server.store.write() as session:
            to = NewDestination(name, MailTo(to=["ana@example.org"]))
            place = server.place(session, path(target))
            destinations.add(session, place, to, secrecy.public_key(server.settings), TEST)
        return name

    def add(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        to = {"kind": "mail", "to": ["ana@example.org"]}
        body = {"name": f"new-{next(_numbers)}", "settings": to}
        answer = server.ask(token, "POST", _filled(f"{url}/destinations", server, target), json=body)
        _forget_destinations(server)
        return answer

    def remove(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        where = _filled(f"{url}/destinations", server, target)
        answer = server.ask(token, "DELETE", where, params={"name": named(server, target)})
        _forget_destinations(server)
        return answer

    def test(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        where = _filled(f"{url}/destinations/test", server, target)
        answer = server.ask(token, "POST", where, json={"name": named(server, target)})
        _forget_destinations(server)
        return answer

    def retry(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        name = named(server, target)
        with server.store.write() as session:
            destinations.test(session, server.place(session, path(target)), name, TEST)
            session.execute(update(DeliveryRow).values(state="dead"))
        answer = server.ask(token, "POST", _filled(f"{url}/deliveries/retry", server, target), json={})
        _forget_destinations(server)
        return answer

    there, gone = f"/api/v1{route}/destinations", f"/api/v1{route}/deliveries"
    return {
        ("GET", there): _plain(f"{url}/destinations"),
        ("POST", there): add,
        ("DELETE", there): remove,
        ("POST", f"{there}/test"): test,
        ("GET", gone): _plain(f"{url}/deliveries"),
        ("POST", f"{gone}/retry"): retry,
    }


def _forget_destinations(server: AccessServer) -> None:
    """A place has so many at most, and here are many roles."""
    with server.store.write() as session:
        session.execute(delete(DestinationRow))


def _behaviours(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    """Of the package that both projects have a finding of."""
    assert LOOK.blame is not None
    return server.ask(token, "GET", "/api/v1/behaviours", params={"purl": LOOK.blame.package})


_MEMBERS = "/api/v1/{kind}/{key}/members"
_PROJECT, _GROUP = "/api/v1/projects/{project}/members", "/api/v1/groups/{group}/members"

# route -> how to ask for it
ASK: dict[tuple[str, str], Ask] = {
    ("POST", "/monitor/project/{manager}"): _submit_original,
    ("GET", "/"): _plain("/?id={scan}"),
    ("POST", "/api/v1/scans"): _submit,
    ("GET", "/api/v1/scans"): _plain("/api/v1/scans?limit=500"),
    ("GET", "/api/v1/scans/{scan_id}"): _plain("/api/v1/scans/{scan}"),
    ("GET", "/api/v1/scans/{scan_id}/report"): _plain("/api/v1/scans/{scan}/report"),
    **SCAN_ASKS,
    ("GET", "/api/v1/gate"): _of_commit("/api/v1/gate"),
    ("GET", "/api/v1/gate/answers"): _of_commit("/api/v1/gate/answers"),
    ("POST", "/api/v1/gate/fetches"): _fetch,
    ("GET", "/api/v1/repositories"): _plain("/api/v1/repositories"),
    ("POST", "/api/v1/repositories"): _bind,
    ("DELETE", "/api/v1/repositories"): _unbind,
    ("GET", "/api/v1/who-has"): _plain("/api/v1/who-has?purl=pkg:npm/shared"),
    ("GET", "/api/v1/packages/{purl:path}"): _plain("/api/v1/packages/pkg:npm/shared@1.0.0"),
    ("GET", "/api/v1/behaviours"): _behaviours,
    ("POST", "/api/v1/sboms"): _sbom,
    ("GET", "/api/v1/findings"): _plain("/api/v1/findings?limit=500"),
    ("POST", "/api/v1/findings/preview"): _preview,
    ("POST", "/api/v1/findings/state"): _set_many,
    ("GET", "/api/v1/findings/{finding_id}"): _plain("/api/v1/findings/{finding}"),
    ("PUT", "/api/v1/findings/{finding_id}/state"): _send(
        "PUT", "/api/v1/findings/{finding}/state", **_CONFIRM
    ),
    ("PUT", "/api/v1/findings/{finding_id}/claim"): _free(
        _send("PUT", "/api/v1/findings/{finding}/claim", hours=1)
    ),
    ("DELETE", "/api/v1/findings/{finding_id}/claim"): _claimed,
    ("GET", "/api/v1/findings/{finding_id}/notes"): _plain("/api/v1/findings/{finding}/notes"),
    ("POST", "/api/v1/findings/{finding_id}/notes"): _send(
        "POST", "/api/v1/findings/{finding}/notes", text="looked at"
    ),
    ("GET", "/api/v1/findings/{finding_id}/evidence"): _plain("/api/v1/findings/{finding}/evidence"),
    ("GET", "/api/v1/findings/{finding_id}/history"): _plain("/api/v1/findings/{finding}/history"),
    ("GET", "/api/v1/overview"): _plain("/api/v1/overview"),
    ("GET", "/api/v1/policies"): _plain("/api/v1/policies"),
    ("GET", "/api/v1/policies/{scope}"): _plain("/api/v1/policies/{project}"),
    ("GET", "/api/v1/projects/{project_id}/policy"): _plain("/api/v1/projects/{project}/policy"),
    ("GET", "/api/v1/health"): _plain("/api/v1/health"),
    ("GET", "/api/v1/openapi.json"): _plain("/api/v1/openapi.json"),
    ("GET", "/metrics"): _plain("/metrics"),
    ("GET", "/api/v1/drill"): _plain("/api/v1/drill"),
    ("POST", "/api/v1/drill"): _drill,
    ("GET", "/api/v1/me"): _plain("/api/v1/me"),
    **IDENTITY_ASKS,
    ("GET", "/api/v1/projects"): _plain("/api/v1/projects"),
    ("POST", "/api/v1/projects"): _new_place("projects"),
    ("GET", "/api/v1/projects/{project_id}"): _plain("/api/v1/projects/{project}"),
    ("GET", "/api/v1/projects/{project_id}/members"): _plain(_PROJECT),
    ("POST", "/api/v1/projects/{project_id}/members"): _add_member(_PROJECT),
    ("DELETE", "/api/v1/projects/{project_id}/members"): _remove_member(_PROJECT, lambda t: t),
    ("GET", "/api/v1/groups"): _plain("/api/v1/groups"),
    ("POST", "/api/v1/groups"): _new_place("groups"),
    ("GET", "/api/v1/groups/{group_id}/members"): _plain(_GROUP),
    ("POST", "/api/v1/groups/{group_id}/members"): _add_member(_GROUP),
    ("DELETE", "/api/v1/groups/{group_id}/members"): _remove_member(_GROUP, lambda t: t.split("/")[0]),
    ("GET", "/api/v1/members"): _plain("/api/v1/members"),
    ("POST", "/api/v1/members"): _add_member("/api/v1/members"),
    ("DELETE", "/api/v1/members"): _remove_member("/api/v1/members", lambda _: ""),
    ("GET", "/api/v1/queue"): _plain("/api/v1/queue"),
    ("GET", "/api/v1/history/chain"): _plain("/api/v1/history/chain"),
    ("GET", "/api/v1/users"): _plain("/api/v1/users"),
    ("POST", "/api/v1/users"): _new_user,
    ("DELETE", "/api/v1/users"): _remove_user,
    ("GET", "/api/v1/tokens"): _plain("/api/v1/tokens"),
    ("POST", "/api/v1/tokens"): _new_token,
    ("DELETE", "/api/v1/tokens"): _revoke_token,
    ("GET", "/api/v1/history"): _plain("/api/v1/history"),
    **PROPOSALS,
    **_notice_routes("/projects/{project_id}", "/api/v1/projects/{project}", lambda t: t),
    **_notice_routes("/groups/{group_id}", "/api/v1/groups/{group}", lambda t: t.split("/")[0]),
    **_notice_routes("", "/api/v1", lambda _: ""),
}


_REFUSED_ANYHOW = {
    "/api/v1/oidc/{provider}/login": 404,  # there is no such provider
    "/api/v1/oidc/callback": 403,  # this browser began no login
    "/api/v1/job-token": 403,  # this is no token
}


def _holds(role: Role | None, at: str, target: str, permission: Permission) -> bool:
    """By the words of docs/access.md: a role holds in its place and in all below."""
    if role is None or permission not in ROLES[role]:
        return False
    if permission.value.startswith("server:"):
        return at == ""
    return at == "" or target == at or target.startswith(f"{at}/")


def _expected(permit: Permit, role: Role | None, at: str, target: str) -> bool | int:
    """True: it succeeds; else the status."""
    if permit.path in _REFUSED_ANYHOW:
        return _REFUSED_ANYHOW[permit.path]
    if permit.where is Where.PERSON:
        return 403  # a token is none
    if permit.permission is None or permit.where is Where.LIST:
        return True
    place = target.split("/")[0] if permit.where is Where.GROUP else target
    if permit.path.startswith("/monitor"):
        place = OWN  # its home, whatever the target
    if permit.where is Where.SERVER:
        place = ""  # whatever the target
    if _holds(role, at, place, permit.permission):
        return True
    if permit.where in (Where.SCAN, Where.HOLD, Where.SCOPE):
        return 404
    if permit.where is Where.PROPOSAL:
        return 403 if _holds(role, at, place, Permission.PROPOSAL_READ) else 404
    if permit.where is Where.FINDING:
        return 403 if _holds(role, at, place, Permission.FINDING_READ) else 404
    if permit.where is Where.MEANT:
        return 400 if _holds(role, at, place, Permission.PROJECT_READ) else 404
    seen = _holds(role, at, place, Permission.PROJECT_READ)
    hidden = permit.where in (Where.PROJECT, Where.GROUP, Where.TARGET) and not permit.path.startswith(
        "/monitor"
    )
    return 404 if hidden and not seen else 403


@pytest.mark.parametrize("at", PLACES, ids=["everywhere", "group", "project"])
@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nothing")
def test_every_route_with_every_role(server: AccessServer, role: Role | None, at: str) -> None:
    if role is None and at:
        return
    if role in SERVER_ROLES and at:
        with pytest.raises(accounts.UsageError, match="whole server"):
            server.token("no", (role, at))
        return
    name = f"{role}-{at.replace('/', '-')}"
    token = server.token(name, *([(role, at)] if role else []))
    wrong = []
    for permit in PERMITS:
        if permit.page:  # anybody may open any; what it shows it asks of the other routes
            continue
        for target in (OWN, FOREIGN):
            answer = ASK[permit.method, permit.path](server, token, target, name)
            expected = _expected(permit, role, at, target)
            if answer.is_success is not expected and answer.status_code != expected:
                wrong.append(f"{permit.method} {permit.path} {target}: {answer.status_code}, not {expected}")
            wrong += _not_told(server, permit, answer, name)
            wrong += _shown(server, permit, answer, role, at)
    assert wrong == []


def _not_told(server: AccessServer, permit: Permit, answer: httpx.Response, name: str) -> list[str]:
    """A change that was made stands in the history, with who made it."""
    if permit.action is None or not answer.is_success or permit.where is Where.OPEN:
        return []
    with server.store.read() as session:
        by_person = permit.person or "/proposals" in permit.path  # a token that is nobody's proposes nothing
        who = f"person-{name}" if by_person else f"token:{name}"
        mine = [e.action for e in history.entries(session, 9_999, who=who)]
    told = bool(mine) and mine[-1] == permit.action
    return [] if told else [f"{permit.method} {permit.path} is not in the history"]


def _shown(
    server: AccessServer, permit: Permit, answer: httpx.Response, role: Role | None, at: str
) -> list[str]:
    """A list shows exactly what lies where the permission is held."""
    if permit.where is not Where.LIST or permit.permission is None:
        return []
    told = []
    for target in (OWN, FOREIGN):
        place = target.split("/")[0] if permit.path.endswith("groups") else target
        thing = str(server.ids[place])
        if permit.path.endswith(("scans", "packages/{purl:path}")):
            thing = server.scans[target]
        elif permit.path.endswith("who-has"):
            thing = target
        if (thing in answer.text) is not _holds(role, at, place, permit.permission):
            told.append(f"{permit.path} {target}: {thing in answer.text}")
    return told


def test_what_cannot_be_seen_is_answered_as_what_is_not_there(server: AccessServer) -> None:
    token = server.token("blind", (Role.SECURITY_ADMIN, OWN))
    for url, key in (
        ("/?id={}", server.scans[FOREIGN]),
        ("/api/v1/scans/{}", server.scans[FOREIGN]),
        ("/api/v1/scans/{}/report", server.scans[FOREIGN]),
        ("/api/v1/projects/{}", str(server.ids[FOREIGN])),
        ("/api/v1/findings/{}", server.findings[FOREIGN]),
        ("/api/v1/findings/{}/notes", server.findings[FOREIGN]),
        ("/api/v1/findings/{}/evidence", server.findings[FOREIGN]),
        ("/api/v1/findings/{}/history", server.findings[FOREIGN]),
        ("/api/v1/findings?project={}", FOREIGN),
        ("/api/v1/findings?group={}", "ops"),
        ("/api/v1/policies/{}", str(server.ids[FOREIGN])),
        ("/api/v1/policies/{}", str(server.ids["ops"])),
        ("/api/v1/projects/{}/policy", str(server.ids[FOREIGN])),
        ("/api/v1/projects/{}/members", str(server.ids[FOREIGN])),
        ("/api/v1/groups/{}/members", str(server.ids["ops"])),
        ("/api/v1/scans?project={}", FOREIGN),
    ):
        nothing = "web/none" if "project=" in url else "3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de"
        hidden, absent = (server.ask(token, "GET", url.format(k)) for k in (key, nothing))
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text.replace(key, "?") == absent.text.replace(nothing, "?"), url


def test_an_answer_that_was_kept_for_one_is_not_given_to_another(server: AccessServer) -> None:
    url = f"/?id={server.scans[OWN]}"
    assert server.ask(server.token("reader", (Role.VIEWER, OWN)), "GET", url).status_code == 200
    assert server.ask(server.token("stranger", (Role.VIEWER, FOREIGN)), "GET", url).status_code == 404
    upper = server.token("stranger2", (Role.VIEWER, FOREIGN))
    assert server.ask(upper, "GET", url.upper().replace("ID=", "id=")).status_code == 404


def test_nobody_gives_more_than_he_has(server: AccessServer) -> None:
    token = server.token("lead", (Role.SECURITY_ADMIN, "web"))
    who = _somebody(server)
    url = f"/api/v1/projects/{server.ids[OWN]}/members"
    for role, status in (("security-admin", 201), ("auditor", 201), ("administrator", 400), ("viewer", 201)):
        body = {"account": who, "role": role}
        assert server.ask(token, "POST", url, json=body).status_code == status, role
        assert server.ask(token, "POST", "/api/v1/members", json=body).status_code == 403, role
    admin = server.token("any-role", (Role.ADMINISTRATOR, ""))
    analyst = {"account": who, "role": "analyst"}
    assert server.ask(admin, "POST", url, json=analyst).status_code == 201
    assert server.ask(admin, "POST", url, json=analyst | {"role": "monitor"}).status_code == 400
    with server.store.read() as session:
        made = members.access_of(session, who)
    assert not made.everywhere, "a role in a project gives nothing of the server"
    assert not made.may_in(server.ids[OWN], Permission.USER_READ), "not even those of an auditor"


def test_rights_that_were_taken_are_gone_at_once_where_the_server_took_them(tmp_path: Path) -> None:
    server = AccessServer(tmp_path, credential_cache_seconds=3600.0)
    token = server.token("dev", (Role.DEVELOPER, OWN))
    admin = server.token("admin", (Role.ADMINISTRATOR, ""))
    url = f"/api/v1/scans/{server.scans[OWN]}"
    assert server.ask(token, "GET", url).status_code == 200
    query = {"account": "token:dev", "role": "developer"}
    gone = server.ask(admin, "DELETE", f"/api/v1/projects/{server.ids[OWN]}/members", params=query)
    assert gone.status_code == 204
    assert server.ask(token, "GET", url).status_code == 404
    server.store.close()


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("POST", "/api/v1/projects", {"path": "web/shop"}, 409),
        ("POST", "/api/v1/projects", {"path": "../etc"}, 400),
        ("POST", "/api/v1/projects", {"path": "nowhere/x"}, 404),
        ("POST", "/api/v1/projects", {"path": "x", "more": 1}, 400),
        ("POST", "/api/v1/groups", {"path": "web"}, 409),
        ("POST", "/api/v1/groups", {"path": "a" * 300}, 400),
        ("POST", "/api/v1/members", {"account": "nobody", "role": "viewer"}, 404),
        ("POST", "/api/v1/members", {"account": "nobody", "role": "king"}, 400),
        ("POST", "/api/v1/users", {"name": "a:b", "password": "correct horse", "roles": []}, 400),
        ("POST", "/api/v1/users", {"name": "ab", "password": "short", "roles": []}, 400),
        ("POST", "/api/v1/tokens", {"name": "t", "roles": [{"role": "viewer", "project": "gone"}]}, 404),
        ("DELETE", "/api/v1/users?name=nobody", None, 404),
        ("DELETE", "/api/v1/tokens?name=nobody", None, 404),
        ("DELETE", "/api/v1/members?account=nobody&role=viewer", None, 404),
        ("GET", "/api/v1/projects/no-id", None, 404),
        ("GET", "/api/v1/history?after=-1", None, 400),
    ],
)
def test_what_is_wrong_is_told(server: AccessServer, method: str, url: str, body: Any, status: int) -> None:
    token = server.token(f"both-{next(_numbers)}", (Role.ADMINISTRATOR, ""), (Role.AUDITOR, ""))
    answer = server.ask(token, method, url, **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_a_new_user_can_what_he_was_given(server: AccessServer) -> None:
    admin = server.token("maker", (Role.ADMINISTRATOR, ""))
    body = {"name": "made", "roles": [{"role": "developer", "project": OWN}], "home": OWN, "why": "new here"}
    made = server.ask(admin, "POST", "/api/v1/tokens", json=body).json()["value"]
    me = server.ask(made, "GET", "/api/v1/me").json()
    assert (me["account"], me["home"], me["everywhere"]) == ("token:made", OWN, [])
    assert me["roles"] == [{"role": "developer", "place": OWN}]
    scan = _submit(server, made, OWN, "").json()
    assert scan["project"] == str(server.ids[OWN])
    assert server.ask(made, "GET", f"/api/v1/scans?project={OWN}").json()["scans"][0]["id"] == scan["id"]


def _routes_of(routes: Iterable[Any]) -> Iterator[Any]:
    """FastAPI's own list, into the routers that were included."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else _routes_of(inner.routes)


def test_every_route_has_a_row_and_every_row_a_route(server: AccessServer) -> None:
    routes = list(_routes_of(server.app.routes))
    found = {(method, route.path) for route in routes for method in route.methods if method != "HEAD"}
    rows = {(permit.method, permit.path) for permit in PERMITS if not permit.page}
    assert found == rows == set(ASK)
    paths = server.app.openapi()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    plain = {(method, path.replace(":path}", "}")) for method, path in rows}  # OpenAPI has no word for it
    assert described == plain - {("GET", "/api/v1/openapi.json")}
    ours = [route for route in routes if isinstance(route, APIRoute)]
    assert len(ours) == len(rows)
    assert all(isinstance(route, PermittedRoute) for route in ours)


def test_a_route_without_a_row_keeps_the_server_from_starting() -> None:
    with pytest.raises(KeyError):
        PermittedRoute("/api/v1/secret", lambda: None)


def test_every_permission_is_asked_for() -> None:
    assert {permit.permission for permit in PERMITS} - {None} == set(Permission)


def test_the_document_is_what_the_table_says() -> None:
    assert (ROOT / "docs/access.md").read_text(encoding="utf-8") == document(), (
        "run: python -m package_hunter.api.access_document > docs/access.md"
    )
