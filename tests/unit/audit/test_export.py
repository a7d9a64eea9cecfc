"""The history's forms for others: each line is what its standard says, whatever somebody calls himself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.audit.export import FORMS

OCSF = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parent / "schemas/ocsf-entity-management-1.3.0.json").read_text())
)
# RFC 5424, section 6: HEADER SP STRUCTURED-DATA [SP MSG], with the limits on each field
_NAME = r"[!-<>-\\^-~]{1,32}"  # no '=', SP, ']', '"'
SYSLOG = re.compile(
    r"<(?P<pri>[1-9]?[0-9]|1[0-8][0-9]|19[01])>1"
    r" (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))"
    r" (?P<host>-|[!-~]{1,255}) (?P<app>-|[!-~]{1,48}) (?P<procid>-|[!-~]{1,128}) (?P<msgid>-|[!-~]{1,32})"
    rf' (?P<data>-|(?:\[{_NAME}(?: {_NAME}="(?:[^"\\\]]|\\["\\\]])*")*\])+)'
    r"(?: (?P<msg>.*))?",
    re.DOTALL,
)
_PARAMETER = re.compile(r' ([a-z]+)="((?:[^"\\\]]|\\["\\\]])*)"')
HOSTILE = (
    '"] evil="1',
    "\\",
    "a\nb\r\n<14>1 - - - - - forged",
    "\x1b[31m\x00\x7f\x85\u2028",
    "\u202egnp.exe",
    ']]""\\\\]',
    "x" * 5_000,
    "",
)

_TEXT = st.text(max_size=60)
_STATE = st.none() | st.dictionaries(_TEXT, _TEXT | st.integers(), max_size=3).map(json.dumps)
_VALUES = st.fixed_dictionaries(
    {
        "id": st.integers(1, 1 << 60),
        "time": st.integers(0, 4_000_000_000_000),
        "who": _TEXT,
        "origin": _TEXT,
        "action": st.sampled_from(
            ["user.add", "member.remove", "token.revoke", "finding.state", "odd action"]
        ),
        "object": _TEXT,
        "project": st.none() | st.uuids().map(str),
        "before": _STATE,
        "after": _STATE,
        "why": st.none() | _TEXT,
        "seal": st.none() | st.fixed_dictionaries({"position": st.integers(1), "digest": _TEXT}),
    }
)


def _check(values: dict[str, Any]) -> None:
    for name, render in FORMS.items():
        line = render(values)
        assert len(line.splitlines()) == 1, name
    assert json.loads(FORMS["jsonl"](values)) == values
    OCSF.validate(json.loads(FORMS["ocsf"](values)))
    _check_syslog(FORMS["syslog"](values), values)


def _check_syslog(line: str, values: dict[str, Any]) -> None:
    hit = SYSLOG.fullmatch(line)
    assert hit is not None, line[:300]
    assert (hit["pri"], hit["app"]) == ("110", "package-hunter")
    assert line.isprintable()
    found = {name: re.sub(r"\\(.)", r"\1", text) for name, text in _PARAMETER.findall(hit["data"])}
    assert set(found) == {"id", "who", "origin", "object"}, "no name and no value makes another parameter"
    shown = {name: "".join(c if c.isprintable() else " " for c in str(values[name])) for name in found}
    assert found == shown
    assert json.loads(hit["msg"]) == values, "the whole entry is in the message"


@given(_VALUES)
def test_any_entry_is_a_valid_line_of_each_form(values: dict[str, Any]) -> None:
    _check(values)


@pytest.mark.parametrize("text", HOSTILE)
def test_crafted_text_is_text(text: str) -> None:
    _check(
        {
            "id": 7,
            "time": 1_790_000_000_000,
            "who": text,
            "origin": text,
            "action": "user.add",
            "object": text,
            "project": None,
            "before": json.dumps({text: text}),
            "after": json.dumps({"a": text}),
            "why": text,
            "seal": None,
        }
    )


def test_ocsf_says_what_was_and_what_is() -> None:
    base = {
        "id": 1,
        "time": 5,
        "who": "ana",
        "origin": "192.0.2.1",
        "object": "bob",
        "project": None,
        "seal": None,
    }
    more = {"action": "member.remove", "before": '{"role": "viewer"}', "after": None, "why": "left"}
    event = json.loads(FORMS["ocsf"](base | more))
    assert event["entity"] == {"name": "bob", "type": "member", "data": {"role": "viewer"}}
    assert "entity_result" not in event
    assert (event["activity_id"], event["comment"], event["actor"]["user"]["name"]) == (4, "left", "ana")
    event = json.loads(
        FORMS["ocsf"](base | more | {"action": "user.add", "before": None, "after": '{"a": 1}'})
    )
    assert (event["activity_id"], event["entity_result"]["data"]) == (1, {"a": 1})
