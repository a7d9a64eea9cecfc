"""A server and two workers as they run in earnest: processes of their own, kept by an init; a store on SQLite or
PostgreSQL; everything in folders of this run's own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from ci.faults import ends, leftovers, targets
from ci.faults.client import Client
from ci.faults.keeper import Keeper, Unit
from ci.faults.leftovers import Seen
from ci.faults.marks import Mark

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.store import accounts
from package_hunter.store.database import StoreError

UNITS = ("server", "worker-1", "worker-2")
DISK = "disk"  # where the data folders are, in the row's own folder
# what package managers said of themselves, as a worker that ran before has it: to ask them takes longer than a scan
_ASKED = Path(__file__).resolve().parents[2] / ".faults/config"
HUNT = Path(sys.executable).parent / "package-hunter"
_READY_SECONDS, _WARM_SECONDS = 300.0, 900.0
_GRACE_SECONDS = 20.0  # in which what a scan leaves may still be removed
ATTEMPTS = 10  # here one scan may be hit more often than in a year elsewhere
_SETTINGS = {
    "DEPTH": "quick",
    "RESULT_CACHE_SECONDS": "0",
    "LEASE_SECONDS": "15",
    "MAX_ATTEMPTS": str(ATTEMPTS),
    "SUBMISSIONS_PER_MINUTE": "1000000",
    "MAX_PENDING_SCANS": "20000",
    "MIN_FREE_BYTES": str(4 << 20),
}


@dataclass(frozen=True)
class Shape:
    """What a row wants otherwise than usual: ``settings`` for all, ``env`` and ``before`` (words before the command) by
    the name of a unit (``server``, ``worker-1``, ``worker-2``); ``worker_database``: the URL as workers have it.
    ``apart``: each unit has a data folder of its own, as on machines of their own (artefacts: in an object store)."""

    settings: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    before: Mapping[str, Sequence[str]] = field(default_factory=dict)
    worker_database: str | None = None
    apart: bool = False


class Deployment:
    """Use `deployed`."""

    def __init__(self, folder: Path, mark: Mark, database: str | None, shape: Shape) -> None:
        self.folder, self.mark, self._shape = folder, mark, shape
        self.data = self._data_of("server")
        self.port, self._ended = _free_port(), 0
        env = {f"PACKAGE_HUNTER_{name}": value for name, value in {**_SETTINGS, **shape.settings}.items()}
        env["PACKAGE_HUNTER_DATA_DIR"] = str(self.data)
        if database is not None:
            env["PACKAGE_HUNTER_DATABASE_URL"] = database
        self._env = env
        self.settings = _settings(env)
        self._logs = folder / "logs"
        self._logs.mkdir(mode=0o755)
        for place in self.folders():
            place.mkdir(mode=0o755, parents=True)
            for shared in ("image", "probe", "clock", "runner"):
                (place / shared).symlink_to(Settings().data_dir / shared)
            if _ASKED.is_dir():
                shutil.copytree(_ASKED, place / "cache/config")
        self.store = open_store(self.settings)
        with self.store.write() as session:
            token = accounts.add_token(session, "faults")
        ends.watch(self.store)
        self.client = Client(f"http://127.0.0.1:{self.port}", token)
        serve = [HUNT, "serve", "--no-worker", "--port", self.port]
        self.warm: set[uuid.UUID] = set()
        self.keeper = Keeper(
            [self._unit("server", serve), *(self._unit(f"worker-{n}", [HUNT, "worker"]) for n in (1, 2))]
        )

    def _data_of(self, name: str) -> Path:
        return self.folder / DISK / (name if self._shape.apart else "data")

    def folders(self) -> list[Path]:
        """The data folders."""
        return sorted({self._data_of(name) for name in UNITS})

    def _unit(self, name: str, words: Sequence[object]) -> Unit:
        temporary = self.folder / f"tmp-{name}"
        temporary.mkdir(mode=0o1777)
        temporary.chmod(0o1777)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER_")}
        env = {**kept, **self._env, "TMPDIR": str(temporary), **self._shape.env.get(name, {})}
        env["PACKAGE_HUNTER_DATA_DIR"] = str(self._data_of(name))
        if name != "server" and self._shape.worker_database is not None:
            env["PACKAGE_HUNTER_DATABASE_URL"] = self._shape.worker_database
        before = self._shape.before.get(name, ())
        command = self.mark.command([*before, *map(str, words)])
        return Unit(name, command, env, self._logs / f"{name}.log")

    def start(self) -> None:
        """Start all, and wait until the server answers and both workers are at work."""
        self.keeper.start()
        wait_for(self.answers, _READY_SECONDS)
        wait_for(lambda: all("worker started" in self.log(f"worker-{n}") for n in (1, 2)), _READY_SECONDS)
        self._warm()

    def _warm(self) -> None:
        """Two scans before anything is broken: caches are filled, and they show what an undisturbed one says."""
        end = time.monotonic() + _WARM_SECONDS
        for number in (-1, -2):
            self.client.submit(targets.small(number), end)
        wait_for(lambda: self.unfinished() == 0, end - time.monotonic())
        found = ends.count(self.client.accepted, ends.ends(self.store))
        if found.finished != 2:
            raise RuntimeError(f"undisturbed scans did not finish: {'; '.join(found.said)}")
        for place in self.folders():
            if (place / "cache/config").is_dir():
                shutil.copytree(place / "cache/config", _ASKED, dirs_exist_ok=True)
        self.warm = set(self.client.accepted)
        self.client.accepted.clear()

    def answers(self) -> bool:
        """Whether the server does."""
        try:
            health = httpx.get(f"{self.client.url}/api/v1/health", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return health.status_code == 200

    def log(self, name: str) -> str:
        """What a unit said so far."""
        path = self._logs / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def api_pid(self) -> int:
        """The process that speaks HTTP; 0 where it cannot be told."""
        pid = 0
        for line in self.log("server").splitlines():
            if '"process started"' in line:
                entry = json.loads(line)
                pid = entry["pid"] if entry["process"] == "server" else pid
        return pid

    def running(self) -> set[int]:
        """Processes that are meant to run, whatever is scanned: units, and what the server keeps beside itself."""
        listed = [json.loads(line) for line in self.log("server").splitlines() if '"process started"' in line]
        latest = {entry["process"]: entry["pid"] for entry in listed}
        return {*latest.values(), *(unit.pid for unit in self.keeper.units.values())}

    def unfinished(self) -> int | None:
        """Scans that wait or run; None where the store cannot be asked just now."""
        by_status = self._by_status()
        return (
            None
            if by_status is None
            else sum(n for status, n in by_status.items() if status not in ends.OVER)
        )

    def ended(self) -> int:
        """Scans that came to an end; what was last known where the store cannot be asked just now."""
        by_status = self._by_status()
        if by_status is not None:
            self._ended = sum(n for status, n in by_status.items() if status in ends.OVER)
        return self._ended

    def let_end(self, number: int, going: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until so many more scans have ended, or none is under way."""
        before = self.ended()
        wait_for(lambda: self.ended() >= before + number or not going(), seconds)

    def _by_status(self) -> dict[str, int] | None:
        try:
            return ends.by_status(self.store)
        except StoreError:
            return None

    def scans(self) -> set[str]:
        """Ids of all scans that the store has."""
        return set(map(str, ends.ends(self.store)))

    def look(self) -> Seen:
        """What there is now that a scan may have left."""
        folders = [*self.folders(), *self.folder.glob("tmp-*")]
        rows = ends.stale_jobs(self.store)
        return leftovers.look(folders, self.scans(), self.mark, rows, self.running())

    def settled(self) -> Seen:
        """`look`, when nothing is left, or after a grace."""
        end = time.monotonic() + _GRACE_SECONDS
        while leftovers.compare(Seen(), seen := self.look()) and time.monotonic() < end:
            time.sleep(0.5)
        return seen

    def stop(self) -> list[str]:
        """Stop all; what had to be killed."""
        return self.keeper.stop()

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


@contextmanager
def deployed(
    folder: Path, mark: Mark, database: str | None = None, shape: Shape | None = None
) -> Iterator[Deployment]:
    """A running deployment for the block."""
    made = Deployment(folder, mark, database, shape or Shape())
    try:
        made.start()
        yield made
    finally:
        made.stop()
        made.close()


def wait_for(what: Callable[[], object], seconds: float) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _settings(env: Mapping[str, str]) -> Settings:
    """Settings as a process of this environment has them."""
    values = {name.removeprefix("PACKAGE_HUNTER_").lower(): value for name, value in env.items()}
    return Settings.model_validate(values)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
