"""How each thing that a bundle says was checked; nothing that it says is in no row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class How(StrEnum):
    """How a thing was checked, weakest last."""

    REPLAYED = "replayed"  # it came of the recording again
    JUDGED = "judged"  # it followed from that by the policy again
    KEPT = "kept"  # the recording keeps the same, which is attested with it
    SIGNED = "signature"  # nothing checks it: the signature binds it


PARTS = {
    "packages": How.KEPT,
    "alerts": How.REPLAYED,
    "network": How.KEPT,
    "canaries.placed": How.KEPT,
    "canaries.read": How.REPLAYED,
    "canaries.sent": How.KEPT,
    "canaries.replaced": How.KEPT,
    "processes": How.REPLAYED,
    "files": How.REPLAYED,
    "cut": How.REPLAYED,
}
"""Of a report's sections, where the replay gives them; see `sections.compare`."""

REPORT: Mapping[str, Mapping[str, How]] = {
    "schema_version": {"schema_version": How.REPLAYED},
    **{
        key: {key: How.KEPT}
        for key in ("id", "known_from", "target", "targets", "started", "finished", "status", "error")
    },
    "verdict": {"verdict": How.JUDGED},
    "decision": {"decision": How.JUDGED},
    "explanation": {"explanation": How.JUDGED},
    "notices": {"notices": How.JUDGED},
    "baseline": {"baseline": How.KEPT},
    "coverage": {"coverage": How.KEPT},
    "findings": {"findings": How.REPLAYED, "findings.waived": How.JUDGED},
    "shown": {"shown": How.REPLAYED},
    **{key: {key: how} for key, how in PARTS.items() if "." not in key},
    "canaries": {key: how for key, how in PARTS.items() if key.startswith("canaries.")},
    "hostname": {"hostname": How.KEPT},
    "depth": {"depth": How.KEPT},
    "kept": {"kept (recordings)": How.KEPT, "kept (dropped files)": How.SIGNED},
}
"""Of each key of a report's JSON form: what of it is checked, and how."""

STATEMENT: Mapping[str, How] = {
    "scan": How.KEPT,
    "program": How.SIGNED,
    "verdict": How.JUDGED,
    "decision": How.JUDGED,
    "day": How.KEPT,
    "report": How.KEPT,
    "policy": How.KEPT,
    "rules": How.KEPT,
    "recordings": How.KEPT,
    "image": How.KEPT,
}
"""Of each key of the predicate that is signed. Beside it there is the subject, which is worked out of the report."""

POLICY: Mapping[str, Mapping[str, str]] = {
    "file": {"policy": "the policy file", "own": "the project's own policy file"},
    "server": {
        "scopes": "the policies of all scopes",
        "held": "what people decided about findings",
        "days": "since when findings are known",
        "own": "what the project's own policy file said",
    },
}
"""What of policy.json nothing checks, by its form."""


def by_how(checked: Mapping[str, How]) -> dict[str, list[str]]:
    """Names of what was checked in each way."""
    return {how.value: sorted(name for name, one in checked.items() if one is how) for how in How}


def weakened(names: Iterable[str]) -> dict[str, How]:
    """These, as what nothing checks."""
    return dict.fromkeys(names, How.SIGNED)
