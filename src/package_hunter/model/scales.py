"""Orders of severities and priorities: each stands here once.

Severities are ours (and GitLab's), priorities Falco's, as it prints them.
"""

from __future__ import annotations

SEVERITIES = ("info", "low", "medium", "high", "critical")  # mild to grave
PRIORITIES = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")


def severity_rank(severity: str) -> int:
    """0 for ``info`` to 4 for ``critical``; ValueError for anything else."""
    return SEVERITIES.index(severity)


def priority_named(text: str) -> str | None:
    """The priority that a rule file or an alert means, in any case; ``info`` is Falco's short form."""
    low = text.lower()
    return next((p for p in PRIORITIES if p.lower() == low or (low == "info" and p == "Informational")), None)
