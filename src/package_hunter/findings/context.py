"""What the judge looks things up in: processes and their ancestors, names behind addresses, packages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from package_hunter.model.observation import Blame, Canary, NetworkLog, Observation, Process, Request
from package_hunter.model.owners import Owners
from package_hunter.model.report_json import marker_domains
from package_hunter.model.scan import CommandRun, Coverage, Package

Blamer = Callable[[int, int], Blame | None]
"""From a process's key and a time (ns since the epoch) to who is to blame."""

MAX_CHAIN = 12
_PROGRAMS = (".js", ".cjs", ".mjs", ".node", ".py", ".so", ".rb", ".pl", ".sh", ".wasm")


def host_asked(request: Request) -> str:
    """The host of a request's URL; a hostile client may ask for anything."""
    try:
        return urlsplit(request.url).hostname or request.url[:80]
    except ValueError:
        return request.url[:80]


class Context:
    """One scan's facts with the indexes that judging needs."""

    def __init__(
        self,
        observation: Observation,
        network: NetworkLog,
        canaries: Sequence[Canary],
        packages: Sequence[Package],
        coverage: Coverage,
        blamer: Blamer | None,
        runs: Sequence[CommandRun] = (),
    ) -> None:
        self.observation = observation
        self.network = network
        self.canaries = {c.id: c for c in canaries}
        self.packages = {p.purl: p for p in packages}
        self.owners = Owners(packages)
        self.coverage = coverage
        self.runs = runs
        self._blamer = blamer
        self.processes = {p.key: p for p in observation.processes}
        self.markers = marker_domains(network)

    @cached_property
    def _by_pid(self) -> dict[int, list[Process]]:
        index: dict[int, list[Process]] = {}
        for process in sorted(self.processes.values(), key=lambda p: p.started_ns):
            index.setdefault(process.pid, []).append(process)
        return index

    @cached_property
    def names(self) -> dict[str, str]:
        """Address -> the name that was looked up for it."""
        found = {d.answer: d.name for d in self.network.dns if d.answer}
        found.update({c.address: c.name for c in self.network.connections if c.name})
        return found

    @cached_property
    def registry_hosts(self) -> frozenset[str]:
        """Hosts of which every request was passed on to a registry: those that an index sends its clients to
        have addresses like any other."""
        asked: dict[str, bool] = {}
        for request in self.network.requests:
            host = host_asked(request)
            asked[host] = asked.get(host, True) and request.registry
        strange = {
            c.name for c in self.network.connections if c.kind not in ("http", "tls", "registry", "dns")
        }
        return frozenset(host for host, only in asked.items() if only and host not in strange)

    @cached_property
    def fetchers(self) -> dict[str, set[int]]:
        """URL -> keys of the processes that asked for it."""
        found: dict[str, set[int]] = {}
        for request in self.network.requests:
            key = self.key_of(request.blame, request.time_ns)
            if key is not None:
                found.setdefault(request.url, set()).add(key)
        return found

    @cached_property
    def program_writers(self) -> frozenset[int]:
        """Keys of the processes that put a program into a file."""
        return frozenset(
            f.process for f in self.observation.files if f.action == "created" and f.path.endswith(_PROGRAMS)
        )

    def process_at(self, pid: int, time_ns: int) -> Process | None:
        """The process that had this pid (the host's) at this time; pids are reused."""
        runs = self._by_pid.get(pid)
        if not runs:
            return None
        return runs[max(0, bisect_right(runs, time_ns, key=lambda p: p.started_ns) - 1)]

    def key_of(self, blame: Blame | None, time_ns: int) -> int | None:
        """The process that a blame speaks of."""
        process = self.process_at(blame.pid, time_ns) if blame else None
        return process.key if process else None

    def blame_of(self, process: int | None, time_ns: int) -> Blame | None:
        """Who is to blame for what a process did, where that is known."""
        return self._blamer(process, time_ns) if self._blamer is not None and process is not None else None

    def ancestors(self, key: int | None) -> list[Process]:
        """The process and those above it, nearest first."""
        chain: list[Process] = []
        seen: set[int] = set()
        while key is not None and key in self.processes and key not in seen and len(chain) < MAX_CHAIN:
            seen.add(key)
            chain.append(self.processes[key])
            key = chain[-1].parent
        return chain

    def chain(self, key: int | None) -> list[dict[str, Any]]:
        """The way from the first process to this one, as evidence data."""
        return [
            {"pid": p.vpid, "name": p.name, "cmdline": p.cmdline[:500], "exepath": p.exepath}
            for p in reversed(self.ancestors(key))
        ]
