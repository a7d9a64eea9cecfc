"""How the routes of sign-in, identity providers and CI jobs are asked for: rows of tests/unit/api/test_permits.py."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable

import httpx

from package_hunter.store import accounts, ci, invitations, members, providers, sessions
from package_hunter.store.identity_tables import TotpRow
from tests.support.access_server import OWN, TEST, AccessServer

Ask = Callable[[AccessServer, str, str, str], httpx.Response]
_numbers = itertools.count()


def _plain(url: str) -> Ask:
    def ask(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
        return server.ask(token, "GET", url)

    return ask


_open_answers: dict[str, httpx.Response] = {}  # nobody is asked there: once is enough for all roles


def _sign_in(server: AccessServer, _token: str, _target: str, _who: str) -> httpx.Response:
    with server.store.write() as session:
        if members.account(session, "signs-in") is None:
            accounts.add_user(session, "signs-in", "correct horse", accounts.Start(()), TEST)
    if "session" not in _open_answers:
        body = {"name": "signs-in", "password": "correct horse"}
        _open_answers["session"] = server.ask(None, "POST", "/api/v1/session", json=body)
    return _open_answers["session"]


def _take(server: AccessServer, _token: str, _target: str, _who: str) -> httpx.Response:
    with server.store.write() as session:
        invited = invitations.invite(session, f"invited-{next(_numbers)}", accounts.Start(()), TEST)
    if "invitation" not in _open_answers:
        body = {"token": invited, "password": "correct horse"}
        _open_answers["invitation"] = server.ask(None, "POST", "/api/v1/invitation", json=body)
    return _open_answers["invitation"]


def _person(method: str, url: str) -> Ask:
    """What no token may ask for, whatever it brings."""

    def ask(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
        return server.ask(token, method, url, **({} if method == "GET" else {"json": {}}))

    return ask


def a_user(server: AccessServer) -> str:
    """A user that nobody knows."""
    name = f"user-{next(_numbers)}"
    with server.store.write() as session:
        session.add(accounts.User(name=name, password="x", created=1))
        members.add_account(session, name, "user", server.ids[OWN])
    return name


def _invite(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    return server.ask(token, "POST", "/api/v1/users/invitations", json={"name": f"new-{next(_numbers)}"})


def _of_user(url: str) -> Ask:
    """Takes something of a user away."""

    def ask(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
        name = a_user(server)
        with server.store.write() as session:
            who = accounts.user(session, name)
            sessions.begin(session, who, "test", sessions.Times(10_000, 10_000), TEST)
            session.add(
                TotpRow(account_id=who.id, secret=b"", confirmed=1, last_step=0, failures=0, locked=1)
            )
        return server.ask(token, "DELETE", url, params={"name": name})

    return ask


def _job_token(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    return server.ask(token, "POST", "/api/v1/job-token", json={"token": "a.b.c"})


def _new_provider(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    name = f"p{next(_numbers)}"
    body = {"name": name, "kind": "gitlab", "issuer": f"https://{name}.example", "client_id": "hunter"}
    return server.ask(token, "POST", "/api/v1/identity/providers", json=body)


def _provider(server: AccessServer) -> str:
    name = f"p{next(_numbers)}"
    new = providers.NewProvider(name, "gitlab", f"https://{name}.example", "hunter")
    with server.store.write() as session:
        providers.add(session, server.app.state.service.box, new, TEST)
    return name


def _remove_provider(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    return server.ask(token, "DELETE", "/api/v1/identity/providers", params={"name": _provider(server)})


def _new_rule(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    body = {"name": f"r{next(_numbers)}", "provider": _provider(server), "project": OWN}
    body |= {"conditions": {"project_path": ["web/shop"]}}
    return server.ask(token, "POST", "/api/v1/identity/ci-rules", json=body)


def _remove_rule(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    name, rule = _provider(server), f"r{next(_numbers)}"
    with server.store.write() as session:
        row = providers.provider(session, name)
        ci.add_rule(session, row, ci.Rule(rule, name, {"project_path": ["web/shop"]}, OWN), TEST)
    return server.ask(token, "DELETE", "/api/v1/identity/ci-rules", params={"name": rule})


IDENTITY_ASKS: dict[tuple[str, str], Ask] = {
    ("POST", "/api/v1/session"): _sign_in,
    ("POST", "/api/v1/invitation"): _take,
    **{
        (method, url): _person(method, url.format(session_id=uuid.uuid4(), provider="company"))
        for method, url in (
            *(("GET", "/api/v1/session"), ("DELETE", "/api/v1/session"), ("POST", "/api/v1/session/confirm")),
            *(("GET", "/api/v1/sessions"), ("DELETE", "/api/v1/sessions")),
            *((method, "/api/v1/me/views") for method in ("GET", "PUT", "DELETE")),
            *(("DELETE", "/api/v1/sessions/{session_id}"), ("POST", "/api/v1/me/password")),
            *(
                ("POST", "/api/v1/me/totp"),
                ("POST", "/api/v1/me/totp/confirm"),
                ("POST", "/api/v1/me/totp/codes"),
            ),
            *(
                ("POST", "/api/v1/me/totp/remove"),
                ("GET", "/api/v1/me/tokens"),
                ("POST", "/api/v1/me/tokens"),
            ),
            *(("DELETE", "/api/v1/me/tokens"), ("POST", "/api/v1/session/confirm/{provider}")),
            *(("GET", "/api/v1/me/identities"), ("POST", "/api/v1/me/identities/{provider}")),
            ("DELETE", "/api/v1/me/identities/{provider}"),
        )
    },
    ("GET", "/api/v1/oidc"): _plain("/api/v1/oidc"),
    # open, and refused for reasons of their own: tests/integration/service/test_oidc.py, test_ci_jobs.py
    ("GET", "/api/v1/oidc/{provider}/login"): _plain("/api/v1/oidc/none/login"),
    ("GET", "/api/v1/oidc/callback"): _plain("/api/v1/oidc/callback?state=x"),
    ("POST", "/api/v1/job-token"): _job_token,
    ("GET", "/api/v1/identity/providers"): _plain("/api/v1/identity/providers"),
    ("POST", "/api/v1/identity/providers"): _new_provider,
    ("DELETE", "/api/v1/identity/providers"): _remove_provider,
    ("GET", "/api/v1/identity/mappings"): _plain("/api/v1/identity/mappings"),
    ("GET", "/api/v1/identity/ci-rules"): _plain("/api/v1/identity/ci-rules"),
    ("POST", "/api/v1/identity/ci-rules"): _new_rule,
    ("DELETE", "/api/v1/identity/ci-rules"): _remove_rule,
    ("POST", "/api/v1/users/invitations"): _invite,
    ("DELETE", "/api/v1/users/totp"): _of_user("/api/v1/users/totp"),
    ("DELETE", "/api/v1/users/lock"): _of_user("/api/v1/users/lock"),
    ("DELETE", "/api/v1/users/sessions"): _of_user("/api/v1/users/sessions"),
}
