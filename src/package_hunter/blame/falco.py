"""Blame where Falco was the engine: what its alerts say of processes, and no more surety than that allows."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.blame.blamer import Blamer
from package_hunter.model import owners
from package_hunter.model.observation import Blame, NetworkLog, Process

_SAID = " Falco named the processes."


class FalcoBlamer(Blamer):
    """As Blamer, but never certain: an alert names its ancestors as they were then, not those at birth."""

    def blame(self, key: int | None, time_ns: int, pid: int | None = None) -> Blame | None:
        """See Blamer. What descends from no command of ours is blamed on the package in whose folder it worked."""
        found = super().blame(key, time_ns, pid)
        process = self._descent.processes.get(key) if key is not None else None
        if process is None and pid is not None:
            process = self._descent.process_at(pid, time_ns)
        if found is None or process is None:
            return found
        if self._descent.run_of(process) is None:
            return self._by_folder(found, process)
        confidence = "likely" if found.confidence == "certain" else found.confidence
        return replace(found, basis=found.basis + _SAID, confidence=confidence)

    def _by_folder(self, found: Blame, process: Process) -> Blame:
        having = self._changes.owners_of(process.cwd)
        if not having:
            return found
        if len(having) > 1:  # one of them: which, a folder does not say
            basis = f"It worked in {process.cwd}, which {owners.names(having)} share.{_SAID}"
            return replace(found, package=None, path=(), script=None, basis=basis, confidence="tree")
        basis = f"It worked in the package's folder {process.cwd}.{_SAID}"
        purl = having[0].purl
        path = self._chain(purl)
        return replace(found, package=purl, path=path, script=None, basis=basis, confidence="likely")


def blame_by_time(log: NetworkLog, blamer: Blamer) -> NetworkLog:
    """The same log; what is on nobody's account goes to the command that ran then."""
    return replace(
        log,
        dns=tuple(replace(r, blame=r.blame or blamer.blame(None, r.time_ns)) for r in log.dns),
        connections=tuple(
            replace(r, blame=r.blame or blamer.blame(None, r.time_ns)) for r in log.connections
        ),
        requests=tuple(replace(r, blame=r.blame or blamer.blame(None, r.time_ns)) for r in log.requests),
        hits=tuple(replace(r, blame=r.blame or blamer.blame(None, r.time_ns)) for r in log.hits),
        marks=tuple(replace(r, blame=r.blame or blamer.blame(None, r.time_ns)) for r in log.marks),
    )
