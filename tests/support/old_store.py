"""A store as one version of Package Hunter left it, to be brought up to date by later ones.

``python -m tests.support.old_store``, in a checkout of that version, writes ``tests/fixtures/store/HEAD.sqlite.sql``
and ``HEAD.postgresql.sql``, each with the sealer's public key beside it.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
from alembic.script import ScriptDirectory

from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.store import migrations
from package_hunter.store.database import store_dir
from tests.support.requires import ROOT
from tests.support.service_harness import Running, open_folder, running, wait_for
from tests.support.service_postgres import dumped, postgres

FOLDER = ROOT / "tests/fixtures/store"


def load(settings: Settings, version: str = "0011") -> None:
    """Put a version's store, and its sealer's public key, where these settings have theirs (which is empty)."""
    kind = "sqlite" if settings.database_url is None else "postgresql"
    text = (FOLDER / f"{version}.{kind}.sql").read_text(encoding="utf-8")
    if settings.database_url is None:
        with sqlite3.connect(store_dir(settings) / "store.db") as connection:
            connection.executescript(text)
    else:
        with psycopg.connect(settings.database_url, autocommit=True) as server:
            server.execute(text.encode())
    audit = settings.data_dir / "audit"
    audit.mkdir(mode=0o700, exist_ok=True)
    (audit / "public-old.pem").write_bytes((FOLDER / f"{version}.{kind}.pem").read_bytes())
    prepare_folders(settings)


def fill(server: Running) -> None:
    """Scans of every end, a group, a project, accounts, a token, a policy, a state, a destination."""
    client = server.client
    for body in (b"malicious", b"finding", b"fail", b"inconclusive", b"nothing"):
        server.ended(server.submit(body))
    for words, typed in (
        ("group add web --why teams", ""),
        ("project add web/shop --why teams", ""),
        ("user add ben --role security-admin --role administrator --why new", "battery staple\n"),
        ("token add shop-ci --role developer@web/shop --home web/shop --why pipeline", ""),
    ):
        command(server, words, typed)
    for found in client.get("/api/v1/findings").json().get("findings", [])[:1]:
        body = {"state": "investigating", "why": "looking"}
        client.put(f"/api/v1/findings/{found['id']}/state", json=body).raise_for_status()
    wait_for(lambda: "package_hunter_history_unsealed_seconds 0.0" in client.get("/metrics").text, 30)


def command(server: Running, words: str, typed: str) -> None:
    """A command of the program, on the server's store."""
    url = server.settings.database_url
    environment = {**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(server.data_dir)}
    environment |= {"PACKAGE_HUNTER_DATABASE_URL": url} if url else {}
    program = Path(sys.executable).parent / "package-hunter"
    subprocess.run([program, *words.split()], input=typed, text=True, env=environment, check=True)


def head() -> str:
    """The newest migration."""
    found = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    assert found is not None
    return found


def main() -> int:
    """Write both."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open_folder() as folder:
        with running(folder) as server:
            fill(server)
        with sqlite3.connect(folder / "store/store.db") as connection:
            text = "\n".join(connection.iterdump())
        (FOLDER / f"{head()}.sqlite.sql").write_text(text + "\n", encoding="utf-8")
        _keep_key(folder, "sqlite")
    with postgres() as url, open_folder() as folder:
        with running(folder, database_url=url) as server:
            fill(server)
        (FOLDER / f"{head()}.postgresql.sql").write_bytes(dumped(url))
        _keep_key(folder, "postgresql")
    return 0


def _keep_key(folder: Path, name: str) -> None:
    (public,) = (folder / "audit").glob("public-*.pem")
    (FOLDER / f"{head()}.{name}.pem").write_bytes(public.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
