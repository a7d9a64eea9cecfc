"""What an alert says: fields in the text, their widths, transformers, times, what is absent."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.enrich.fields.source import Fields
from package_hunter.rules import compile_matcher
from package_hunter.rules.load import load_texts
from package_hunter.rules.output import OutputError, Template, parse_output
from package_hunter.rules.source import DictEvent, DictSource

NS = 1_700_000_000_123_456_789  # 2023-11-14, 22:13:20 UTC
EVENT = {
    "evt.type": "openat", "evt.rawtime": NS, "proc.name": "cat", "proc.aname[2]": "sh", "proc.pid": 7,
    "fd.name": "/etc/passwd", "fd.sip": "2001:db8::1", "evt.is_open_read": True, "evt.arg.flags": "O_RDONLY",
}  # fmt: skip


def fill(output: str, **event: Any) -> tuple[str, dict[str, Any]]:
    ruleset = load_texts(
        [
            (
                "f",
                f"- rule: R\n  desc: d\n  condition: evt.type=openat\n  priority: INFO\n  output: '{output}'\n",
            )
        ]
    )
    assert [str(p) for p in ruleset.errors] == []
    matcher = compile_matcher(ruleset, DictSource())
    return Template(ruleset.rules[0].output, matcher.getter).fill(DictEvent(EVENT | event))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("a %proc.name b", "a cat b"),
        ("(%proc.name)", "(cat)"),
        ("%proc.name.", "cat."),
        ("*%proc.name", "cat"),
        ("%proc.aname[2] %evt.arg.flags", "sh O_RDONLY"),
        ("%evt.arg[flags]", "O_RDONLY"),
        ("%user.name", "<NA>"),
        ("%proc.pid%proc.name", "7cat"),
        ("%evt.is_open_read", "true"),
        ("%fd.sip", "2001:db8::1"),
        ("%toupper(proc.name) %len(proc.name)", "CAT 3"),
        ("%basename(fd.name)", "passwd"),
        ("%10proc.name|", "cat       |"),
        ("%2proc.name|", "ca|"),
        ("%6toupper(proc.name)|", "CAT   |"),
        ("%6user.name|", "<NA>  |"),
        ("%evt.time", "22:13:20.123456789"),
        ("%evt.time.s", "22:13:20"),
        ("%evt.time.iso8601", "2023-11-14T22:13:20.123456789Z"),
        ("%evt.datetime", "2023-11-14 22:13:20.123456789"),
        ("%evt.datetime.s", "2023-11-14 22:13:20"),
    ],
)  # fmt: skip
def test_text(output: str, expected: str) -> None:
    assert fill(output)[0] == expected


def test_fields_keep_their_types_and_widths_do_not_reach_them() -> None:
    _, fields = fill("%10proc.name %proc.pid %evt.is_open_read %toupper(proc.name) %user.name")
    assert fields == {
        "evt.time": NS, "proc.name": "cat", "proc.pid": 7, "evt.is_open_read": True, "user.name": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "output", ["100%", "%", "%10", "%nosuch", "%nosuch.field", "%fd.ip", "%99999proc.name", "%%"]
)
def test_refused(output: str) -> None:
    with pytest.raises(OutputError):
        parse_output(output)


def test_what_no_event_has_is_told_and_shown_as_absent() -> None:
    text = "- rule: R\n  desc: d\n  condition: evt.type=openat\n  priority: INFO\n"
    text += "  output: 'x %evt.latency %proc.name'\n"
    ruleset = load_texts([("f", text)])
    assert [(p.severity, p.code, p.text) for p in ruleset.problems] == [
        ("warning", "unsupported_field", "evt.latency")
    ]
    matcher = compile_matcher(ruleset, Fields())
    assert ruleset.rules[0].enabled
    given = compile_matcher(ruleset, DictSource()).alert(ruleset.rules[0], DictEvent(EVENT))
    assert given.output.endswith("Informational x <NA> cat")
    assert matcher.event_types
