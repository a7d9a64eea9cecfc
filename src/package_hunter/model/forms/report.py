"""The whole report's JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetPydanticSchema,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from package_hunter.model.depth import DepthName
from package_hunter.model.forms.judged import AlertForm, Findings, ShownForm
from package_hunter.model.forms.kinds import As, Counts, Many, Number, Text, Time, form, one_of
from package_hunter.model.forms.network import NetworkForm
from package_hunter.model.forms.observed import CanariesSeen, Files, Processes
from package_hunter.model.forms.scan import Covered, Packages, TargetForm, Targets
from package_hunter.model.plain import clean
from package_hunter.model.report import SCHEMA_VERSION, KeptFile, Report
from package_hunter.model.scan import Decision, ScanStatus, Target, Verdict
from package_hunter.model.shown import shown
from package_hunter.model.text import all_well_formed

# a cancelled scan has no report
_STATUSES = [status for status in ScanStatus if status is not ScanStatus.CANCELLED]


@form
class ChangedForm:
    """A package with another version than before."""

    package: Text
    old: Text | None
    new: Text | None


@form
class BaselineForm:
    """What is new against an earlier report."""

    id: Text
    finished: Time
    new_findings: Annotated[list[Text], Field(description="Their fingerprints.")]
    new_hosts: list[Text]
    new_programs: list[Text]
    new_files: list[Text]
    changed_packages: list[ChangedForm]


def _as_it_stands(data: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """A baseline is a JSON value in the model, too: what is read is checked and kept with all its keys."""
    check(data)
    return all_well_formed(data)


Baseline = Annotated[
    Mapping[str, Any] | None,
    GetPydanticSchema(lambda _, handler: handler.generate_schema(BaselineForm | None)),
    WrapValidator(_as_it_stands),
    PlainSerializer(clean),
    Field(description="Behaviour that an earlier report had not, where one was given to compare with."),
]


@dataclass(slots=True, kw_only=True)
class FilesForm:
    """Files that were changed, those that are gone apart."""

    written: Files
    deleted: Files


@form
class KeptForm:
    """A file of the scan that the server keeps."""

    kind: Annotated[Text, one_of("recording", "dropped")]
    sha256: Text
    size: Number
    name: Annotated[Text, Field(description="The recording's, or the dropped file's path in the box.")]


@dataclass(slots=True, kw_only=True)
class ReportForm:
    """The report."""

    schema_version: Annotated[Literal["1"], WithJsonSchema({"const": SCHEMA_VERSION})]
    id: Annotated[Text, WithJsonSchema({"type": "string", "minLength": 1})]
    target: Annotated[Target, As(TargetForm)]
    targets: Annotated[
        Targets,
        Field(
            description="One for each ecosystem of the project; target is the first.",
            json_schema_extra={"minItems": 1},
        ),
    ] = ()
    started: Time
    finished: Time
    status: Annotated[ScanStatus, one_of(*_STATUSES)]
    error: Annotated[Text | None, Field(description="Why a failed scan failed.")] = None
    verdict: Annotated[Verdict, one_of(*Verdict)]
    decision: Annotated[Decision, one_of(*Decision)]
    explanation: Annotated[Many[Text], Field(description="Why the verdict is what it is, in sentences.")] = ()
    notices: Annotated[Many[Text], Field(description="For example an expired waiver.")] = ()
    baseline: Baseline = None
    coverage: Covered
    packages: Packages
    alerts: Many[AlertForm]
    findings: Findings
    shown: Annotated[
        Many[ShownForm],
        Field(description="The findings as people see them: those of one act as one, gravest first."),
    ] = ()
    network: NetworkForm
    canaries: CanariesSeen
    processes: Processes
    files: FilesForm
    cut: Annotated[Counts, Field(description="What limits left out of this report, by kind.")] = field(
        default_factory=dict
    )
    hostname: Text = ""
    depth: Annotated[
        DepthName | None,
        WithJsonSchema(
            {
                "enum": [str(name) for name in DepthName],
                "description": "How far the scan looked; not there: a recording, or a report of an earlier release.",
            }
        ),
    ] = None  # the key is left out where there is none
    known_from: Annotated[
        Text | None,
        WithJsonSchema(
            {
                "type": "string",
                "description": "Nothing was run: the result is that of this earlier scan, of the same files and "
                "dependencies.",
            }
        ),
    ] = None  # the key is left out where there is none

    kept: Annotated[
        Many[Annotated[KeptFile, As(KeptForm)]],
        Field(
            description="What the server keeps of the scan beside this report, by digest: recordings, and files that "
            "packages left in the box (hostile)."
        ),
    ] = ()  # the key is left out where there is none

    @classmethod
    def of(cls, r: Report) -> ReportForm:
        """The form of a report."""
        return cls(
            schema_version=SCHEMA_VERSION,
            id=r.id,
            target=r.target,
            targets=r.targets or (r.target,),
            started=r.started,
            finished=r.finished,
            status=r.status,
            error=r.error,
            verdict=r.verdict,
            decision=r.decision,
            explanation=r.explanation,
            notices=r.notices,
            baseline=r.baseline,
            coverage=r.coverage,
            packages=r.packages,
            alerts=tuple(AlertForm.of(a, r.hostname) for a in r.alerts),
            findings=r.findings,
            shown=tuple(ShownForm.of(one) for one in shown(r.findings)),
            network=NetworkForm.of(r.network),
            canaries=r.canaries,
            processes=r.processes,
            files=FilesForm(
                written=tuple(f for f in r.files if f.action != "deleted"),
                deleted=tuple(f for f in r.files if f.action == "deleted"),
            ),
            cut=dict(r.cut),
            hostname=r.hostname,
            depth=r.depth,
            known_from=r.known_from,
            kept=r.kept,
        )

    def value(self) -> Report:
        """The report."""
        return Report(
            id=self.id,
            target=self.target,
            targets=self.targets or (self.target,),
            started=self.started,
            finished=self.finished,
            status=self.status,
            verdict=self.verdict,
            decision=self.decision,
            coverage=self.coverage,
            packages=self.packages,
            alerts=tuple(a.value() for a in self.alerts),
            findings=self.findings,
            network=self.network.value(self.canaries.sent),
            canaries=self.canaries,
            processes=self.processes,
            files=(*self.files.written, *self.files.deleted),
            explanation=self.explanation,
            notices=self.notices,
            baseline=self.baseline,
            cut=self.cut,
            hostname=self.hostname,
            depth=self.depth,
            error=self.error,
            known_from=self.known_from,
            kept=self.kept,
        )
