"""How each route of proposals is asked for: for the walk through every route with every role."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import httpx

from package_hunter.access.roles import Role
from package_hunter.governance.proposals import decide, propose
from package_hunter.governance.proposals.decide import Emergency
from package_hunter.governance.proposals.kind import Budget
from package_hunter.governance.proposals.propose import Asked
from package_hunter.store import documents, members, sessions
from package_hunter.store.access_tables import EVERYWHERE
from package_hunter.store.database import now_ms
from package_hunter.store.proposal_tables import Proposal
from tests.support.access_server import TEST, AccessServer

Ask = Callable[[AccessServer, str, str, str], httpx.Response]
_numbers = itertools.count(1)
_left: dict[tuple[int, str, str], int] = {}  # of asks that were refused: good for the next
_KIND = "approval-settings"
_TWO = {"approvals": 2, "days": 14, "kinds": {}}


def document() -> dict[str, Any]:
    """Another one each time."""
    return {"days": next(_numbers) % 300 + 15}


def made(server: AccessServer, target: str, verb: str) -> int:
    """An open proposal of ``author`` for the target; to be reviewed: one that was applied by breaking the glass. It
    takes two approvals, so that one closes nothing."""
    known = None if verb == "break-glass" else _left.get((id(server), target, verb))
    if known is not None:
        with server.store.read() as session:
            found = session.get_one(Proposal, known)
            if (found.state == "open") is (verb != "review") and found.reviewed is None:
                return known
    with server.store.write() as session:
        for name in ("author", "breaker"):
            if members.account(session, name) is None:
                members.add_account(session, name, "user", server.ids["web/shop"])
                members.give(session, name, Role.SECURITY_ADMIN, server.place(session, ""), TEST)
                documents.put(session, _KIND, EVERYWHERE, "", _TWO, TEST)
        place = server.place(session, target)
        prepared = propose.prepare(session, _KIND, place, document(), Budget(1.0))
        author = propose.acting(session, "author", "test")
        number = decide.propose(session, author, prepared, Asked("a test")).number
        if verb == "review":
            breaker = propose.acting(session, "breaker", "test")
            decide.break_glass(session, breaker, number, Emergency.RISK, "a test")
    _left[id(server), target, verb] = number
    return number


def person(server: AccessServer, who: str) -> dict[str, str]:
    """Headers of a session, begun just now, of a user with the roles of the token ``who``."""
    name = f"person-{who}"
    with server.store.write() as session:
        account = members.account(session, name)
        if account is None:
            account = members.add_account(session, name, "user", server.ids["web/shop"])
            for role, path in members.roles_of(session, f"token:{who}"):
                place = server.place(session, "" if path == EVERYWHERE else path)
                members.give(session, name, Role(role), place, TEST)
        begun = sessions.begin(session, account, "password", sessions.Times.of(server.settings), TEST)
        assert begun.row.authenticated <= now_ms()
        return {
            "Cookie": f"package-hunter={begun.secret}",
            "X-CSRF-Token": begun.row.csrf,
            "Origin": "http://localhost",
        }


def _as_person(
    server: AccessServer, token: str, who: str, method: str, url: str, body: dict[str, Any]
) -> httpx.Response:
    """By a person with the same roles; the token, which is nobody's, is refused or sees nothing there."""
    refused = server.ask(token, method, url, json=body)
    assert refused.status_code in (403, 404), f"a token that is nobody's may not: {refused.text}"
    return server.ask(None, method, url, json=body, headers=person(server, who))


def _propose(path: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
        made(server, target, "propose")  # so that there are others who could approve
        group = server.ids[target.split("/")[0]]
        url = path.format(project=server.ids[target], group=group)
        body = {"kind": _KIND, "document": document(), "reason": "a test"}
        return _as_person(server, token, who, "POST", f"/api/v1{url}/proposals", body)

    return ask


def _preview(path: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        group = server.ids[target.split("/")[0]]
        url = path.format(project=server.ids[target], group=group)
        body = {"kind": _KIND, "document": document()}
        return server.ask(token, "POST", f"/api/v1{url}/proposals/preview", json=body)

    return ask


def _list(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    for target in ("web/shop", "ops/pay"):
        made(server, target, "list")
    return server.ask(token, "GET", "/api/v1/proposals?limit=500")


def _show(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    return server.ask(token, "GET", f"/api/v1/proposals/{made(server, target, 'show')}")


def _edit(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
    url = f"/api/v1/proposals/{made(server, target, 'edit')}"
    return _as_person(server, token, who, "PUT", url, {"document": document(), "reason": "a test"})


def _withdraw(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
    """One's own, as far as one may propose there; else somebody's."""
    number = made(server, target, "withdraw")
    url = f"/api/v1/projects/{server.ids[target]}/proposals"
    body = {"kind": _KIND, "document": document(), "reason": "mine"}
    own = _as_person(server, token, who, "POST", url, body)
    number = own.json()["number"] if own.is_success else number
    url, headers = f"/api/v1/proposals/{number}/withdraw", person(server, who)
    return server.ask(None, "POST", url, json={"why": "a test"}, headers=headers)


def _decide(verb: str) -> Ask:
    """By a person with the same roles."""

    def ask(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
        number = made(server, target, verb)
        body: dict[str, Any] = {"why": "a test"}
        if verb == "approve":
            with server.store.read() as session:
                found = session.get_one(Proposal, number)
                body = {"content_hash": found.content_hash, "version": found.version}
        if verb == "break-glass":
            body["reason"] = "accepted-risk"
        url = f"/api/v1/proposals/{number}/{verb}"
        refused = server.ask(token, "POST", url, json=body)
        assert refused.status_code == 403, f"a token may not {verb}: {refused.text}"
        return server.ask(None, "POST", url, json=body, headers=person(server, who))

    return ask


_N = "/api/v1/proposals/{number}"
PROPOSALS: dict[tuple[str, str], Ask] = {
    ("GET", "/api/v1/proposals"): _list,
    ("POST", "/api/v1/projects/{project_id}/proposals"): _propose("/projects/{project}"),
    ("POST", "/api/v1/groups/{group_id}/proposals"): _propose("/groups/{group}"),
    ("POST", "/api/v1/proposals"): _propose(""),
    ("POST", "/api/v1/projects/{project_id}/proposals/preview"): _preview("/projects/{project}"),
    ("POST", "/api/v1/groups/{group_id}/proposals/preview"): _preview("/groups/{group}"),
    ("POST", "/api/v1/proposals/preview"): _preview(""),
    ("GET", _N): _show,
    ("PUT", _N): _edit,
    ("POST", f"{_N}/withdraw"): _withdraw,
    **{("POST", f"{_N}/{verb}"): _decide(verb) for verb in ("approve", "reject", "break-glass", "review")},
}
