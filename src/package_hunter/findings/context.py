"""What the judge looks things up in: processes and their ancestors, names behind addresses, packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from package_hunter.findings.programs import files_run
from package_hunter.model.markers import marker_domains
from package_hunter.model.observation import (
    Blame,
    Canary,
    FileChange,
    NetworkLog,
    Observation,
    Process,
    Request,
)
from package_hunter.model.owners import Owners
from package_hunter.model.processes import Pids
from package_hunter.model.scan import CommandRun, Coverage, Leftovers, Package

Blamer = Callable[[int, int], Blame | None]
"""From a process's key and a time (ns since the epoch) to who is to blame."""

MAX_CHAIN = 12
MAX_LINE = 256  # a line of processes longer than this is not followed: then nothing is known of it
# What connections are that are told by what was said in them, or that say nothing by themselves.
KNOWN_SPEECH = ("http", "h2", "tls", "registry", "dns", "quic", "ping")
_PROGRAMS = (".js", ".cjs", ".mjs", ".node", ".py", ".so", ".rb", ".pl", ".sh", ".wasm")


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:80]
    except ValueError:
        return url[:80]


def host_asked(request: Request) -> str:
    """The host of a request's URL; a hostile client may ask for anything."""
    return _host_of(request.url)


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """What is known of a round beside what was seen in its box. ``runs`` are the commands that were run, ``left``
    what of them still ran at the end. ``scriptless`` are the packages (purls) whose manifest had lost its scripts
    at the end, None where nobody looked. ``host_facts`` are strings that tell this box from others (host name,
    project path) and have no business outside. ``project`` is its folder, ``own_scripts`` those of its own scripts that
    run nowhere but where people work on it, ``patched`` the files of packages that its own patch files name."""

    canaries: Sequence[Canary] = ()
    packages: Sequence[Package] = ()
    coverage: Coverage = field(default_factory=Coverage)
    runs: Sequence[CommandRun] = ()
    left: Leftovers = field(default_factory=Leftovers)
    scriptless: frozenset[str] | None = None
    host_facts: tuple[str, ...] = ()
    project: str = ""
    own_scripts: tuple[str, ...] = ()
    patched: frozenset[str] = frozenset()


