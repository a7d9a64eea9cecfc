"""What a package manager does itself while it fetches, where nothing else can run, is nobody's doing: it reads its
own settings and replaces folders, whatever name and place the manager has."""

from __future__ import annotations

import re
from dataclasses import replace

from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.observation import Blame, Observation
from package_hunter.model.processes import Pids

_GIT = ("/usr/bin/git", "/usr/lib/git-core/", "/usr/bin/ssh")


@derived
def _programs(known: tuple[Facts, ...]) -> re.Pattern[str]:
    paths = dict.fromkeys(path for one in known for path in one.fetch_programs)
    return re.compile("|".join(re.escape(path).replace(r"\*", "[0-9.]+") for path in paths))


def without_manager(seen: Observation) -> Observation:
    """The same observation without alerts and reads of secrets by the manager's interpreter in the fetch phase.

    Nor is it accused of the hosts that it, or the git that it starts, turns to: those are what the project's lock and
    manifests name, and what cannot be had is told there. What else git does stays, and so does all that was sent.
    """
    own = {p.key for p in seen.processes if _programs().fullmatch(p.exepath)}
    asking = own | {p.key for p in seen.processes if p.exepath.startswith(_GIT)}
    pids = Pids(seen.processes)

    def by_manager(blame: Blame | None, pid: int, time_ns: int, programs: set[int]) -> bool:
        if blame is None or blame.phase != "fetch":
            return False
        process = pids.process_at(pid, time_ns)
        return process is not None and process.key in programs

    return replace(
        seen,
        alerts=tuple(
            a
            for a in seen.alerts
            if not by_manager(a.blame, a.pid, a.time_ns, asking if _network(a.event_type) else own)
        ),
        canary_reads=tuple(
            r
            for r in seen.canary_reads
            if r.blame is None or r.blame.phase != "fetch" or r.process not in own
        ),
    )


def _network(event_type: str) -> bool:
    return event_type in ("connect", "sendto", "sendmsg", "sendmmsg")
