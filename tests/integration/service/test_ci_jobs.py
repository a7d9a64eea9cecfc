"""CI jobs that come with their forge's word and no secret of ours: over HTTP, on both databases."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from package_hunter.access.job import JobClaims
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.client import credentials
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store import accounts, ci, history, members, persons, places, providers
from package_hunter.store.accounts import Start
from package_hunter.store.ci import Rule
from package_hunter.store.identity_tables import ForgeProjectRow, JobTokenRow
from package_hunter.store.providers import NewProvider
from tests.support.access_server import OWN, TEST, AccessServer
from tests.support.clock import Clock
from tests.support.oidc_provider import AUDIENCE, Crooked, crooked_provider, new_key

URL = "/api/v1/job-token"


@pytest.fixture
def forge() -> Iterator[Crooked]:
    with crooked_provider() as made:
        yield made


@pytest.fixture
def server(settings: Settings, forge: Crooked) -> Iterator[AccessServer]:
    made = AccessServer(settings.data_dir, database_url=settings.database_url, identity_allow="127.0.0.0/8")
    with made.store.write() as session:
        new = NewProvider("gitlab", "gitlab", forge.issuer, AUDIENCE)
        providers.add(session, made.app.state.service.box, new, TEST)
    yield made
    made.store.close()


def rule(server: AccessServer, **more: Any) -> None:
    made: dict[str, Any] = {
        "name": "web",
        "provider": "gitlab",
        "conditions": {"namespace_path": ["web"]},
        "project": "{project_path}",
    }
    with server.store.write() as session:
        ci.add_rule(session, providers.provider(session, "gitlab"), Rule(**(made | more)), TEST)


_jti = iter(range(1, 10_000))


def claims(**more: Any) -> dict[str, Any]:
    """As GitLab's ID token has them."""
    made = {
        "jti": f"jti-{next(_jti)}",
        "sub": "project_path:web/shop:ref_type:branch:ref:main",
        "project_id": "22",
        "project_path": "web/shop",
        "namespace_path": "web",
        "user_login": "ana",
        "user_email": "ana@web.example",
        "ref_path": "refs/heads/main",
        "sha": "7" * 40,
        "ci_config_ref_uri": "gitlab.example/web/shop//.gitlab-ci.yml@refs/heads/main",
        "ci_config_sha": "8" * 40,
    }
    return made | more


def exchange(server: AccessServer, forge: Crooked, **more: Any) -> httpx.Response:
    return server.ask(None, "POST", URL, json={"token": forge.token(**claims(**more))})


def test_a_job_submits_and_reads_in_its_project_alone(server: AccessServer, forge: Crooked) -> None:
    rule(server)
    made = exchange(server, forge)
    assert made.status_code == 201, made.text
    assert (made.json()["project"], "project:scan:submit" in made.json()["permissions"]) == (OWN, True)
    token = made.json()["token"]
    me = server.ask(token, "GET", "/api/v1/me").json()
    assert (me["account"], me["home"], me["everywhere"]) == ("job:web/shop", OWN, [])
    scan = server.ask(token, "POST", "/api/v1/scans", json={"purl": "pkg:npm/x"})
    assert scan.status_code in (201, 202), scan.text
    assert server.ask(token, "GET", f"/api/v1/scans/{scan.json()['id']}").status_code == 200
    as_basic = server.ask(None, "GET", "/api/v1/me", auth=httpx.BasicAuth("ci", token))
    assert as_basic.json()["account"] == "job:web/shop"
    for method, url in (
        ("GET", f"/api/v1/scans/{server.scans['ops/pay']}"),
        ("GET", f"/api/v1/projects/{server.ids['ops/pay']}"),
        ("POST", "/api/v1/scans?project=ops/pay"),
    ):
        refused = server.ask(
            token, method, url, **({"json": {"purl": "pkg:npm/x"}} if method == "POST" else {})
        )
        assert refused.status_code == 404, url
    for method, url in (("GET", "/api/v1/users"), ("POST", "/api/v1/me/tokens"), ("GET", "/api/v1/sessions")):
        assert server.ask(token, method, url).status_code == 403, url
    with server.store.read() as session:
        found = ci.find(session, token)
        assert found is not None
        assert not found.is_person
        assert persons.person_of(session, found.account) is None
        assert found.job == JobClaims(
            forge.issuer,
            "web/shop",
            "7" * 40,
            "refs/heads/main",
            "gitlab.example/web/shop//.gitlab-ci.yml@refs/heads/main",
            "8" * 40,
            ("ana@web.example", "ana"),
        )
        assert token not in session.scalars(select(JobTokenRow.sha256)).all()


