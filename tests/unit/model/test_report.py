"""The report's JSON form: it satisfies its schema, and what is read back is what was written."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.plain import clean
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.times import from_rfc3339, rfc3339
from tests.support import judge_samples as samples

SCHEMA: dict[str, Any] = json.loads(
    resources.files("package_hunter.report").joinpath("schema/report-v1.json").read_text()
)


def closed(schema: Any) -> Any:
    """The schema with no room for unknown keys: what we write ourselves must all be described."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    result = {k: closed(v) for k, v in schema.items()}
    if "required" in schema and "properties" in schema:
        result["additionalProperties"] = False
    return result


OPEN = jsonschema.Draft202012Validator(SCHEMA)
CLOSED = jsonschema.Draft202012Validator(closed(SCHEMA))


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_report_satisfies_the_schema_with_every_key_described() -> None:
    CLOSED.validate(to_json(samples.report()))


def test_bare_report_satisfies_the_schema() -> None:
    r = samples.report()
    CLOSED.validate(to_json(Report(r.id, r.target, r.started, r.finished, r.status, r.verdict, r.decision)))


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "clean"},
        {"decision": "allow"},
        {"schema_version": "2"},
        {"started": "2026-11-23T09:41:07+01:00"},
    ],
)
def test_schema_refuses_what_is_not_in_its_enumerations(change: dict[str, str]) -> None:
    assert not OPEN.is_valid(to_json(samples.report()) | change)


def test_reading_back_gives_the_same_json() -> None:
    data = json.loads(json.dumps(to_json(samples.report())))
    assert to_json(from_json(deepcopy(data))) == data


def test_binary_bodies_survive() -> None:
    data = to_json(samples.report())
    assert [r["body_encoding"] for r in data["network"]["requests"]] == ["utf-8", "base64"]
    assert from_json(data).network.requests[1].body == b"\xff\x00raw"


def test_canary_values_stay_out() -> None:
    assert samples.CANARY.value not in json.dumps(to_json(samples.report()))


@pytest.mark.parametrize(
    "data", [{}, [], {"schema_version": "1"}, {"schema_version": "1", "target": None}, None]
)
def test_what_is_no_report_is_refused_with_a_sentence(data: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        from_json(data)


def test_bad_base64_is_refused() -> None:
    data = to_json(samples.report())
    data["network"]["requests"][1]["body"] = "%%%"
    with pytest.raises(ValueError, match="base64"):
        from_json(data)


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_times_round_trip(ns: int) -> None:
    assert from_rfc3339(rfc3339(ns)) == ns


@given(st.text(st.characters(codec=None, categories=None)), st.binary())
def test_any_text_out_of_a_box_becomes_valid_utf8_json(text: str, body: bytes) -> None:
    blame = replace(samples.BLAME, cmdline=text + "\udcff")
    request = replace(samples.NETWORK.requests[0], url=text, body=body, blame=blame)
    fields = {"proc.cmdline": text, "evt.buffer": body, "fd.lip": None, "proc.args": (text, body)}
    data = to_json(
        samples.report(
            alerts=(samples.alert(output=text, output_fields=fields, blame=blame),),
            network=replace(samples.NETWORK, requests=(request,)),
        )
    )
    json.dumps(data, ensure_ascii=False).encode()
    CLOSED.validate(data)


def test_clean_keeps_numbers_and_nulls() -> None:
    assert clean({"a": [1, 2.5, None, True, b"\xff"]}) == {"a": [1, 2.5, None, True, "\\xff"]}
