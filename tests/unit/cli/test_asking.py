"""Verbs that the API has, too: each can print the API's document, and ask a server; what it prints is what a server
answers."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.api.permits import PERMITS
from package_hunter.cli import main as cli
from package_hunter.queue import fleet
from package_hunter.queue.capabilities import Capabilities
from package_hunter.store import holds, scans
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer

V1 = "/api/v1"
COUNTERPARTS = {
    "workers list": "GET /workers",
    "workers show": "GET /workers",
    "workers drain": "POST /workers/drain",
    "scans submit": "POST /scans",
    "scans list": "GET /scans",
    "scans show": "GET /scans/{scan_id}",
    "scans cancel": "POST /scans/{scan_id}/cancel",
    "scans rescan": "POST /scans/{scan_id}/rescan",
    "scans rejudge": "POST /scans/{scan_id}/rejudge",
    "scans delete": "DELETE /scans/{scan_id}",
    "scans dead": "GET /dead-letters",
    "scans rerun": "POST /scans/{scan_id}/rerun",
    "scans events": "GET /scans/{scan_id}/events",
    "scans recordings": "GET /scans/{scan_id}/recordings",
    "scans dropped": "GET /scans/{scan_id}/dropped",
    "hold add": "POST /scans/{scan_id}/holds",
    "hold remove": "DELETE /holds/{hold}",
    "hold list": "GET /holds",
    "drill run": "POST /drill",
    "drill status": "GET /drill",
    "user list": "GET /users",
    "token list": "GET /tokens",
    "group list": "GET /groups",
    "project list": "GET /projects",
    "member list": "GET /members",
    "gate ask": "GET /gate",
    "gate answers": "GET /gate/answers",
    "gate repositories": "GET /repositories",
    "who-has": "GET /who-has",
    "inventory files": "GET /packages/{purl:path}",
    "findings list": "GET /findings",
    "findings show": "GET /findings/{finding_id}",
    "policy show": "GET /policies/{scope}",
    "proposals list": "GET /proposals",
    "proposals show": "GET /proposals/{number}",
    "notices list": "GET /destinations",
    "notices deliveries": "GET /deliveries",
    "identity list": "GET /identity/providers",
    "identity mappings": "GET /identity/mappings",
    "identity ci-rules": "GET /identity/ci-rules",
    "scan": "POST /scans",
}
"""Each verb that shows, and each of scans, holds, workers and drills, with the route that it is."""
OF_THIS_MACHINE = (
    # with files, or processes of this machine
    *("replay", "verify", "simulate", "diff", "bundle", "serve", "worker", "doctor"),
    *(
        "policy check",
        "policy try",
        "rules check",
        "rules list",
        "rules explain",
        "rules match",
        "rules test",
    ),
    *("image build", "database migrate", "database grant", "database check", "gate setup"),
    *("audit verify", "audit export", "audit seal", "audit key", "audit checkpoint"),
    *("inventory add", "inventory file", "inventory rejudge", "osv import"),
    *("retention show", "retention set", "retention preview"),  # the API has no such routes
)
CHANGES = (  # of who whom may do what, and of decisions: they print a sentence, and their routes ask for a person
    *("user add", "user invite", "user totp", "user unlock", "user link", "user remove"),
    *("token add", "token revoke", "group add", "project add", "member add", "member remove"),
    *("gate fetch", "gate repository", "gate forget", "break-glass"),
    *("policy propose", "policy put", "policy sync", "proposals make", "proposals edit", "proposals approve"),
    *("proposals reject", "proposals withdraw", "proposals review", "notices add", "notices remove"),
    *("notices test", "notices retry", "findings waive", "findings set", "findings bulk", "findings note"),
    *("findings claim", "identity add-provider", "identity remove-provider", "identity map-group"),
    *("identity unmap-group", "identity ci-rule", "identity remove-ci-rule", "identity rebind"),
)


def _verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), {name for one in command.params for name in getattr(one, "opts", ())}
        return
    for name, one in inner.items():
        yield from _verbs(one, (*path, name))


@pytest.fixture(scope="module")
def verbs() -> dict[str, set[str]]:
    return dict(_verbs(typer.main.get_command(cli.build_app(None))))


def test_every_verb_is_a_route_or_says_why_not(verbs: dict[str, set[str]]) -> None:
    known = {*COUNTERPARTS, *OF_THIS_MACHINE, *CHANGES}
    assert set(verbs) - known == set(), "a new verb: which route is it?"
    assert known - set(verbs) == set(), "a verb that is no more"


def test_every_counterpart_is_a_route() -> None:
    routes = {f"{permit.method} {permit.path.removeprefix(V1)}" for permit in PERMITS}
    assert {route for route in COUNTERPARTS.values() if route not in routes} == set()


def test_each_with_a_route_prints_its_document_and_asks_a_server(verbs: dict[str, set[str]]) -> None:
    lacking = {verb: {"--format", "--server", "--token-file"} - verbs[verb] for verb in COUNTERPARTS}
    assert {verb: options for verb, options in lacking.items() if options} == {}
    assert all("--format" in verbs[verb] for verb in ("retention show", "retention preview"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("asking"))
    fleet.Membership(
        made.store, "host/1/2/abc", Capabilities(("npm",), "probe", "6.1", "x86_64", None, "d" * 16)
    ).register()
    with made.store.write() as session:
        scan = scans.get(session, EVERYTHING, uuid.UUID(made.scans[OWN]))
        assert scan is not None
        holds.add(session, TEST, scan, "a matter")
    yield made
    made.store.close()


@pytest.fixture
def here(server: AccessServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("PACKAGE_HUNTER_DATA_DIR", str(server.settings.data_dir))
    monkeypatch.setenv("PACKAGE_HUNTER_MIN_FREE_BYTES", "0")
    monkeypatch.delenv("PACKAGE_HUNTER_SERVER", raising=False)
    yield CliRunner()


SHOWS = [
    (["workers", "list"], "/workers"),
    (["scans", "list"], "/scans"),
    (["scans", "dead"], "/dead-letters"),
    (["hold", "list"], "/holds"),
    (["drill", "status"], "/drill"),
    (["user", "list"], "/users"),
    (["token", "list"], "/tokens"),
    (["group", "list"], "/groups"),
    (["project", "list"], "/projects"),
    (["member", "list"], "/members"),
    (["member", "list", OWN], "/projects/{own}/members"),
    (["gate", "answers", "--project", OWN], f"/gate/answers?project={OWN}"),
    (["gate", "repositories"], "/repositories"),
    (["who-has", "pkg:npm/shared"], "/who-has?purl=pkg:npm/shared"),
    (["inventory", "files", "pkg:npm/shared@1.0.0"], "/packages/pkg%3Anpm%2Fshared%401.0.0"),
    (["findings", "list", "--in", OWN], f"/findings?project={OWN}&order=seen&limit=50"),
    (["findings", "list", "--in", "ops"], "/findings?group=ops&order=seen&limit=50"),
    (["findings", "show", "{finding}"], "/findings/{finding}"),
    (["policy", "show", FOREIGN], "/policies/{foreign}"),
    (["policy", "show"], "/policies/all"),
    (["proposals", "list"], "/proposals"),
    (["notices", "list"], "/destinations"),
    (["notices", "deliveries", "--at", OWN], "/projects/{own}/deliveries"),
    (["identity", "list"], "/identity/providers"),
    (["identity", "mappings"], "/identity/mappings"),
    (["identity", "ci-rules"], "/identity/ci-rules"),
    (["scans", "show", "{scan}"], "/scans/{scan}"),
    (["scans", "recordings", "{scan}"], "/scans/{scan}/recordings"),
    (["scans", "dropped", "{scan}"], "/scans/{scan}/dropped"),
]


@pytest.fixture(scope="module")
def everything(server: AccessServer) -> str:
    return server.token(
        "all", *[(role, "") for role in (Role.SECURITY_ADMIN, Role.ADMINISTRATOR, Role.AUDITOR)]
    )


@pytest.mark.parametrize(
    ("words", "route"), SHOWS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_json_is_what_a_server_answers(
    server: AccessServer, here: CliRunner, everything: str, words: list[str], route: str
) -> None:
    ids = {
        "own": server.ids[OWN],
        "foreign": server.ids[FOREIGN],
        "finding": server.findings[OWN],
        "scan": server.scans[OWN],
    }
    told = server.ask(everything, "GET", V1 + route.format(**ids))
    assert told.status_code == 200, told.text
    given = [word.format(**ids) for word in words]
    done = here.invoke(cli.build_app(given[0]), [*given, "--format", "json"])
    assert done.exit_code == (4 if words[0] == "drill" else 0), (done.output, done.exception)
    assert _still(json.loads(done.stdout)) == _still(told.json())


def _still(document: Any) -> Any:
    """Without what tells the time of the question, or when the token that asks was used."""
    return json.loads(re.sub(r'"(last_used|last_seen_at)": "[^"]*"', r'"\1": null', json.dumps(document)))


def test_every_verb_that_shows_a_list_is_compared() -> None:
    shown = {verb for verb, route in COUNTERPARTS.items() if route.startswith("GET ")}
    compared = {" ".join(words[:2]) if words[0] != "who-has" else "who-has" for words, _ in SHOWS}
    assert shown - compared == {"workers show", "scans events", "gate ask", "proposals show"}
