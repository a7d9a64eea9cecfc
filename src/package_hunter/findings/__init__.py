"""Judge: what was seen becomes findings, findings a verdict.

The story is `judge`: alerts, the gateway's records and the sensor's own become signals; signals that others
make milder are softened; combinations of them are found; all are put together into findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from package_hunter.findings import from_alerts, from_host, from_network, left_running
from package_hunter.findings.context import Blamer, Context
from package_hunter.findings.correlate import correlate
from package_hunter.findings.group import ExplainRule, group
from package_hunter.findings.lower import soften
from package_hunter.findings.ties import tied
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Canary, NetworkLog, Observation
from package_hunter.model.scan import CommandRun, Coverage, Leftovers, Package

__all__ = ["judge"]


def judge(
    observation: Observation,
    network: NetworkLog,
    canaries: Sequence[Canary] = (),
    packages: Sequence[Package] = (),
    coverage: Coverage | None = None,
    blamer: Blamer | None = None,
    *,
    host_facts: Iterable[str] = (),
    explain_rule: ExplainRule | None = None,
    runs: Sequence[CommandRun] = (),
    left: Leftovers | None = None,
    scriptless: frozenset[str] | None = None,
) -> tuple[Finding, ...]:
    """Everything that was seen, as findings, gravest first.

    ``blamer`` maps a process's key to who is to blame, for what carries no blame yet. ``host_facts`` are
    strings that tell this box from others (host name, project path) and have no business outside.
    ``explain_rule`` gives a rule's condition in English. ``runs`` are the commands that were run, ``left``
    what of them still ran at the end. ``scriptless`` are the packages (purls) whose manifest had lost its scripts
    at the end, None where nobody looked.
    """
    context = Context(
        observation, network, canaries, packages, coverage or Coverage(), blamer, runs, left, scriptless
    )
    seen = [
        *from_alerts.signals(context),
        *from_network.signals(context, tuple(host_facts)),
        *from_host.signals(context),
        *left_running.signals(context),
    ]
    seen.sort(key=lambda s: s.time_ns)
    seen = list(tied(seen, context))
    failed = frozenset(r.command.blame_purl for r in runs if r.command.blame_purl and r.exit_code)
    signals = list(soften(seen, from_network.hosts_asked(network), failed))
    return group([*signals, *correlate(signals)], context, explain_rule)
