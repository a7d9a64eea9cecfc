"""Notices end to end: a scan proves something, and the team's places are told, whatever dies in between."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from package_hunter.access.roles import Role
from package_hunter.access.view import LEGACY
from package_hunter.notices import outbox, secrecy
from package_hunter.notices.outbox import Event, Notice
from package_hunter.store import accounts
from package_hunter.store.database import Store
from package_hunter.store.members import Place
from package_hunter.store.notice_tables import DeliveryRow
from tests.support.receivers import Told, receiver
from tests.support.requires import needs_root
from tests.support.service_harness import Running, open_folder, running, wait_for

ALLOW = {"notices_allow": "127.0.0.0/8", "public_url": "https://hunter.example/"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def _lead(server: Running) -> httpx.Client:
    """A security admin of all."""
    store = Store(server.settings)
    with store.write() as session:
        grants = (accounts.Grant(Role.SECURITY_ADMIN, Place()),)
        token = accounts.add_token(session, f"lead-{os.urandom(4).hex()}", accounts.Start(grants))
    store.close()
    return httpx.Client(
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    )


def _tell(server: Running, what: str = "x") -> None:
    """As any part of the program does it."""
    store = Store(server.settings)
    with store.write() as session:
        outbox.enqueue(session, Event.PROOF_FOUND, LEGACY, Notice(what, look="/api/v1/scans/1"))
    store.close()


def test_from_an_event_to_the_teams_place_and_back(folder: Path) -> None:
    with receiver() as there, running(folder, **ALLOW) as server, _lead(server) as lead:
        hook = {"kind": "webhook", "url": f"{there.url}/in"}
        for inner in ("https://169.254.169.254/", "https://[::ffff:10.0.0.1]/x"):
            wrong = {"name": "in", "settings": hook | {"url": inner}}
            refused = lead.post("/api/v1/destinations", json=wrong)
            assert (refused.status_code, "not public" in refused.text) == (400, True), refused.text
        made = lead.post("/api/v1/destinations", json={"name": "soc", "settings": hook})
        assert made.status_code == 201, made.text
        assert made.json()["secret"].startswith("whsec_")
        assert made.json()["target"] == f"{there.url}/…"
        _tell(server)
        wait_for(lambda: len(there.got) == 1)
        assert there.got[0].json["data"]["link"] == "https://hunter.example/api/v1/scans/1"
        assert there.got[0].json["data"]["place"] == "legacy"
        tested = lead.post("/api/v1/destinations/test", json={"name": "soc"})
        assert tested.status_code == 202
        wait_for(lambda: len(there.got) == 2)

        def both() -> bool:
            items = lead.get("/api/v1/deliveries").json()["items"]
            return [item["state"] for item in items] == ["delivered", "delivered"]

        wait_for(both)
        assert lead.request("DELETE", "/api/v1/destinations", params={"name": "soc"}).status_code == 204
        assert lead.get("/api/v1/destinations").json() == {"items": []}
        log = server.log()
    assert made.json()["secret"] not in log


def test_nothing_is_lost_where_the_deliverer_dies(folder: Path) -> None:
    with receiver() as there, running(folder, **ALLOW) as server, _lead(server) as lead:
        hook = {"kind": "webhook", "url": there.url}
        lead.post("/api/v1/destinations", json={"name": "soc", "settings": hook}).raise_for_status()
        first = server.children()["deliverer"]
        os.kill(first, signal.SIGKILL)
        for number in range(3):
            _tell(server, str(number))
        wait_for(lambda: server.children()["deliverer"] != first)
        wait_for(lambda: len(there.got) == 3)
    assert sorted(got.json["data"]["what"] for got in there.got) == ["0", "1", "2"]


def test_what_is_given_up_is_seen_and_tried_again_by_hand(folder: Path) -> None:
    with receiver(lambda _: Told(410)) as there, running(folder, **ALLOW) as server, _lead(server) as lead:
        hook = {"kind": "webhook", "url": there.url}
        lead.post("/api/v1/destinations", json={"name": "soc", "settings": hook}).raise_for_status()
        _tell(server)

        def dead() -> list[dict[str, str]]:
            found: list[dict[str, str]] = lead.get("/api/v1/deliveries?state=dead").json()["items"]
            return found

        (item,) = wait_for(dead)
        assert (item["error"], item["destination"]) == ("It answered 410.", "soc")
        figures = server.client.get("/metrics").text
        assert 'package_hunter_deliveries{state="dead"} 1.0' in figures
        there.answer = lambda _: Told()
        again = lead.post("/api/v1/deliveries/retry", json={"delivery": item["id"], "why": "mended"})
        assert again.json() == {"deliveries": 1}
        wait_for(lambda: not dead())
        wait_for(lambda: lead.get("/api/v1/deliveries").json()["items"][0]["state"] == "delivered")


def test_inner_places_are_refused_by_a_server_that_allows_none(folder: Path) -> None:
    with receiver() as inner, running(folder) as server, _lead(server) as lead:
        for number, host in enumerate(
            (f"127.0.0.1:{inner.port}", f"localhost:{inner.port}", "169.254.169.254")
        ):
            hook = {"kind": "webhook", "url": f"http://{host}/latest/meta-data"}
            made = lead.post("/api/v1/destinations", json={"name": f"n{number}", "settings": hook})
            assert (made.status_code, "not public" in made.text) == (400, True), made.text
        assert lead.get("/api/v1/destinations").json()["items"] == []
        assert inner.got == []


def test_the_deliverer_has_no_rights_and_the_api_cannot_read_what_it_keeps(folder: Path) -> None:
    needs_root()
    with running(folder) as server:
        pids = server.children()
        for name in ("deliverer", "server"):
            state = Path(f"/proc/{pids[name]}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in state.splitlines() if ":\t" in line)
            assert fields["Uid"].split() == ["64990"] * 4, name
            assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0, name
            assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2"), name
        key = secrecy.folder(server.settings) / "key.pem"
        assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (0, 0o600)


def test_sigterm_waits_for_what_is_being_told(folder: Path) -> None:
    with receiver() as there, running(folder, **ALLOW) as server, _lead(server) as lead:
        hook = {"kind": "webhook", "url": there.url}
        lead.post("/api/v1/destinations", json={"name": "soc", "settings": hook}).raise_for_status()
        _tell(server)
        wait_for(lambda: there.got)
        assert server.stop() == 0
        store = Store(server.settings)
        with store.read() as session:
            states = [(row.state, row.attempts) for row in session.scalars(select(DeliveryRow))]
        store.close()
    assert states == [("delivered", 1)]
    assert len(there.got) == 1
