"""What `package-hunter verify` prints: what came of checking a bundle, as text and as JSON."""

from __future__ import annotations

from typing import Any

from package_hunter.bundle import Verified
from package_hunter.bundle.checked import How, by_how
from package_hunter.bundle.findings import Source as From
from package_hunter.cli.console import harmless
from package_hunter.model.text import shortened

_SOURCES = {
    From.RECORDING: "from the recording and the rules",
    From.GATEWAY: "from them and what the gateway wrote down, which is attested",
    From.ATTESTED: "attested by the report alone",
}
_MAX_SHOWN = 50


def as_json(found: Verified) -> dict[str, Any]:
    """What came of it, as JSON values."""
    said = found.statement.predicate
    return {
        "holds": found.exit_code == 0,
        "key": found.key,
        "scan": said.scan,
        "subject": [one.model_dump() for one in found.statement.subject],
        "verdict": found.verdict,
        "decision": found.decision,
        "again": {"verdict": found.again_verdict, "decision": found.again_decision},
        "alerts": {"again": found.alerts, "attested": found.attested_alerts},
        "findings": [
            {
                "fingerprint": one.finding.fingerprint,
                "kind": one.finding.kind,
                "title": one.finding.title,
                "from": one.source,
                "why": one.why,
            }
            for one in found.origins
        ],
        "checked": by_how(found.checked),
        "differences": list(found.differences),
        "unknown": list(found.unknown),
        "notes": list(found.notes),
    }


def as_text(found: Verified, any_key: bool) -> list[str]:
    """What came of it, in lines; the answer first."""
    target = found.statement.predicate.scan.get("target", "")
    answers = {
        0: f"The same again: {target} is {found.again_verdict}, decision {found.again_decision}.",
        1: f"Not the same: {found.verdict} and {found.decision} are attested, "
        f"{found.again_verdict} and {found.again_decision} come of it again.",
        4: f"The same as far as it could be judged again: {found.verdict}, decision {found.decision}.",
    }
    lines = [answers[found.exit_code]]
    lines += [f"  differs: {line}" for line in found.differences[:_MAX_SHOWN]]
    if len(found.differences) > _MAX_SHOWN:
        lines.append(f"  and {len(found.differences) - _MAX_SHOWN} more differences")
    lines += [f"  not known: {line}" for line in found.unknown]
    whose = "by whoever has this key" if any_key else "by a key that is trusted here"
    lines.append(f"Signed {whose}: {found.key}")
    lines += [
        f"  {one.name}: " + ", ".join(f"{k} {v}" for k, v in sorted(one.digest.items()))
        for one in found.statement.subject[:5]
    ]
    lines.append(
        f"{found.alerts} alerts came of the recording again; {found.attested_alerts} more are attested alone."
    )
    for source, words in _SOURCES.items():
        those = [one for one in found.origins if one.source is source]
        if those:
            lines.append(f"{len(those)} finding{'s' if len(those) > 1 else ''} {words}:")
        for one in those[:_MAX_SHOWN]:
            why = f" ({one.why})" if one.why else ""
            lines.append(f"  {one.finding.severity:8} {shortened(one.finding.title)}{why}")
        if len(those) > _MAX_SHOWN:
            lines.append(f"  and {len(those) - _MAX_SHOWN} more")
    kept, alone = (by_how(found.checked)[how.value] for how in (How.KEPT, How.SIGNED))
    if kept:
        lines.append(
            f"Not checked by the replay, the same in the recording, which is signed too: {'; '.join(kept)}."
        )
    if alone:
        lines.append(f"Not checked by the replay, bound by the signature only: {'; '.join(alone)}.")
    return [*lines, *found.notes]


def harmless_lines(lines: list[str]) -> str:
    """Lines for a terminal, whatever a box put into them."""
    return "\n".join(harmless(line) for line in lines)
