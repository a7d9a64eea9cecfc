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

KINDS = (
    *("exfiltration", "registry_publish", "registry_account", "integrity_mismatch", "other"),
    *("reverse_shell_command", "staged_payload", "registry_channel", "remote_code_execution", "mining"),
    *("reverse_shell", "credential_access", "credential_use", "persistence", "git_hook", "destruction"),
    *("self_cleaning", "package_tampering", "dropped_executable", "fileless_execution"),
    *("outbound_connection", "dns_channel", "host_facts_sent", "download", "shell_spawned"),
    *("write_outside", "system_change", "tampering", "evasion", "process_injection"),
    *("privilege_escalation", "container_escape", "cloud_metadata", "assistant_abuse"),
    *("repository_change", "staged_theft", "network_listener", "hang", "left_running"),
    *("gated_behaviour", "reconnaissance", "rule_match"),
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
            event_num=int(seen.get("evt.num") or 0),
            event_type=str(seen.get("evt.type") or ""),
            pid=int(seen.get("proc.pid") or 0),
            tid=int(seen.get("thread.tid") or 0),
            blame=self.blame,
        )


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


Findings = Many[Annotated[Finding, As(FindingForm)]]
