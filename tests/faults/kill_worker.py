"""Kill a real worker at random moments, over and over, and see that every scan ends as if nothing had been.

    python tests/faults/kill_worker.py [--kills 20] [--seed N]     (`make faults`; needs root, probe and image)

Small projects without any dependency are scanned from a store of its own. Exit code 1 where a scan is lost, ends
with another verdict than the undisturbed one, or anything is left behind.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from package_hunter.access.view import EVERYTHING
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.queue import make
from package_hunter.store import scans
from package_hunter.store.database import Store
from tests.support.archives import held, submit

_MANIFEST = b'{"name": "small", "version": "1.0.0", "scripts": {"postinstall": "node -e 0"}}'
_LONGEST = 4.0  # seconds from a scan's start to its worker's end


def archive(number: int) -> bytes:
    """A project; each has other bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in (("package.json", _MANIFEST), ("n.txt", str(number).encode())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def worker(folder: Path) -> subprocess.Popen[bytes]:
    """A fresh worker process; what it says goes to a file."""
    env = {**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(folder), "PACKAGE_HUNTER_MAX_ATTEMPTS": "1000"}
    program = str(Path(sys.executable).with_name("package-hunter"))
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen([program, "worker"], env=env, stdout=log, stderr=log)


def started(folder: Path) -> int:
    """How many scans workers began so far."""
    return (folder / "worker.log").read_text(encoding="utf-8").count('"scan started"')


def until(what: Callable[[], bool], seconds: float) -> None:
    """Wait for it, but not for ever."""
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)


def waiting(store: Store) -> int:
    """Scans that did not end yet."""
    with store.read() as session:
        return scans.unfinished(session)


def left_behind(folder: Path, ids: list[uuid.UUID]) -> list[str]:
    """Folders, boxes, cgroups and mounts of these scans."""
    found = [str(path) for path in [*(folder / "runs").glob("*"), *held(folder)]]
    places = [Path("/run/package-hunter/boxes"), *Path("/sys/fs/cgroup").glob("**/package-hunter*")]
    for place in (p for p in places if p.is_dir()):
        found += [str(path) for path in place.iterdir() if any(str(i) in path.name for i in ids)]
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    return found + [f"a mount of {i}" for i in ids if str(i) in mounts]


def run(folder: Path, kills: int) -> list[str]:
    """Kill ``kills`` workers, then let one finish; what went wrong."""
    settings = Settings(data_dir=folder, result_cache_seconds=0)
    for shared in ("image", "probe"):
        (folder / shared).symlink_to(Settings().data_dir / shared)
    (folder / "worker.log").touch()
    store = open_store(settings)
    ids: list[uuid.UUID] = []
    queue = make(settings, store)
    for number in range(kills):
        if waiting(store) < 2:
            ids.append(submit(settings, store, queue, archive(number)))
            ids.append(submit(settings, store, queue, archive(number + 1_000)))
        before = started(folder)
        process = worker(folder)
        if number % 5:  # every fifth is killed at any moment of its start
            until(lambda before=before: started(folder) > before, 60)  # type: ignore[misc]
        time.sleep(random.uniform(0.0, _LONGEST))
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"kill {number + 1}: {waiting(store)} of {len(ids)} scans wait", flush=True)
    process = worker(folder)
    until(lambda: not waiting(store), 180)
    process.terminate()
    process.wait()
    wrong = [f"left behind: {what}" for what in left_behind(folder, ids)]
    with store.read() as session:
        for scan_id in ids:
            scan = scans.get(session, EVERYTHING, scan_id)
            if scan is None or (scan.status, scan.verdict) != ("finished", "no_findings"):
                wrong.append(f"{scan_id}: {scan and (scan.status, scan.verdict, scan.reason)}")
    store.close()
    return wrong


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(description="Kill a worker at random moments.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    random.seed(asked.seed)
    with tempfile.TemporaryDirectory(prefix="package-hunter-faults-") as name:
        Path(name).chmod(0o755)
        wrong = run(Path(name), asked.kills)
        if wrong:
            print((Path(name) / "worker.log").read_text(encoding="utf-8")[-4000:])
    print("\n".join(wrong) or "Every scan ended as if nothing had been; nothing is left behind.")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
