"""The JSON form's types: the schema comes out of them, and reports of before are still read."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from package_hunter.model.forms import schema
from package_hunter.model.forms.kinds import As, Text, form
from package_hunter.model.observation import FileChange
from package_hunter.model.plain import clean
from package_hunter.model.report_form import falco_json, finding_json, from_json, to_json
from package_hunter.report import FORMATS
from tests.support import judge_samples as samples

BEFORE = Path(__file__).parent / "before"
FILE = resources.files("package_hunter.report").joinpath("schema/report-v1.json").read_text(encoding="utf-8")


def whole(schema_: dict[str, Any]) -> Any:
    """A schema with each part in its place; one part or null is a part whose types have null among them."""

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(item) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            rest = {k: inlined(v) for k, v in node.items() if k != "$ref"}
            return inlined(schema_["$defs"][node["$ref"].rpartition("/")[2]]) | rest
        made = {k: inlined(v) for k, v in node.items() if k != "$defs"}
        either = made.get("anyOf", [])
        if len(either) == 2 and {"type": "null"} in either:
            part = next(item for item in either if item != {"type": "null"})
            del made["anyOf"]
            return part | made | {"type": [part["type"], "null"]}
        return made

    return inlined(schema_)


def weaker(old: Any, new: Any, at: str = "") -> list[str]:
    """Where ``new`` allows or leaves out what ``old`` did not."""
    if at.endswith("/required"):
        return [f"{at}: {key}" for key in old if key not in new]
    if at.endswith(("/enum", "/type")) and isinstance(old, list) and isinstance(new, list):
        return [] if sorted(old) == sorted(new) else [at]
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [] if old == new else [at]
    gone = [f"{at}/{key}" for key in old if key not in new]
    return gone + [w for key in old.keys() & new.keys() for w in weaker(old[key], new[key], f"{at}/{key}")]


def test_the_schema_is_that_of_the_types() -> None:
    assert schema.text() == FILE, "write it again: python -m package_hunter.model.forms.schema"


# of findings, that came after the forms of before were kept: a new behaviour may have a name, and nothing else grows
NEW_KINDS = ["foreign_runtime", "dead_drop", "likely_exfiltration"]


def test_the_schema_allows_nothing_that_it_did_not_allow() -> None:
    old = whole(json.loads((BEFORE / "schema.json").read_text(encoding="utf-8")))
    old["properties"]["findings"]["items"]["properties"]["kind"]["enum"] += NEW_KINDS
    assert weaker(old, whole(json.loads(FILE))) == []


def test_what_is_weaker_would_be_seen() -> None:
    old = whole(json.loads(FILE))
    for path, value in (("severity", {"type": "string"}), ("blame", {}), ("kind", {"enum": ["other"]})):
        new = json.loads(json.dumps(old))
        new["properties"]["findings"]["items"]["properties"][path] = value
        assert weaker(old, new)


@pytest.mark.parametrize("name", ["plain", "rich", "failed", "latest"])
def test_reports_of_before_are_read_and_written_as_they_were(name: str) -> None:
    data = json.loads((BEFORE / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(json.loads(FILE)).validate(data)
    report = from_json(data)
    assert json.dumps(to_json(report)) == json.dumps(clean(data)), "but for numbers that JSON has no form for"
    assert all(isinstance(render(report), str) for render in FORMATS.values())


def test_what_only_some_reports_have_is_read() -> None:
    report = from_json(json.loads((BEFORE / "latest.json").read_text(encoding="utf-8")))
    alert, connection, mark = report.alerts[0], report.network.connections[0], report.network.marks[0]
    assert (alert.event_num, alert.event_type, alert.pid, alert.tid) == (7, "connect", 313, 314)
    assert connection.head == b"\xff\xfehead"
    assert mark.evidence == {
        "marker": "a.b.example",
        "n": "2^199",
        "f": "nan",
        "deep": [[["x\\xff"]]],
        "raw": "\\xff\0",
    }
    assert report.network.hits == report.canaries.sent
    assert report.baseline is not None and report.baseline["later"] == {"kept": True}
    assert [t.ecosystem for t in report.targets] == ["npm", "pypi"]
    assert report.coverage.filtered == {"openat": 12}


@pytest.mark.parametrize("value", ["x", [1], {"a": 1}, None, 1.5])
def test_a_field_that_is_no_number_comes_back_empty(value: Any) -> None:
    """An alert's fields are any JSON: what writes them must be able to read them."""
    data = json.loads((BEFORE / "latest.json").read_text(encoding="utf-8"))
    data["alerts"][0]["output_fields"] = dict.fromkeys(("evt.num", "proc.pid", "thread.tid"), value)
    [alert, *_] = from_json(data).alerts
    assert (alert.event_num, alert.pid, alert.tid) == (0, 0, 0)
    assert to_json(from_json(data))["alerts"][0]["output_fields"]["evt.num"] == value


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("processes", 0, "pid"), "many", "processes.0.pid"),
        (("started",), "2026-11-23T09:41:07+01:00", "started"),
        (("finished",), 7, "finished"),
        (("verdict",), "clean", "verdict"),
        (("files", "written"), {"path": "/x"}, "files.written"),
        (("alerts", 0, "output_fields"), [], "output_fields"),
        (("network", "requests", 0, "headers"), [{"name": "a"}], "headers|KeyError"),
        (("network", "requests", 0, "headers"), ["a"], "headers|TypeError"),
        (("alerts", 0, "blame", "path"), "a/b", "blame"),
        (("packages", 0, "scripts"), {"install": 7}, "scripts"),
        (("coverage", "packages"), None, "packages"),
        (("canaries", "sent", 0, "lawful"), "perhaps", "lawful"),
        (("baseline",), {"id": "x"}, "baseline"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_place(
    path: tuple[Any, ...], value: Any, told: str
) -> None:
    data = json.loads((BEFORE / "latest.json").read_text(encoding="utf-8"))
    node = data
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(ValueError, match=rf"not a whole report.*({told})"):
        from_json(data)


def test_unknown_keys_and_hidden_ones_are_not_taken() -> None:
    data = json.loads((BEFORE / "plain.json").read_text(encoding="utf-8"))
    data["network"]["dns"][0] |= {"peer_port": 7, "later": 1}
    data["canaries"]["placed"][0] |= {"value": "planted", "lawful": ["all"]}
    data["packages"][0] |= {"places": ["/"], "requires": ["x"]}
    report = from_json(data)
    assert report.network.dns[0].peer_port == 0
    assert (report.canaries.placed[0].value, report.canaries.placed[0].lawful) == ("", ())
    assert (report.packages[0].places, report.packages[0].requires) == ((), ())


def test_keys_that_may_be_left_out_have_their_empty_value() -> None:
    data = json.loads((BEFORE / "plain.json").read_text(encoding="utf-8"))
    for key in ("targets", "error", "explanation", "notices", "baseline", "cut", "hostname"):
        del data[key]
    for key in ("count", "proof", "explain", "advice"):
        del data["findings"][0][key]
    for key in ("filtered", "notes"):
        del data["coverage"][key]
    report = from_json(data)
    assert report.targets == (report.target,)
    assert (report.error, report.notices, report.baseline, dict(report.cut), report.hostname) == (
        None,
        (),
        None,
        {},
        "",
    )
    assert (report.findings[0].count, report.findings[0].proof) == (1, False)


@pytest.mark.parametrize("number", [10**60, -(10**60), 10**5000], ids=range(3))
def test_a_number_that_no_reader_takes_is_the_nearest_that_one_does(number: int) -> None:
    process = replace(samples.PROCESSES[0], pid=number)
    data = to_json(samples.report(processes=(process,)))
    jsonschema.Draft202012Validator(json.loads(FILE)).validate(json.loads(json.dumps(data)))
    assert abs(data["processes"][0]["pid"]) == 2**128 - 1


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -float("inf")])
def test_a_time_span_that_is_no_number_is_written_as_text(seconds: float) -> None:
    data = to_json(samples.report(coverage=replace(samples.COVERAGE, frozen_seconds=seconds)))
    assert json.loads(json.dumps(data, allow_nan=False))["coverage"]["frozen_seconds"] == str(seconds)


def test_falcos_form_is_the_reports_without_blame() -> None:
    alert = samples.alert(output_fields={"evt.buffer": b"\xff", "n": 10**60})
    ours = to_json(samples.report(alerts=(alert,)))["alerts"][0]
    assert list(ours) == [*falco_json(alert, "hunter-host"), "blame"]
    assert {k: v for k, v in ours.items() if k != "blame"} == falco_json(alert, "hunter-host")


def test_a_finding_alone_is_as_in_the_report() -> None:
    assert finding_json(samples.FINDING) == to_json(samples.report())["findings"][0]


def test_a_form_must_have_each_field_of_what_it_is_the_form_of() -> None:
    @form
    class HalfForm:
        path: Text

    with pytest.raises(TypeError, match=r"HalfForm is no form of FileChange: .*time_ns"):
        TypeAdapter(Annotated[FileChange, As(HalfForm)])
