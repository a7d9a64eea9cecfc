"""What the components are drawn from: one look over a report, shared by all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from package_hunter.model.observation import Alert, Blame, Connection, FileChange, Process, Request
from package_hunter.model.processes import Pids
from package_hunter.model.report import Report
from package_hunter.report import traffic, words
from package_hunter.report.evidence import attack, files, network, secrets, timeline, tree
from package_hunter.report.evidence.marks import Mark, Marks
from package_hunter.report.indicators import indicators


@dataclass(frozen=True, slots=True)
class Interval:
    """A phase in a box: when it began and ended, ns since the epoch."""

    name: str
    world: str
    begin: int
    end: int
    status: str


@dataclass
class Exhibits:
    """A report with the look-ups that components need; each component is a property, made when it is asked for."""

    report: Report
    _marks: Marks | None = field(default=None, repr=False)

    @cached_property
    def pids(self) -> Pids:
        """Processes by pid and time."""
        return Pids(self.report.processes)

    def process_of(self, blame: Blame | None, time_ns: int) -> int | None:
        """The key of the process that a record blames."""
        if blame is None or not blame.pid:
            return None
        found = self.pids.process_at(blame.pid, time_ns)
        return None if found is None else found.key

    def process_of_alert(self, alert: Alert) -> int | None:
        """Likewise; read back from JSON, an alert has its process's number in its blame alone."""
        found = self.pids.process_at(alert.pid, alert.time_ns) if alert.pid else None
        return self.process_of(alert.blame, alert.time_ns) if found is None else found.key

    @cached_property
    def contacts(self) -> list[Connection]:
        """Connections that count: without the package manager's own."""
        return list(traffic.contacts(self.report))

    @cached_property
    def requests(self) -> list[Request]:
        """Requests that were not the registry's."""
        return list(traffic.requests(self.report))

    @cached_property
    def marks(self) -> Marks:
        """What is known of single processes."""
        return Marks.of(self)

    def marks_of(self, key: int) -> list[Mark]:
        """Those of one process."""
        return self.marks.by_process.get(key, [])

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Canary id -> what it is, for people."""
        return {c.id: c.kind.replace("-", " ") for c in self.report.canaries.placed}

    @cached_property
    def files_of(self) -> dict[int, list[FileChange]]:
        """Process -> files that it changed, outside of where package managers unpack."""
        found: dict[int, list[FileChange]] = defaultdict(list)
        for change in files.worth_showing(self.report):
            found[change.process].append(change)
        return found

    @cached_property
    def phases(self) -> list[Interval]:
        """Phases whose times are known, in their order."""
        known = [
            Interval(p.name, p.world, p.started_ns, p.started_ns + int(p.seconds * 1e9), p.status)
            for p in self.report.coverage.phases
            if p.started_ns is not None
        ]
        return sorted(known, key=lambda one: one.begin)

    def phase_at(self, process: Process) -> str:
        """The phase in which it was started, "" where that is not known."""
        for one in self.phases:
            if one.begin - 500_000_000 <= process.started_ns <= one.end + 500_000_000:
                return one.name
        return ""

    def world_at(self, process: Process) -> str:
        """``, world NAME`` of the box that began with this process; "" where that is not known."""
        first = next((one for one in self.phases if one.begin >= process.started_ns), None)
        return "" if first is None else f", world {first.world}"

    @cached_property
    def tree(self) -> tree.Tree:
        """Processes."""
        return tree.grown(self)

    @cached_property
    def timeline(self) -> timeline.Timeline:
        """All on one axis."""
        return timeline.drawn(self)

    @cached_property
    def network(self) -> network.Network:
        """Who talked to whom."""
        return network.mapped(self)

    @cached_property
    def files(self) -> files.Files:
        """Files that were changed."""
        return files.listed(self)

    @cached_property
    def secrets(self) -> secrets.Secrets:
        """Canaries and their way out."""
        return secrets.followed(self)

    @cached_property
    def attack(self) -> list[tuple[str, list[attack.Technique]]]:
        """ATT&CK techniques."""
        return attack.techniques(self.report)

    @cached_property
    def indicators(self) -> list[tuple[str, list[str]]]:
        """By type, in the order in which they were seen."""
        found: dict[str, list[str]] = defaultdict(list)
        for kind, value in indicators(self.report):
            found[kind].append(value)
        return list(found.items())

    def who(self, blame: Blame | None) -> str:
        """A package or the project, for people."""
        return words.who(blame)
