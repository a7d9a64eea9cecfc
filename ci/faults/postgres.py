"""A PostgreSQL of a run's own, started, killed and started again as a host's init would."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

_START_SECONDS = 300.0
_OPTIONS = {"max_connections": "200", "shared_buffers": "64MB", "logging_collector": "off"}


class Postgres:
    """``url`` reaches it by a unix socket, ``url_at(address)`` by TCP where it is to ``listen``
    there. What is committed is on
    disk (fsync stays on)."""

    def __init__(self, folder: Path, listen: str = "", port: int = 5432) -> None:
        self.folder, self.listen, self.port = folder, listen, port
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o755)
        self._as_user: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            entry = _ordinary_user()
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            self._as_user |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        command = [
            str(_programs() / "initdb"),
            "-D",
            str(self._data),
            "-U",
            "hunter",
            "--auth=trust",
            "-E",
            "UTF8",
        ]
        subprocess.run(command, check=True, capture_output=True, **self._as_user)
        with (self._data / "pg_hba.conf").open("a", encoding="utf-8") as file:
            file.write("host all all 10.0.0.0/8 trust\n")

    @property
    def url(self) -> str:
        """By the unix socket."""
        return f"postgresql://hunter@/postgres?host={self.folder}&port={self.port}"

    def url_at(self, address: str) -> str:
        """By TCP."""
        return f"postgresql://hunter@{address}:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The first of its processes; 0 while it is down."""
        return 0 if self._process is None or self._process.poll() is not None else self._process.pid

    def backends(self) -> list[int]:
        """Its other processes."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(word) for word in listed.read_text(encoding="ascii").split()] if self.pid else []

    def start(self) -> None:
        """Start it and wait until it answers; what a killed one left keeps it from starting for a moment."""
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > end:
                raise TimeoutError("PostgreSQL does not start: " + self._log()[-2000:])
            if not self.pid:
                self._launch()
            time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL to its first process; the others end by themselves when they see it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_backend(self, pid: int) -> bool:
        """SIGKILL to one of `backends`, if it is still one; PostgreSQL then ends all sessions and recovers."""
        if pid not in self.backends():
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> None:
        """At once, sessions or not; what was committed stays (an immediate shutdown)."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=60)

    def _launch(self) -> None:
        options = {**_OPTIONS, "listen_addresses": self.listen, "port": str(self.port)}
        options["unix_socket_directories"] = str(self.folder)
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("ab") as log:
            command = [str(_programs() / "postgres"), "-D", str(self._data), *words]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_user)

    def _answers(self) -> bool:
        command = [str(_programs() / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        return self.pid != 0 and subprocess.run(command, check=False).returncode == 0

    def _log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


def version() -> str:
    """Which one this host has."""
    try:
        said = subprocess.run(
            [_programs() / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        return "no PostgreSQL"
    return said.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")


def _programs() -> Path:
    """Where its programs are: on PATH, or where Debian puts them."""
    found = shutil.which("pg_ctl")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if found is None and not debian:
        raise FileNotFoundError("PostgreSQL is missing: apt install postgresql")
    return Path(found or debian[-1]).resolve().parent


def _ordinary_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