class Context:
    """One round's facts with the indexes that judging needs."""

    def __init__(
        self, observation: Observation, network: NetworkLog, facts: RoundFacts, blamer: Blamer | None
    ) -> None:
        self.observation = observation
        self.network = network
        self.canaries = {c.id: c for c in facts.canaries}
        self.packages = {p.purl: p for p in facts.packages}
        self.owners = Owners(facts.packages)
        self.coverage = facts.coverage
        self.runs = facts.runs
        self.left = facts.left
        self.scriptless = facts.scriptless
        self.project, self.own_scripts = facts.project, frozenset(facts.own_scripts)
        self.patched = facts.patched
        self._blamer = blamer
        self.processes = {p.key: p for p in observation.processes}
        self.markers = marker_domains(network)
        self._roots: dict[int, int] = {}  # process -> its root, as far as it was asked for

    @cached_property
    def _pids(self) -> Pids:
        return Pids(self.processes.values())

    @cached_property
    def created(self) -> dict[str, FileChange]:
        """Path -> how it first came into being, where that was seen."""
        made = [f for f in self.observation.files if f.action == "created"]
        return {f.path: f for f in sorted(made, key=lambda f: f.time_ns, reverse=True)}

    @cached_property
    def moved(self) -> dict[str, FileChange]:
        """Path -> how the file got another name, where that was seen."""
        return {f.path: f for f in self.observation.files if f.action == "renamed"}

    @cached_property
    def firsts(self) -> dict[int, CommandRun]:
        """Key of the first process of each command that was run -> that command."""
        found = ((self.first_of(run), run) for run in self.runs)
        return {process.key: run for process, run in found if process is not None}

    @cached_property
    def places(self) -> frozenset[str]:
        """The files that hold a fake secret."""
        return frozenset(c.place for c in self.canaries.values() if c.place.startswith("/"))

    @cached_property
    def names(self) -> dict[str, str]:
        """Address -> the name that was looked up for it."""
        found = {d.answer: d.name for d in self.network.dns if d.answer}
        found.update({c.address: c.name for c in self.network.connections if c.name})
        return found

    @cached_property
    def _reached(self) -> frozenset[tuple[str, str]]:
        return frozenset((c.address, str(c.port)) for c in self.network.connections)

    def only_pinged(self, address: str, port: str) -> bool:
        """Whether pings came to the address and nothing to its port: ping connects to one that it never uses."""
        pinged = (address, "0") in self._reached  # a run of pings has port 0
        return pinged and (address, port) not in self._reached

    @cached_property
    def leads(self) -> dict[str, str]:
        """Each address that a decoy handed out and that was followed -> the host that was asked for it. No other box
        of a scan, and no other scan, has the same ones."""
        found: dict[str, str] = {}
        for mark in self.network.marks:
            lead, url = mark.evidence.get("lead"), mark.evidence.get("url")
            if mark.kind == "dead_drop" and isinstance(lead, str) and lead and isinstance(url, str):
                found[lead] = _host_of(url)
        return found

    @cached_property
    def registry_hosts(self) -> frozenset[str]:
        """Hosts of which every request was passed on to a registry: those that an index sends its clients to
        have addresses like any other."""
        asked: dict[str, bool] = {}
        for request in self.network.requests:
            host = host_asked(request)
            asked[host] = asked.get(host, True) and request.registry
        strange = {c.name for c in self.network.connections if c.kind not in KNOWN_SPEECH}
        return frozenset(host for host, only in asked.items() if only and host not in strange)

    @cached_property
    def asked_of(self) -> dict[str, list[Request]]:
        """Host -> the requests that it got."""
        found: dict[str, list[Request]] = {}
        for request in self.network.requests:
            found.setdefault(host_asked(request), []).append(request)
        return found

    @cached_property
    def fetched_anything(self) -> bool:
        """Whether something was asked of a host that is no registry."""
        return any(not request.registry for request in self.network.requests)

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

    @cached_property
    def changed(self) -> frozenset[str]:
        """Paths that the run wrote, moved or made."""
        return frozenset(f.path for f in self.observation.files)

    @cached_property
    def _running(self) -> dict[str, list[Process]]:
        """Path -> the processes that ran the file, by their command lines."""
        found: dict[str, list[Process]] = {}
        for process in self.processes.values():
            for path in files_run(process, shells=False):
                found.setdefault(path, []).append(process)
        return found

    def runs_itself(self, change: FileChange) -> bool:
        """Whether the process that changed a file, or one above it, runs that very file. A shell does what its line
        says: that it names the file counts for what the shell itself changed, not for what its children did."""
        runners = {process.key for process in self._running.get(change.path, ())}
        if any(process.key in runners for process in self.ancestors(change.process)):
            return True
        own = self.processes.get(change.process)
        return own is not None and change.path in files_run(own, shells=True)

    def ran_before_only(self, change: FileChange) -> bool:
        """Whether the file had been run before it was changed, and was never run after that."""
        starts = [process.started_ns for process in self._running.get(change.path, ())]
        return bool(starts) and max(starts) < change.time_ns

    def process_at(self, pid: int, time_ns: int) -> Process | None:
        """The process that had this pid (the host's) at this time (model.processes)."""
        return self._pids.process_at(pid, time_ns)

    def first_of(self, run: CommandRun) -> Process | None:
        """The process that a command was started as (model.processes)."""
        return self._pids.first_of(run)

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

    @cached_property
    def _children(self) -> dict[int | None, list[Process]]:
        found: dict[int | None, list[Process]] = {}
        for process in self.processes.values():
            found.setdefault(process.parent, []).append(process)
        return found

    def children(self, key: int) -> Sequence[Process]:
        """The processes that a process gave birth to."""
        return self._children.get(key, ())

    def line(self, key: int | None) -> frozenset[int] | None:
        """The keys of the process and of all those above it; None where they are not all known."""
        found: set[int] = set()
        while key is not None and key in self.processes and key not in found:
            if len(found) >= MAX_LINE:
                return None
            found.add(key)
            key = self.processes[key].parent
        return frozenset(found) or None

    def above(self, keys: Iterable[int]) -> frozenset[int]:
        """These processes and all those above them, each visited once."""
        found: set[int] = set()
        for start in keys:
            key: int | None = start
            while key is not None and key in self.processes and key not in found:
                found.add(key)
                key = self.processes[key].parent
        return frozenset(found)

    def root_of(self, key: int | None) -> int | None:
        """The process below a command's first one that this process descends from, or the first one itself."""
        below: dict[int, None] = {}
        while key is not None and key in self.processes and key not in self._roots and key not in below:
            below[key] = None
            above = self.processes[key].parent
            if key in self.firsts or above in self.firsts or above not in self.processes:
                self._roots[key] = key
                break
            key = above
        root = self._roots.get(key) if key is not None else None
        if root is not None:
            self._roots.update(dict.fromkeys(below, root))
        return root

    def chain(self, key: int | None) -> list[dict[str, Any]]:
        """The way from the first process to this one, as evidence data."""
        return [
            {"pid": p.vpid, "name": p.name, "cmdline": p.cmdline[:500], "exepath": p.exepath}
            for p in reversed(self.ancestors(key))
        ]
