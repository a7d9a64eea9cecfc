"""policy.json: what the verdict was judged by beside the findings, so that it can be judged again without a server.

Two forms. ``file``: the user's policy file and the scanned project's own, as texts. ``server``: the documents of all
scopes, what people decided about the findings, since when each is known, and what the project's own file said.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from package_hunter.bundle.errors import BadBundleError
from package_hunter.errors import UsageError
from package_hunter.governance.document import digest_of, policy_of
from package_hunter.model import wire
from package_hunter.model.report import Report
from package_hunter.policy.decide import DEFAULT
from package_hunter.policy.facts import Facts
from package_hunter.policy.layers import Effective, Layer
from package_hunter.policy.load import parse_policy
from package_hunter.policy.model import Policy
from package_hunter.policy.rejudge import rejudge
from package_hunter.policy.verdict import explanation
from package_hunter.triage.behaviour import Behaviour
from package_hunter.triage.decide import Held, Inputs, Seen

_MAX_DAYS = 100_000  # ages of findings are told in days


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    day: str


class FilePolicy(_Form):
    """``policy`` None: the default. ``own``: the scanned project's own file, where it had a say."""

    form: Literal["file"] = "file"
    policy: str | None = None
    own: str | None = None

    def judge(self, report: Report) -> Report:
        """The report with verdict, decision and waivers."""
        policy = DEFAULT if self.policy is None else parse_policy(self.policy, "the bundle's policy")
        return rejudge(report, policy, self.own, _day(self.day))


class ScopePolicy(BaseModel):
    """A scope's document and its digest; ``narrow``: of less than all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scope: str
    narrow: bool
    digest: str
    document: dict[str, Any]

    def layer(self) -> Layer:
        """As it is judged by; BadBundleError where the digest is that of another document."""
        if digest_of(self.document) != self.digest:
            raise BadBundleError(f"The policy of {self.scope[:200]} is not the one that its digest names.")
        policy = policy_of(self.document, f"the policy of {self.scope[:200]}", narrow=self.narrow)
        return Layer(self.scope, policy, self.digest)


class ServerPolicy(_Form):
    """``held`` are states by fingerprint (`triage.decide.Held`), ``days`` the ages of findings in days, ``own`` a
    `Policy`, both as `model.wire` writes them."""

    form: Literal["server"] = "server"
    scopes: list[ScopePolicy] = Field(min_length=1)
    held: dict[str, Any] = Field(default_factory=dict)
    days: dict[str, Annotated[int, Field(ge=0, le=_MAX_DAYS)]] = Field(default_factory=dict)
    own: Any = None

    def judge(self, report: Report) -> Report:
        """The report with verdict, decision, and what silences findings."""
        packages = {p.purl: p for p in report.packages}
        found = tuple(
            Seen(Facts.of(f, packages, self.days.get(f.fingerprint, 0)), Behaviour.of(f))
            for f in report.findings
        )
        made = Inputs(
            found,
            Effective(tuple(scope.layer() for scope in self.scopes)),
            {mark: _of(Held, said) for mark, said in self.held.items()},
            bool(report.coverage.reasons or report.coverage.dropped),
            _day(self.day),
            None if self.own is None else _of(Policy, self.own),
        ).result()
        findings = tuple(
            replace(finding, waived=outcome.silenced)
            for finding, outcome in zip(report.findings, made.outcomes, strict=True)
        )
        return replace(
            report,
            findings=findings,
            verdict=made.verdict,
            decision=made.decision,
            explanation=explanation(findings, report.coverage),
        )


AnyPolicy = FilePolicy | ServerPolicy
_READER: TypeAdapter[AnyPolicy] = TypeAdapter(Annotated[AnyPolicy, Field(discriminator="form")])


def read(data: bytes) -> AnyPolicy:
    """What `written` wrote; BadBundleError."""
    try:
        return _READER.validate_json(data)
    except (ValidationError, RecursionError):
        raise BadBundleError("The bundle's policy.json is none.") from None


def written(policy: AnyPolicy) -> bytes:
    """As the bundle has it."""
    return json.dumps(policy.model_dump(), indent=1, sort_keys=True).encode()


def judged(report: Report, policy: AnyPolicy) -> Report:
    """The report judged as though nobody had done it yet. BadBundleError: the policy cannot be used."""
    bare = replace(report, findings=tuple(replace(f, waived=None) for f in report.findings))
    try:
        return policy.judge(bare)
    except UsageError as error:
        raise BadBundleError(f"The bundle's policy cannot be used: {error.message}") from None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server judges a scan by: scope, document and whether it is narrow, of each layer; `Inputs`."""

    scopes: Sequence[tuple[str, Mapping[str, Any], bool]]
    inputs: Inputs

    def policy(self) -> ServerPolicy:
        """As the bundle has it."""
        inputs = self.inputs
        return ServerPolicy(
            day=inputs.day.isoformat(),
            scopes=[
                ScopePolicy(scope=scope, narrow=narrow, digest=digest_of(said), document=_dates_as_text(said))
                for scope, said, narrow in self.scopes
            ],
            held={mark: wire.plain(Held, held) for mark, held in inputs.held.items()},
            days={seen.facts.fingerprint: seen.facts.days for seen in inputs.found},
            own=None if inputs.own is None else wire.plain(Policy, inputs.own),
        )


def _dates_as_text(document: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return made


def _of(kind: Any, said: Any) -> Any:
    try:
        return wire.from_bytes(kind, json.dumps([said]).encode())
    except ValueError:
        raise BadBundleError("The bundle's policy.json holds a state that is none.") from None


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadBundleError(f"The bundle's policy.json names {text[:40]!r}, which is no day.") from None
