"""How the routes of scans, files, holds, workers, rules and simulations are asked for: rows of
tests/unit/api/test_permits.py."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from package_hunter.access.view import EVERYTHING
from package_hunter.bundle import asked as bundles
from package_hunter.inventory import rejudge_asked
from package_hunter.storage.base import Kind
from package_hunter.store import documents, holds, rule_sets, scans
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.database import now_ms
from package_hunter.store.models import Scan, WorkerRow
from package_hunter.store.scans import NewScan
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer
from tests.support.archives import keep
from tests.support.bundle_samples import recording

Ask = Callable[[AccessServer, str, str, str], httpx.Response]
WORKER = "there/worker-1/0a1b2c3d"


def new_scan(server: AccessServer, target: str, **values: Any) -> str:
    """A scan in the place: it waits, or, with ``values`` of its row, has ended so."""
    with server.store.write() as session:
        scan = scans.add(session, NewScan("x", "test", purl="pkg:npm/x", project=server.ids[target]))
        if not values:
            server.queue.enqueue(session, scan.id)
        for name, value in values.items():
            setattr(scan, name, value)
        return str(scan.id)


def with_file(server: AccessServer, target: str, kind: Kind, content: bytes = b"#!/bin/sh\n") -> str:
    """The digest of a file that the finished scan of the place has."""
    stored = server.store.artefacts.put(kind, content)
    scan_id = uuid.UUID(server.scans[target])
    with server.store.write() as session:
        session.add(
            ArtefactRef(
                id=uuid.uuid4(),
                scan_id=scan_id,
                kind=kind.value,
                digest=stored.digest,
                size=stored.size,
                name=f"{scan_id}.scap" if kind is Kind.RECORDING else "/tmp/evil\x1b.sh",
                created=now_ms(),
            )
        )
    return stored.digest


def with_recording(server: AccessServer, target: str) -> str:
    """A scan in the place of which a recording is kept (`recordings_bytes` of the server's settings)."""
    scan = new_scan(server, target, status="finished")
    with tempfile.TemporaryDirectory() as folder:
        keep(server.store, uuid.UUID(scan), recording(Path(folder) / f"{scan}.scap", scan=scan))
    return scan


def new_hold(server: AccessServer, target: str) -> int:
    """The number of a hold on the finished scan of the place."""
    with server.store.write() as session:
        scan = session.get_one(Scan, uuid.UUID(server.scans[target]))
        return holds.add(session, TEST, scan, "a matter").number


def lift_all(server: AccessServer) -> None:
    """No hold is left."""
    with server.store.write() as session:
        for row, _ in holds.listed(session, EVERYTHING):
            holds.lift(session, EVERYTHING, TEST, row.number, "over")


def _act(verb: str, method: str = "POST", made: Callable[[AccessServer, str], str] | None = None) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        scan = server.scans[target] if made is None else made(server, target)
        body = {} if method == "GET" else {"json": {}}
        return server.ask(token, method, f"/api/v1/scans/{scan}/{verb}", **body)

    return ask


def _compare(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    scan = server.scans[target]
    return server.ask(token, "GET", f"/api/v1/scans/{scan}/compare", params={"with": scan})


def _dead_one(server: AccessServer, target: str) -> str:
    return new_scan(server, target, status="failed", dead=now_ms(), finished=now_ms())


def _rejudge(method: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
        with_file(server, target, Kind.RECORDING)
        if method == "GET":
            with server.store.write() as session:
                rejudge_asked.ask(session, TEST, session.get_one(Scan, uuid.UUID(server.scans[target])))
        else:
            with server.store.write() as session:
                for row in session.query(rejudge_asked.RejudgeRequest):
                    session.delete(row)
        return _act("rejudge", method)(server, token, target, who)

    return ask


def _delete(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    scan = new_scan(server, target, status="failed", finished=now_ms())
    return server.ask(token, "DELETE", f"/api/v1/scans/{scan}", params={"why": "a test"})


def _file(kind: Kind, path: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        digest = with_file(server, target, kind)
        return server.ask(token, "GET", f"/api/v1/scans/{server.scans[target]}/{path}/{digest}")

    return ask


def _bundle(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    with_file(server, target, Kind.BUNDLE)
    return server.ask(token, "GET", f"/api/v1/scans/{server.scans[target]}/bundle")


def _bundle_state(server: AccessServer, token: str, target: str, who: str) -> httpx.Response:
    with server.store.write() as session:
        bundles.ask(session, "test", session.get_one(Scan, uuid.UUID(server.scans[target])))
    return _act("bundle/state", "GET")(server, token, target, who)


def _hold(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    url = f"/api/v1/scans/{server.scans[target]}/holds"
    return server.ask(token, "POST", url, json={"why": "a matter"})


def _hold_project(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    url = f"/api/v1/projects/{server.ids[target]}/holds"
    answer = server.ask(token, "POST", url, json={"why": "a matter"})
    lift_all(server)
    return answer


def _holds(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    for place in (OWN, FOREIGN):
        new_hold(server, place)
    answer = server.ask(token, "GET", "/api/v1/holds")
    lift_all(server)
    return answer


def _lift(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    number = new_hold(server, target)
    answer = server.ask(token, "DELETE", f"/api/v1/holds/{number}", params={"why": "it is over"})
    lift_all(server)
    return answer


def _dead(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    for place in (OWN, FOREIGN):
        _dead_one(server, place)
    return server.ask(token, "GET", "/api/v1/dead-letters")


def new_worker(server: AccessServer) -> str:
    """The name of a worker that is there."""
    with server.store.write() as session:
        session.merge(WorkerRow(name=WORKER, seen=now_ms(), started=now_ms(), form=1, slots=1, can=""))
    return WORKER


def _worker(verb: str) -> Ask:
    def ask(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
        name = new_worker(server)
        return server.ask(token, "POST", f"/api/v1/workers/{verb}", params={"name": name, "why": "a test"})

    return ask


def _of_project(method: str, url: str, **query: str) -> Ask:
    def ask(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
        return server.ask(token, method, url, params={"project": target, **query})

    return ask


def _with_rule_sets(server: AccessServer) -> None:
    """A rule set in each project."""
    with server.store.write() as session:
        for path in (OWN, FOREIGN):
            key = server.place(session, path).key
            if documents.current(session, rule_sets.KIND, key, "team") is None:
                documents.put(session, rule_sets.KIND, key, "team", {"name": "team", "rules": "[]"}, TEST)


def _rule_sets(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
    _with_rule_sets(server)
    return server.ask(token, "GET", "/api/v1/rule-sets")


def _rule_set(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    _with_rule_sets(server)
    return server.ask(token, "GET", f"/api/v1/rule-sets/{server.ids[target]}/team")


def _try_rules(server: AccessServer, token: str, target: str, _who: str) -> httpx.Response:
    return server.ask(token, "POST", "/api/v1/rules/try", params={"project": target}, json={"rules": "[]"})


def _send(url: str, body: dict[str, Any]) -> Ask:
    def ask(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
        return server.ask(token, "POST", url, json=body)

    return ask


def _plain(url: str) -> Ask:
    def ask(server: AccessServer, token: str, _target: str, _who: str) -> httpx.Response:
        return server.ask(token, "GET", url)

    return ask


_S = "/api/v1/scans/{scan_id}"
RULE = "Cloud metadata service contacted"
SCAN_ASKS: dict[tuple[str, str], Ask] = {
    ("GET", f"{_S}/events"): _act("events", "GET"),
    ("GET", f"{_S}/steps"): _act("steps", "GET"),
    ("GET", f"{_S}/earlier"): _act("earlier", "GET"),
    ("GET", f"{_S}/compare"): _compare,
    ("POST", f"{_S}/cancel"): _act("cancel", made=new_scan),
    ("POST", f"{_S}/rescan"): _act("rescan"),
    ("POST", f"{_S}/rejudge"): _rejudge("POST"),
    ("GET", f"{_S}/rejudge"): _rejudge("GET"),
    ("POST", f"{_S}/rerun"): _act("rerun", made=_dead_one),
    ("DELETE", _S): _delete,
    ("GET", f"{_S}/recordings"): _act("recordings", "GET"),
    ("GET", f"{_S}/recordings/{{digest}}"): _file(Kind.RECORDING, "recordings"),
    ("GET", f"{_S}/recorded"): _act("recorded", "GET", with_recording),
    ("GET", f"{_S}/dropped"): _act("dropped", "GET"),
    ("GET", f"{_S}/dropped/{{digest}}"): _file(Kind.DROPPED, "dropped"),
    ("POST", f"{_S}/bundle"): _act("bundle"),
    ("GET", f"{_S}/bundle"): _bundle,
    ("GET", f"{_S}/bundle/state"): _bundle_state,
    ("POST", f"{_S}/holds"): _hold,
    ("POST", "/api/v1/projects/{project_id}/holds"): _hold_project,
    ("GET", "/api/v1/holds"): _holds,
    ("DELETE", "/api/v1/holds/{hold}"): _lift,
    ("GET", "/api/v1/dead-letters"): _dead,
    ("GET", "/api/v1/workers"): _plain("/api/v1/workers"),
    ("POST", "/api/v1/workers/drain"): _worker("drain"),
    ("POST", "/api/v1/workers/resume"): _worker("resume"),
    ("GET", "/api/v1/rules"): _of_project("GET", "/api/v1/rules"),
    ("GET", "/api/v1/rules/explain"): _of_project("GET", "/api/v1/rules/explain", name=RULE),
    ("GET", "/api/v1/rules/fields"): _plain("/api/v1/rules/fields"),
    ("POST", "/api/v1/rules/try"): _try_rules,
    ("GET", "/api/v1/rule-sets"): _rule_sets,
    ("GET", "/api/v1/rule-sets/{scope}/{name}"): _rule_set,
    ("POST", "/api/v1/policies/check"): _send("/api/v1/policies/check", {"source": ""}),
    ("POST", "/api/v1/rules/check"): _send("/api/v1/rules/check", {"rules": "[]"}),
    ("POST", "/api/v1/rules/match"): _send(
        "/api/v1/rules/match", {"condition": "proc.name = npm", "events": [{"proc.name": "npm"}]}
    ),
    ("GET", "/api/v1/simulations"): _plain("/api/v1/simulations"),
    ("POST", "/api/v1/simulations/{name}"): _of_project("POST", "/api/v1/simulations/eslint-scope"),
}