def test_a_token_is_exchanged_once(
    server: AccessServer, forge: Crooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(server)
    token = forge.token(**claims())
    first, second = (server.ask(None, "POST", URL, json={"token": token}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 403)
    assert "exchanged before" in second.json()["detail"]
    same = claims()
    answers = [server.ask(None, "POST", URL, json={"token": forge.token(**same, x=n)}) for n in range(2)]
    assert [a.status_code for a in answers] == [201, 403], "another token of the same number"
    clock = Clock(monkeypatch)
    late = server.ask(None, "POST", URL, json={"token": forge.token(exp=clock.ms / 1000 + 80_000, **same)})
    assert late.status_code == 403
    clock.forward(7 * 3_600)  # the job's own token is long over
    again = server.ask(None, "POST", URL, json={"token": forge.token(**same)})
    assert again.status_code == 403, "the number is remembered"


def test_two_exchanges_at_once(server: AccessServer, forge: Crooked) -> None:
    rule(server)
    token = forge.token(**claims())
    found: list[int] = []

    def ask() -> None:
        with server.store.write() as session:
            server.store.lock(session, "access")
            provider = providers.provider(session, "gitlab")
            job = ci.Job("same", 9_999_999_999_999, "22", JobClaims(forge.issuer, "web/shop"), {})
            try:
                ci.exchange(session, provider, job, ci.rules(session)[0], OWN, "192.0.2.1")
                found.append(201)
            except ci.RefusedError:
                found.append(403)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [201] + [403] * 4
    assert server.ask(None, "POST", URL, json={"token": token}).status_code == 201


def test_a_job_s_token_ends_to_the_moment(
    server: AccessServer, forge: Crooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(server)
    clock = Clock(monkeypatch)
    clock.ms = 1_800_000_000_000
    token = exchange(server, forge).json()["token"]
    longer = exchange(server, forge, exp=1_800_000_000 + 7_200).json()["token"]
    longest = exchange(server, forge, exp=1_800_000_000 + 80_000).json()["token"]

    def holds() -> list[int]:
        return [server.ask(t, "GET", "/api/v1/me").status_code for t in (token, longer, longest)]

    clock.forward(3_599.999)
    assert holds() == [200, 200, 200]
    clock.forward(0.001)
    assert holds() == [401, 200, 200]
    clock.forward(3_600)
    assert holds() == [401, 401, 200]
    clock.forward(4 * 3_600)
    assert holds() == [401, 401, 401], "six hours at most"


def test_what_is_not_let_in(server: AccessServer, forge: Crooked) -> None:
    rule(server, conditions={"namespace_path": ["web"], "ref_protected": ["true"]})
    good: dict[str, Any] = {"ref_protected": "true"}
    refused: list[dict[str, Any]] = [
        {"ref_protected": "false"},
        {},
        good | {"namespace_path": "evil", "project_path": "web/shop"},
        good | {"aud": "another"},
        good | {"iss": "https://evil.example"},
        good | {"exp": 1},
        good | {"jti": None},
        good | {"jti": 7},
        good | {"project_id": None},
        good | {"exp": forge.claims()["iat"] + 90_000},
        good | {"project_path": "web/../ops"},
        good | {"project_path": "web/nowhere"},
    ]
    for more in refused:
        answer = exchange(server, forge, **more)
        assert answer.status_code in (400, 403), (more, answer.text)
    foreign = server.ask(
        None, "POST", URL, json={"token": forge.token(None, new_key("one"), **claims(**good))}
    )
    assert foreign.status_code == 403
    assert exchange(server, forge, **good).status_code == 201


def test_our_client_exchanges_it_by_itself(
    server: AccessServer, forge: Crooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(server)
    for name in ("PACKAGE_HUNTER_TOKEN_FILE", "PACKAGE_HUNTER_TOKEN", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACKAGE_HUNTER_ID_TOKEN", forge.token(**claims()))
    job = credentials.find()
    for _ in range(2):  # exchanged once, used twice
        assert server.ask(None, "GET", "/api/v1/me", auth=job).json()["account"] == "job:web/shop"
    monkeypatch.setenv("PACKAGE_HUNTER_ID_TOKEN", forge.token(**claims(aud="another")))
    with pytest.raises(UsageError, match=r"job's ID token .403..*audience"):
        server.ask(None, "GET", "/api/v1/me", auth=credentials.find())


def test_strangers_guesses_are_limited(server: AccessServer, forge: Crooked) -> None:
    rule(server)
    codes = [server.ask(None, "POST", URL, json={"token": "a.b.c"}).status_code for _ in range(40)]
    assert codes[0] == 403
    assert codes[-1] == 429
    assert exchange(server, forge).status_code == 201, "a job that is right is never kept out"


def test_the_first_sight_makes_project_groups_and_owner(server: AccessServer, forge: Crooked) -> None:
    with server.store.write() as session:
        accounts.add_user(session, "ana", "correct horse", Start(()), TEST)
    rule(
        server,
        conditions={"namespace_path": ["web/**", "web"]},
        project="forge/{project_path}",
        creates=True,
        owner_claim="user_login",
        owner_role=Role.DEVELOPER,
    )
    made = exchange(server, forge, project_path="web/team/new", namespace_path="web/team", project_id="77")
    assert made.json()["project"] == "forge/web/team/new", made.text
    again = exchange(
        server,
        forge,
        project_path="web/team/new",
        namespace_path="web/team",
        project_id="77",
        user_login="bob",
    )
    assert again.status_code == 201
    with server.store.read() as session:
        assert [g.path for g in places.groups(session, EVERYTHING)] == [
            *("forge", "forge/web", "forge/web/team", "ops", "web")
        ]
        assert members.roles_of(session, "ana") == [("developer", "forge/web/team/new")]
        told = [(e.who, e.action, e.object) for e in history.entries(session, 999) if e.who.startswith("ci:")]
    assert told == [
        ("ci:web", "group.add", "forge"),
        ("ci:web", "group.add", "forge/web"),
        ("ci:web", "group.add", "forge/web/team"),
        ("ci:web", "project.add", "forge/web/team/new"),
        ("ci:web", "member.add", "ana"),
        ("ci:web", "project.bind", "forge/web/team/new"),
    ]


@pytest.mark.parametrize("login", ["nobody", "token:ci", None, ["ana"], ""])
def test_owners_that_are_no_users_are_given_nothing(server: AccessServer, forge: Crooked, login: Any) -> None:
    server.token("ci")
    rule(server, creates=True, owner_claim="user_login", owner_role=Role.DEVELOPER, project="web/other")
    assert exchange(server, forge, user_login=login).status_code == 201
    with server.store.read() as session:
        assert members.roles_of(session, "token:ci") == []


def test_a_project_made_anew_under_an_old_name_is_another_one(server: AccessServer, forge: Crooked) -> None:
    rule(server)
    assert exchange(server, forge).status_code == 201
    taken_over = exchange(server, forge, project_id="666")
    assert taken_over.status_code == 403
    assert "another project of the forge" in taken_over.json()["detail"]
    with server.store.write() as session:
        ci.rebind(session, OWN, TEST, "we moved it")
        assert session.scalars(select(ForgeProjectRow)).all() == []
        with pytest.raises(UsageError, match="bound to none"):
            ci.rebind(session, OWN, TEST)
    assert exchange(server, forge, project_id="666").status_code == 201


def test_a_job_of_several_projects_names_one(server: AccessServer, forge: Crooked) -> None:
    rule(server)
    rule(server, name="also", project="ops/pay", permissions=(Permission.SCAN_SUBMIT,))
    several = exchange(server, forge)
    assert several.status_code == 400
    body = {"token": forge.token(**claims()), "project": "ops/pay"}
    named = server.ask(None, "POST", URL, json=body).json()
    assert (named["project"], named["permissions"]) == ("ops/pay", ["project:scan:submit"])
    me = server.ask(named["token"], "GET", "/api/v1/me").json()
    assert me["home"] is None, "it may submit there, and see nothing"
    body = {"token": forge.token(**claims()), "project": "legacy"}
    assert server.ask(None, "POST", URL, json=body).status_code == 403


def test_tokens_end_with_their_rule_and_with_their_forge(server: AccessServer, forge: Crooked) -> None:
    for change in ("rule", "forge"):
        rule(server)
        token = exchange(server, forge).json()["token"]
        assert server.ask(token, "GET", "/api/v1/me").status_code == 200
        admin = server.token(f"admin-{change}", (Role.ADMINISTRATOR, ""))
        url = "/api/v1/identity/" + ("ci-rules?name=web" if change == "rule" else "providers?name=gitlab")
        assert server.ask(admin, "DELETE", url).status_code == 204
        assert server.ask(token, "GET", "/api/v1/me").status_code == 401
    assert exchange(server, forge).status_code == 403, "its forge is not believed any more"


def test_rules_over_http(server: AccessServer) -> None:
    admin = server.token("admin", (Role.ADMINISTRATOR, ""))
    url = "/api/v1/identity/ci-rules"
    body: dict[str, Any] = {
        "name": "r",
        "provider": "gitlab",
        "project": OWN,
        "conditions": {"namespace_path": ["web"]},
        "why": "jobs of the web group",
    }
    made = server.ask(admin, "POST", url, json=body)
    assert made.status_code == 201, made.text
    assert server.ask(admin, "POST", url, json=body).status_code == 409
    for wrong in (
        {"conditions": {"ref_protected": ["true"]}},
        {"conditions": {"namespace_path": ["*"]}},
        {"conditions": {"namespace_path": []}},
        {"permissions": ["server:user:manage"]},
        {"permissions": []},
        {"owner_role": "administrator", "owner_claim": "user_login"},
        {"project": "a/{b"},
        {"name": ""},
    ):
        assert server.ask(admin, "POST", url, json=body | {"name": "w"} | wrong).status_code == 400, wrong
    assert server.ask(admin, "POST", url, json=body | {"name": "w", "provider": "x"}).status_code == 404
    found = server.ask(admin, "GET", url).json()["items"]
    assert [(r["name"], r["conditions"]) for r in found] == [("r", {"namespace_path": ["web"]})]
    with server.store.read() as session:
        entry = history.entries(session, 99, action="ci-rule.add")[0]
    assert (entry.why, json.loads(entry.after or "")["project"]) == ("jobs of the web group", OWN)
