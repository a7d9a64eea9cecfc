"""The JSON form of a report, written and read (model/forms/ holds its types).

The form is a contract (docs/report.md, report/schema/report-v1.json): keys may be added within a schema version, never
taken away or given another meaning. Times are ns since the epoch in the model, RFC 3339 in UTC with nanoseconds there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from package_hunter.model.finding import Finding
from package_hunter.model.forms.judged import AlertForm, FalcoForm, FindingForm
from package_hunter.model.forms.kinds import As
from package_hunter.model.forms.report import ReportForm
from package_hunter.model.observation import Alert
from package_hunter.model.report import SCHEMA_VERSION, Report
from package_hunter.model.text import well_formed

Json = dict[str, Any]
_MAX_SENTENCE = 300


@cache
def _form(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _written(kind: Any, value: object) -> Json:
    made: Json = _form(kind).dump_python(value, mode="json", by_alias=True)
    return made


def to_json(report: Report) -> Json:
    """The JSON form, schema version 1."""
    data = _written(ReportForm, ReportForm.of(report))
    for key in ("known_from", "depth", "kept"):
        if not data[key]:
            del data[key]
    for phase in data["coverage"]["phases"]:
        if phase["started"] is None:
            del phase["started"]
    if not report.coverage.failed:
        del data["coverage"]["failed"]
    if not any(finding.subjects for finding in report.findings):
        del data["shown"]  # each finding stands for itself: as in reports of before
    data["findings"] = [_without_empty(finding) for finding in data["findings"]]
    return data


def _without_empty(finding: Json) -> Json:
    return {key: value for key, value in finding.items() if key not in ("form", "subjects") or value}


def from_json(data: Mapping[str, Any]) -> Report:
    """The report that a JSON form holds; ValueError with a sentence where it is not one.

    What the JSON form leaves out comes back empty: canaries' values, sockets' local ports, event numbers.
    """
    if not isinstance(data, Mapping) or data.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"not a report of schema version {SCHEMA_VERSION}")
    try:
        form: ReportForm = _form(ReportForm).validate_python(data)
        return form.value()
    except ValidationError as error:
        raise ValueError(f"not a whole report: {_first(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = well_formed(f"{type(error).__name__} {error}")[:_MAX_SENTENCE]
        raise ValueError(f"not a whole report: {told}") from error


def _first(error: ValidationError) -> str:
    """Where it is wrong first, and how."""
    told = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, told["loc"]))
    return well_formed(f"{where}: {told['msg']}")[:_MAX_SENTENCE]


def finding_json(finding: Finding) -> Json:
    """One finding, as in a report."""
    return _without_empty(_written(Annotated[Finding, As(FindingForm)], finding))


def finding_value(data: object) -> Finding:
    """The finding that such a form holds; ValueError with a sentence where it is none."""
    try:
        found: Finding = _form(Annotated[Finding, As(FindingForm)]).validate_python(data)
    except ValidationError as error:
        raise ValueError(f"not a finding: {_first(error)}") from error
    return found


def alert_json(alert: Alert, hostname: str = "") -> Json:
    """An alert as in a report: Falco's form and blame."""
    return _written(AlertForm, AlertForm.of(alert, hostname))


def falco_json(alert: Alert, hostname: str = "") -> Json:
    """An alert as Falco prints it with ``json_output``, keys in Falco's order (compared with a real Falco's in the
    conformance tests)."""
    return _written(FalcoForm, AlertForm.of(alert, hostname))
