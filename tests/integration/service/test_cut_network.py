"""A network to PostgreSQL that is cut without a word: neither end waits for ever."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ci.faults.postgres import Postgres
from ci.faults.wire import Wire, wired
from sqlalchemy import make_url

from package_hunter.config import Settings
from package_hunter.store.connections import limits
from package_hunter.store.database import Store
from tests.support.requires import needs_program, needs_root

# Behind the wire: says what it came to, a line each; goes on with each line that it is sent.
_BEHIND = """
import sys
from sqlalchemy import text
from package_hunter.config import Settings
from package_hunter.store.database import Store, StoreError
store = Store(Settings(database_url=sys.argv[1]))
try:
    with store.write() as session:
        store.lock(session, "one")
        print("locked", flush=True)
        sys.stdin.readline()
        session.execute(text("SELECT 1"))
        print("no", flush=True)
except StoreError:
    print("told", flush=True)
sys.stdin.readline()
with store.read() as session:
    print(session.scalar(text("SELECT 'again'")), flush=True)
"""


@pytest.fixture
def database(wire: Wire) -> Iterator[Postgres]:
    needs_program("pg_ctl")
    with tempfile.TemporaryDirectory(prefix="package-hunter-test-", dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        made = Postgres(Path(name) / "postgres", wire.host)
        yield made
        made.stop()


@pytest.fixture
def wire() -> Iterator[Wire]:
    needs_root()
    needs_program("nft")
    with wired() as made:
        yield made


def test_both_ends_notice_that_the_other_has_vanished(database: Postgres, wire: Wire) -> None:
    database.start()
    command = ["nsenter", f"--net={wire.worker}", sys.executable, "-c", _BEHIND, database.url_at(wire.host)]
    behind = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert behind.stdin is not None and behind.stdout is not None
    with behind:
        try:
            assert behind.stdout.readline() == "locked\n"
            wire.cut()
            print(file=behind.stdin, flush=True)
            here = Store(Settings(database_url=database.url))
            with here.write() as session:
                here.lock(session, "one")  # PostgreSQL let go of what the vanished one held
            here.close()
            assert behind.stdout.readline() == "told\n"
            wire.whole()
            print(file=behind.stdin, flush=True)
            assert behind.stdout.readline() == "again\n"
        finally:
            behind.kill()


@pytest.mark.parametrize(
    ("query", "left_alone"),
    [
        ("", set()),
        ("?connect_timeout=3", {"connect_timeout"}),
        ("?keepalives_idle=60&tcp_user_timeout=0", {"keepalives_idle", "tcp_user_timeout"}),
    ],
)
def test_the_urls_own_limits_hold(query: str, left_alone: set[str]) -> None:
    every = set(limits(make_url("postgresql://host/hunter")))
    assert set(limits(make_url(f"postgresql://host/hunter{query}"))) == every - left_alone
