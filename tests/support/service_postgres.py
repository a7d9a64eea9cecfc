"""A private PostgreSQL for tests: its own cluster in a temporary folder, on a unix socket, not as root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.requires import needs_program


def programs() -> Path:
    """Where initdb and pg_ctl are: on PATH, or where Debian puts them."""
    if (found := shutil.which("pg_ctl")) is None:
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
        if not debian:
            needs_program("pg_ctl")
        found = str(debian[-1])
    return Path(found).resolve().parent


def _ordinary_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextlib.contextmanager
def postgres(durable: bool = False) -> Iterator[str]:
    """The URL of a fresh server. ``durable``: what it commits survives a power cut, as in earnest."""
    found = programs()
    folder = Path(tempfile.mkdtemp(prefix="package-hunter-pg-"))
    folder.chmod(0o755)  # the socket is in it
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        entry = _ordinary_user()
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    data = folder / "data"
    quiet: dict[str, Any] = {"check": True, "capture_output": True, "cwd": folder, **as_user}
    try:
        subprocess.run(
            [found / "initdb", "-D", data, "-U", "hunter", "--auth=trust", "--no-sync", "-E", "UTF8"],
            **quiet,
        )
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        options += "" if durable else " -c fsync=off"
        start = [found / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"]
        subprocess.run(start, **{**quiet, "capture_output": False, "stdout": subprocess.DEVNULL})
        try:
            yield f"postgresql://hunter@/postgres?host={folder}"
        finally:
            subprocess.run([found / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(folder)


def dumped(url: str) -> bytes:
    """All that a database holds, as SQL that makes it again in an empty one."""
    done = subprocess.run(
        [programs() / "pg_dump", "--inserts", "--schema=public", url], check=True, capture_output=True
    )
    # the schema itself is there; a line that begins with a backslash is psql's, not SQL
    lines = (line for line in done.stdout.splitlines() if not line.startswith((b"CREATE SCHEMA", b"\\")))
    return b"\n".join(lines)
