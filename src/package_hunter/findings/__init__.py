"""Judge: what was seen becomes findings, findings a verdict.

The story is `judge`: alerts, the gateway's records and the sensor's own become signals; signals that others
make milder are softened; combinations of them are found; all are put together into findings.
"""

from __future__ import annotations

from package_hunter.findings import (
    box_signs,
    from_alerts,
    from_host,
    from_network,
    left_running,
    odd_clothes,
    shared_starts,
    startup,
    wrappers,
)
from package_hunter.findings.context import Blamer, Context, RoundFacts
from package_hunter.findings.correlate import correlate
from package_hunter.findings.group import ExplainRule, group
from package_hunter.findings.lower import soften
from package_hunter.findings.ties import tied
from package_hunter.model.finding import Finding
from package_hunter.model.observation import NetworkLog, Observation

__all__ = ["RoundFacts", "judge", "not_compared"]


def not_compared(
    observation: Observation, network: NetworkLog, facts: RoundFacts
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of what left was not compared with the secrets that were read: reasons and notes of coverage."""
    return odd_clothes.gaps(Context(observation, network, facts, None))


def judge(
    observation: Observation,
    network: NetworkLog,
    facts: RoundFacts | None = None,
    blamer: Blamer | None = None,
    explain_rule: ExplainRule | None = None,
) -> tuple[Finding, ...]:
    """Everything that was seen, as findings, gravest first.

    ``blamer`` maps a process's key to who is to blame, for what carries no blame yet. ``explain_rule`` gives a
    rule's condition in English.
    """
    facts = facts or RoundFacts()
    context = Context(observation, network, facts, blamer)
    seen = [
        *wrappers.soften(from_alerts.signals(context), context),
        *from_network.signals(context, facts.host_facts),
        *odd_clothes.signals(context),
        *from_host.signals(context),
        *left_running.signals(context),
        *box_signs.signals(context),
    ]
    seen += startup.signals(context, seen)
    seen.sort(key=lambda s: s.time_ns)
    seen = list(tied(shared_starts.joined(seen, context), context))
    failed = frozenset(r.command.blame_purl for r in facts.runs if r.command.blame_purl and r.exit_code)
    signals = list(soften(seen, from_network.hosts_asked(network), failed))
    return group([*signals, *correlate(signals)], context, explain_rule)
