"""What was scanned and what the scan covered: targets, packages, coverage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, WithJsonSchema
from pydantic_core import core_schema as cs

from package_hunter.model.forms.kinds import (
    As,
    Count,
    Counts,
    Hidden,
    Kind,
    Many,
    Number,
    Seconds,
    Text,
    Time,
    Via,
    form,
    like,
    one_of,
)
from package_hunter.model.plain import clean
from package_hunter.model.scan import Coverage, FailedCommand, Package, PhaseCoverage, Target
from package_hunter.model.text import all_well_formed


@form
class TargetForm:
    """What was scanned."""

    name: Text
    ecosystem: Text
    purl: Text | None
    sha256: Annotated[Text | None, WithJsonSchema({"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"})]


Scripts = Annotated[
    dict[str, str],
    Kind(
        cs.dict_schema(cs.str_schema(), cs.str_schema()),
        clean,
        all_well_formed,
        {"type": "object", "additionalProperties": {"type": "string"}},
    ),
]


@form
class PackageForm:
    """A package of the dependency tree."""

    purl: Annotated[Text, like("^pkg:")]
    name: Text = ""
    version: Text = ""
    path: Text | None
    integrity: Text | None
    chain: Many[Text] = ()
    direct: bool = False
    dev: bool = False
    optional: bool = False
    scripts: Scripts = field(default_factory=dict)
    requires: Hidden[tuple[str, ...]] = ()
    places: Hidden[tuple[str, ...]] = ()


@form
class PhaseForm:
    """How a phase went."""

    name: Text
    world: Text
    status: Annotated[Text, one_of("ok", "failed", "timeout", "skipped")]
    exit_code: Number | None
    seconds: Seconds
    ecosystem: Annotated[Text, Field(description="Set where the target has several.")] = ""
    started_ns: Annotated[
        Time | None,
        Field(alias="started", description="When it began; null where it did not, or is not known."),
    ] = None


@form
class FailedForm:
    """A command that ended with an error, and its own last words."""

    phase: Text
    command: Text
    package: Text | None
    exit_code: Annotated[Number | None, Field(description="Null where it was stopped at its deadline.")]
    reason: Annotated[Text, Field(description="What it means and what to do, in Package Hunter's words.")] = (
        ""
    )
    line: Annotated[Text, Field(description="The line of its output that tells it; untrusted.")] = ""
    output: Annotated[
        Many[Text], Field(description="The last lines of its output, 40 at most; untrusted.")
    ] = ()
    ecosystem: Text = ""
    world: Text = "default"


@dataclass(slots=True, kw_only=True)
class InstalledForm:
    """What was to be installed and run, and what was."""

    expected: Count
    installed: Count
    scripts_expected: Count
    scripts_run: Count


@dataclass(slots=True, kw_only=True)
class CoverageForm:
    """What the scan saw and what it missed."""

    events: Count
    dropped: Count
    frozen_seconds: Seconds
    filtered: Annotated[
        Counts,
        Field(
            description="Events that stayed in the kernel because no rule and no record asks for them, by type; "
            "reads of files outside of what rules speak of among them (openat). Empty where the scan was recorded."
        ),
    ] = field(default_factory=dict)
    phases: Many[Annotated[PhaseCoverage, As(PhaseForm)]]
    packages: InstalledForm
    reasons: Annotated[
        Many[Text], Field(description="What was not seen; any of them makes the scan inconclusive.")
    ]
    notes: Many[Text] = ()
    failed: Annotated[
        Many[Annotated[FailedCommand, As(FailedForm)]],
        Field(description="Commands that ended with an error, the gravest first; the first few."),
    ] = ()

    @classmethod
    def of(cls, c: Coverage) -> CoverageForm:
        """The form of a coverage."""
        packages = InstalledForm(
            expected=c.packages_expected,
            installed=c.packages_installed,
            scripts_expected=c.scripts_expected,
            scripts_run=c.scripts_run,
        )
        return cls(
            events=c.events,
            dropped=c.dropped,
            frozen_seconds=c.frozen_seconds,
            filtered=dict(c.filtered),
            phases=c.phases,
            packages=packages,
            reasons=c.reasons,
            notes=c.notes,
            failed=c.failed,
        )

    def value(self) -> Coverage:
        """The coverage."""
        return Coverage(
            events=self.events,
            dropped=self.dropped,
            frozen_seconds=self.frozen_seconds,
            phases=self.phases,
            packages_expected=self.packages.expected,
            packages_installed=self.packages.installed,
            scripts_expected=self.packages.scripts_expected,
            scripts_run=self.packages.scripts_run,
            reasons=self.reasons,
            filtered=self.filtered,
            notes=self.notes,
            failed=self.failed,
        )


Targets = Many[Annotated[Target, As(TargetForm)]]
Packages = Many[Annotated[Package, As(PackageForm)]]
Covered = Annotated[Coverage, Via(CoverageForm)]
