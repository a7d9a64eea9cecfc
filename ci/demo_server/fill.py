"""Everything that a demo server holds, in order; what is there already is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ci.demo_server import decisions, people, scans
from ci.demo_server import folder as folders
from ci.demo_server.client import Client
from ci.demo_server.plan import ANA, BEN, PEOPLE, Plan

SCANS = "demo-scans.json"  # in the data folder: what was submitted, and as which scan


def fill(plan: Plan, base: str, folder: Path, say: Callable[[str], None]) -> None:
    """Of the server at ``base``, whose data folder this is. RefusedError: it did not do what was asked."""
    passwords = folders.passwords(folder)
    with team(base, passwords) as who:
        people.make(who[ANA.name], passwords)
        scans.scan_all(plan, who[BEN.name], folder / SCANS, say)
        if plan.decided:
            decisions.make(who, say)


@contextmanager
def team(base: str, passwords: dict[str, str]) -> Iterator[Mapping[str, Client]]:
    """Each person as a client of the API, by name."""
    clients = {person.name: Client(base, person.name, passwords[person.name]) for person in PEOPLE}
    try:
        yield clients
    finally:
        for client in clients.values():
            client.close()
