"""A report is written whatever text, number or nesting is in it: no format fails, none writes what is no UTF-8."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.text import all_well_formed, well_formed
from package_hunter.model.times import rfc3339
from package_hunter.policy import explanation
from package_hunter.report import FORMATS, text
from package_hunter.store.reports import pack
from package_hunter.store.scans import clean_text
from tests.support import judge_samples as samples
from tests.support.judge_samples import judge

SCHEMA = json.loads(
    resources.files("package_hunter.report").joinpath("schema/report-v1.json").read_text(encoding="utf-8")
)
GITLAB = json.loads((Path(__file__).parent / "schemas/gitlab-dependency-scanning-15.1.4.json").read_text())
DEFECTDOJO = json.loads((Path(__file__).parent / "schemas/defectdojo-generic-findings.json").read_text())
FINDINGS = judge(
    samples.OBSERVATION,
    samples.NETWORK,
    (samples.CANARY,),
    packages=(samples.PACKAGE,),
    coverage=samples.COVERAGE,
)
REPORT = samples.report(
    findings=FINDINGS,
    explanation=explanation(FINDINGS, samples.COVERAGE),
    notices=("A notice.",),
    error="An error.",
)
# Words that our own code chooses out of a few: no text of anybody's gets there.
OUR_OWN = {
    "attack",
    "id",
    "sha256",
    "severity",
    "kind",
    "fingerprint",
    "action",
    "status",
    "confidence",
    "priority",
    "ecosystem",
    "world",
}
anything = st.text(st.characters(exclude_categories=()), max_size=40)
values = st.recursive(
    anything | st.integers() | st.floats() | st.binary(max_size=8) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


def poisoned(value: Any, bad: str, name: str = "") -> Any:
    """The value with ``bad`` in place of every text that could come from somebody else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: poisoned(getattr(value, f.name), bad, f.name) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    if type(value) is str:
        if name in ("purl", "package"):
            return f"pkg:npm/{bad}"
        return value if name in OUR_OWN else bad
    if isinstance(value, Mapping):
        return {bad if name != "filtered" else key: poisoned(item, bad, name) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(poisoned(item, bad, name) for item in value)
    return value


def written(name: str, report: Report) -> str:
    got = (
        text.render(report, color=False, width=100, explain=True) if name == "text" else FORMATS[name](report)
    )
    got.encode("utf-8")
    return got


def check(report: Report) -> None:
    for name in FORMATS:
        got = written(name, report)
        if name in ("json", "gitlab", "sarif", "cyclonedx", "dependency-track", "defectdojo"):
            data = json.loads(got)
            if name == "json":
                jsonschema.Draft202012Validator(SCHEMA).validate(data)
                from_json(data)
                assert json.loads(zlib.decompress(pack(data))) == data
            elif name == "gitlab":
                jsonschema.Draft202012Validator(GITLAB).validate(data)
            elif name == "defectdojo":
                jsonschema.Draft202012Validator(DEFECTDOJO).validate(data)
        elif name in ("falco", "osv"):
            assert all(isinstance(json.loads(line), dict) for line in got.splitlines() if line)


def test_every_format_is_marked_as_one_that_takes_any_text() -> None:
    assert all(hasattr(render, "__wrapped__") for render in FORMATS.values())


NASTY = (
    "\ud800",
    "\udcff\udc80",
    "a\0b",
    "\u202e\u2066\u200b\ufeff",
    "\x1b[2J\x07\x9b\x85\u2028",
    "\ud83d\ude00",
    "]]>--><!--",
    "",
    " ",
    "pkg:npm/%ZZ@\ud800?x=\0#\udfff",
    "9" * 5_000,
    "[" * 5_000,
    "https://[::1\ud800]:99999/%",
)


@pytest.mark.parametrize("bad", NASTY)
def test_every_text_field_of_a_report_takes_any_text(bad: str) -> None:
    check(poisoned(REPORT, bad))


@settings(max_examples=40, deadline=None)
@given(bad=anything)
def test_any_text_is_written_by_every_format(bad: str) -> None:
    check(poisoned(REPORT, bad))


@settings(max_examples=40, deadline=None)
@given(data=st.dictionaries(anything, values, max_size=4))
def test_any_value_that_a_decoy_or_rule_noted_is_written(data: dict[str, Any]) -> None:
    evidence = dataclasses.replace(FINDINGS[0].evidence[0], data=data)
    finding = dataclasses.replace(FINDINGS[0], evidence=(evidence,))
    mark = dataclasses.replace(samples.NETWORK.marks[0], evidence=data) if samples.NETWORK.marks else None
    network = dataclasses.replace(samples.NETWORK, marks=(mark,) if mark else ())
    alert = dataclasses.replace(samples.OBSERVATION.alerts[0], output_fields=data)
    check(dataclasses.replace(REPORT, findings=(finding,), network=network, alerts=(alert,)))


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), 10**5_000, -(10**5_000), 2**64, "9" * 9_000],
    ids=range(7),
)
def test_numbers_that_json_has_no_form_for(value: Any) -> None:
    data = json.dumps(clean({"x": [value]}), allow_nan=False)
    assert json.loads(data)["x"]


def test_what_is_nested_too_deep_is_cut() -> None:
    deep: Any = "end"
    for _ in range(50_000):
        deep = [deep]
    json.loads(json.dumps(clean({"x": deep})))


@pytest.mark.parametrize("ns", [-1, -(10**30), 10**30, 0, 2**63])
def test_any_time_is_written(ns: int) -> None:
    assert rfc3339(ns).endswith("Z")


@given(anything)
def test_well_formed_is_text_that_stays(bad: str) -> None:
    good = well_formed(bad)
    good.encode("utf-8")
    assert well_formed(good) == good
    assert clean_text(bad, 50).encode("utf-8").isascii() or clean_text(bad, 50).isprintable()


def test_a_byte_that_is_no_utf8_is_shown_as_it_is() -> None:
    assert well_formed("caf\udce9") == "caf\\xe9"
    assert all_well_formed({"a\udcff": ("b", ["\udcff"])}) == {"a\\xff": ("b", ["\\xff"])}
    assert all_well_formed(REPORT) is REPORT
