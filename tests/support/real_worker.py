"""A real worker (and queue) on a data directory of its own, with the host's image and probe."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from package_hunter import queue
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.queue.base import Queue
from package_hunter.sandbox import cgroups
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.models import Scan
from tests.support import archives
from tests.support.kills import below
from tests.support.service_harness import open_folder, wait_for


def archive(script: str) -> bytes:
    """A project without dependencies, whose install runs ``script``; each has other bytes."""
    manifest = f'{{"name": "small", "version": "1.0.0", "scripts": {{"postinstall": "{script}"}}}}'
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in (("package.json", manifest), ("n.txt", uuid.uuid4().hex)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return out.getvalue()


@dataclass
class RealWorker:
    """``process`` is the worker; ``store`` and ``queue`` are the test's own."""

    config: Settings
    store: Store
    queue: Queue
    process: subprocess.Popen[bytes]
    log_path: Path

    def submit(self, script: str) -> uuid.UUID:
        """As the server does it."""
        return archives.submit(self.config, self.store, self.queue, archive(script))

    def scan(self, scan_id: uuid.UUID) -> Scan:
        """How it stands."""
        with self.store.read() as session:
            found = scans.get(session, EVERYTHING, scan_id)
        assert found is not None
        return found

    def log(self) -> str:
        """What it said so far."""
        return self.log_path.read_text(encoding="utf-8")

    def runs(self, scan_id: uuid.UUID, text: str) -> bool:
        """Whether a command of the scan's box has this in its command line."""
        inside = cgroups.processes(cgroups.paths_of(str(scan_id)))
        return any(text.encode() in _cmdline(pid) for pid in inside)

    def helpers(self) -> list[int]:
        """All processes that come from the worker."""
        return below(self.process.pid)


def _cmdline(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    return b""


@contextlib.contextmanager
def real_worker(source: Path | None = None, **settings: str) -> Iterator[RealWorker]:
    """For one block. ``source``: another version's ``src``; ``settings`` as their variables have them."""
    with open_folder() as folder:
        for shared in ("image", "probe", "cache"):
            (Settings().data_dir / shared).mkdir(parents=True, exist_ok=True)
            (folder / shared).symlink_to(Settings().data_dir / shared)
        config = Settings(data_dir=folder, result_cache_seconds=0, min_free_bytes=0)
        store = open_store(config)
        process = started(folder, source, **settings)
        worker = RealWorker(config, store, queue.make(config, store), process, folder / "worker.log")
        try:
            wait_for(lambda: '"worker started"' in worker.log(), 60)
            yield worker
        finally:
            process.terminate()
            process.wait(60)
            store.close()


def started(folder: Path, source: Path | None = None, **settings: str) -> subprocess.Popen[bytes]:
    """A worker process on this data directory."""
    env = {**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(folder), "PACKAGE_HUNTER_RESULT_CACHE_SECONDS": "0"}
    env |= {f"PACKAGE_HUNTER_{name.upper()}": value for name, value in settings.items()}
    if source is not None:
        env["PYTHONPATH"] = str(source)
    command = [sys.executable, "-m", "package_hunter.cli.main", "worker"]
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd="/")
