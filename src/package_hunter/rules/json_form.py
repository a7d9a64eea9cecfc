"""An alert as Falco prints it with `json_output` (compared with a real Falco's in the conformance tests)."""

from __future__ import annotations

from typing import Any

from package_hunter.model.observation import Alert
from package_hunter.model.times import rfc3339


def falco_json(alert: Alert, hostname: str = "") -> dict[str, Any]:
    """The JSON object, keys in Falco's order."""
    return {
        "hostname": hostname,
        "output": alert.output,
        "output_fields": dict(alert.output_fields),
        "priority": alert.priority,
        "rule": alert.rule,
        "source": alert.source,
        "tags": list(alert.tags),
        "time": rfc3339(alert.time_ns),
    }
