"""What rules and judges said: alerts in Falco's form, findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, WithJsonSchema

from package_hunter.model.finding import Evidence, Finding
from package_hunter.model.forms.kinds import As, Facts, Many, Number, Text, Time, form, like, one_of
from package_hunter.model.forms.observed import Blamed
from package_hunter.model.observation import Alert
from package_hunter.model.scales import PRIORITIES, SEVERITIES
from package_hunter.model.shown import Shown

KINDS = (
    *("exfiltration", "registry_publish", "registry_account", "integrity_mismatch", "other"),
    *("reverse_shell_command", "staged_payload", "registry_channel", "remote_code_execution", "mining"),
    *("reverse_shell", "credential_access", "credential_use", "persistence", "git_hook", "destruction"),
    *("self_cleaning", "package_tampering", "dropped_executable", "fileless_execution", "foreign_runtime"),
    *("outbound_connection", "dns_channel", "host_facts_sent", "download", "shell_spawned"),
    *("write_outside", "system_change", "tampering", "evasion", "process_injection"),
    *("privilege_escalation", "container_escape", "cloud_metadata", "assistant_abuse"),
    *("repository_change", "staged_theft", "network_listener", "hang", "left_running"),
    *("gated_behaviour", "reconnaissance", "rule_match", "dead_drop", "likely_exfiltration"),
)  # of findings, as the contract names them


@dataclass(slots=True, kw_only=True)
class FalcoForm:
    """An alert as Falco prints it with ``json_output``, keys in Falco's order."""

    hostname: Text
    output: Text
    output_fields: Facts
    priority: Annotated[Text, one_of(*PRIORITIES)]
    rule: Text
    source: Text
    tags: Many[Text]
    time: Time


@dataclass(slots=True, kw_only=True)
class AlertForm(FalcoForm):
    """The same with blame."""

    blame: Blamed | None

    @classmethod
    def of(cls, a: Alert, hostname: str) -> AlertForm:
        """The form of an alert on a host."""
        return cls(
            hostname=hostname,
            output=a.output,
            output_fields=dict(a.output_fields),
            priority=a.priority,
            rule=a.rule,
            source=a.source,
            tags=a.tags,
            time=a.time_ns,
            blame=a.blame,
        )

    def value(self) -> Alert:
        """The alert; what its fields do not tell (number and type of the event, pids) comes back empty."""
        seen = self.output_fields
        return Alert(
            time_ns=self.time,
            rule=self.rule,
            priority=self.priority,
            output=self.output,
            output_fields=seen,
            tags=self.tags,
            source=self.source,
            event_num=_number(seen.get("evt.num")),
            event_type=str(seen.get("evt.type") or ""),
            pid=_number(seen.get("proc.pid")),
            tid=_number(seen.get("thread.tid")),
            blame=self.blame,
        )


def _number(value: object) -> int:
    """A field's number; 0 where it is none: a report that is read may hold anything there."""
    return value if isinstance(value, int) else 0


@form
class EvidenceForm:
    """One piece of evidence."""

    time_ns: Annotated[Time, Field(alias="time")]
    what: Text
    data: Facts


@form
class FindingForm:
    """A behaviour of a package."""

    fingerprint: Annotated[Text, like("^[0-9a-f]{32}$")]
    kind: Annotated[Text, one_of(*KINDS)]
    severity: Annotated[Text, one_of(*reversed(SEVERITIES))]
    title: Text
    count: Annotated[Number, WithJsonSchema({"type": "integer", "minimum": 1})] = 1
    proof: bool = False
    blame: Blamed | None
    evidence: Many[Annotated[Evidence, As(EvidenceForm)]]
    attack: Many[Annotated[Text, like(r"^T[0-9]{4}(\.[0-9]{3})?$")]]
    waived: Annotated[Text | None, Field(description="The waiver's reason, null where not waived.")]
    explain: Many[Text] = ()
    advice: Many[Text] = ()
    form: Annotated[Text, Field(description="Which act of its kind it is; empty for the kind's own.")] = ""
    subjects: Annotated[
        Many[Text], Field(description="Hosts, files or programs that it was done to, the first thousand.")
    ] = ()


@dataclass(slots=True, kw_only=True)
class ShownForm:
    """Findings that people see as one. ``fingerprints`` are those of the findings, ``parts`` of lesser ones that are
    included; each is waived for itself."""

    fingerprint: Annotated[Text, like("^[0-9a-f]{32}$")]
    kind: Annotated[Text, one_of(*KINDS)]
    severity: Annotated[Text, one_of(*reversed(SEVERITIES))]
    title: Text
    count: Annotated[Number, WithJsonSchema({"type": "integer", "minimum": 1})] = 1
    proof: bool = False
    waived: Text | None = None
    subjects: Many[Text] = ()
    fingerprints: Many[Annotated[Text, like("^[0-9a-f]{32}$")]]
    parts: Many[Annotated[Text, like("^[0-9a-f]{32}$")]] = ()

    @classmethod
    def of(cls, s: Shown) -> ShownForm:
        """The form of what is shown as one."""
        f = s.finding
        return cls(
            fingerprint=s.mark,
            kind=f.kind,
            severity=f.severity,
            title=f.title,
            count=f.count,
            proof=f.proof,
            waived=f.waived,
            subjects=f.subjects,
            fingerprints=tuple(m.fingerprint for m in s.members),
            parts=tuple(p.fingerprint for p in s.parts),
        )


Findings = Many[Annotated[Finding, As(FindingForm)]]
