"""Blame and judging by the number of packages: CPU time an event, which must stay level as packages grow.

Every package has a command, two processes, twenty file changes (its own, another's, the user's), a request and an
alert; half of the packages of the second table lie in folders that many share, as Python's namespace packages do.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from package_hunter.blame.attach import blame_network, blame_observation
from package_hunter.blame.blamer import Blamer
from package_hunter.ecosystems.python import places
from package_hunter.model.observation import FileChange, NetworkLog, Observation, Process, Request, SocketUse
from package_hunter.model.scan import Command, CommandRun, Package
from tests.support.judge_samples import PROCESSES, alert, judge

SIZES = (250, 1_000, 4_000)
CHANGES = 20
P = "/home/dev/projects/app"
SITE = f"{P}/.venv/lib/python3.11/site-packages"
STEP = 1_000_000  # ns between what happens


def main() -> None:
    """Print both tables."""
    for name, make in (("npm", _npm), ("Python, half of it in shared folders", _python)):
        print(f"{name}\n  packages   events    blame    judge   us an event")
        for size in SIZES:
            _row(make(size))


def _row(packages: tuple[Package, ...]) -> None:
    runs, observation, network = _seen(packages)
    events = len(observation.files) + len(observation.alerts) + len(network.requests) + 2 * len(packages)
    started = time.process_time()
    blamer = Blamer(runs, observation.processes, packages, observation.files)
    blamed = blame_observation(observation, blamer)
    logged = blame_network(network, blamed, blamer)
    middle = time.process_time()
    found = judge(blamed, logged, packages=packages, blamer=blamer.blame, runs=runs)
    ended = time.process_time()
    assert any(f.kind == "package_tampering" for f in found)
    print(
        f"  {len(packages):8,} {events:8,} {middle - started:6.2f} s {ended - middle:6.2f} s"
        f" {1e6 * (ended - started) / events:10.1f}"
    )


def _npm(size: int) -> tuple[Package, ...]:
    return tuple(
        Package(f"pkg:npm/p{i}@1.0.0", f"p{i}", "1.0.0", f"{P}/node_modules/p{i}", scripts={"postinstall": "node x.js"})
        for i in range(size)
    )  # fmt: skip


def _python(size: int) -> tuple[Package, ...]:
    lists = [
        [f"{'shared/' * (i % 2)}p{i}/{name}.py" for name in ("__init__", *map(str, range(20)))] + ["shared/x.py"]
        for i in range(size)
    ]  # fmt: skip
    return tuple(
        Package(f"pkg:pypi/p{i}@1.0.0", f"p{i}", "1.0.0", share.places[0], places=share.places)
        for i, share in enumerate(places.shares(lists, SITE))
    )


def _seen(packages: tuple[Package, ...]) -> tuple[list[CommandRun], Observation, NetworkLog]:
    runs, processes, files, sockets, requests = [], [], [], [], []
    for i, package in enumerate(packages):
        at = (i + 1) * 100 * STEP
        command = Command(("node",), P, blame_purl=package.purl, script="postinstall")
        runs.append(CommandRun("install", "default", command, 10 * i + 10, at, at + 90 * STEP, 0))
        key = 2 * i + 2
        processes += [_process(key, None, 10 * i + 10, at), _process(key + 1, key, 10 * i + 11, at + STEP)]
        files += [
            FileChange(_path(packages, i, n), "written", key + 1, at + n * STEP) for n in range(CHANGES)
        ]
        sockets.append(SocketUse(key + 1, at, "tcp", "198.18.1.1", 443, "10.88.0.2", 30_000 + i, 0))
        url = f"https://h{i % 50}.example/{i}"
        requests.append(Request(at + STEP, "GET", url, (), b"", 0, 200, 30_000 + i))
    alerts = tuple(alert(time_ns=run.started_ns + STEP, pid=run.pid + 1, blame=None) for run in runs)
    return (
        runs,
        Observation(alerts, tuple(processes), tuple(files), tuple(sockets)),
        NetworkLog(requests=tuple(requests)),
    )


def _process(key: int, parent: int | None, pid: int, at: int) -> Process:
    made: Callable[..., Process] = type(PROCESSES[0])
    return made(
        key, parent, pid, pid, "node", "/usr/local/bin/node", "node x.js", P, 101000, at, at + 90 * STEP, 0
    )


def _path(packages: tuple[Package, ...], i: int, n: int) -> str:
    whose = packages[(i * 7 + 1) % len(packages)] if n % 10 == 1 else packages[i]
    return f"{whose.path}/lib/{n}.js" if n % 5 else f"/home/dev/.cache/{i}/{n}"


if __name__ == "__main__":
    main()
