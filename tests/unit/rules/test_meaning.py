"""What conditions mean: Falco's documented behaviour, and what a real Falco does where docs mislead."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.errors import RuleFileError
from package_hunter.rules import compile_matcher
from package_hunter.rules.load import load_condition, load_texts
from package_hunter.rules.source import DictEvent, DictSource

BASE = load_texts(
    [
        (
            "base.yaml",
            "- list: two\n  items: [a, b]\n- list: single\n  items: [cat]\n"
            "- list: nested\n  items: [two, c]\n- macro: is_cat\n  condition: proc.name = cat\n",
        )
    ]
)
TCP = {
    "evt.type": "connect",
    "fd.type": "ipv4",
    "fd.name": "10.0.0.1:5->10.0.0.2:80",
    "fd.cip": "10.0.0.1",
    "fd.sip": "10.0.0.2",
    "fd.cport": 5,
    "fd.sport": 80,
}
TCP6 = {
    "evt.type": "connect",
    "fd.type": "ipv6",
    "fd.name": "2001:db8::1:5->2001:db8::2:80",
    "fd.sip": "2001:db8::2",
}
FILE = {"evt.type": "openat", "fd.type": "file", "fd.name": "/etc/passwd"}
CAT: dict[str, Any] = {"evt.type": "openat", "proc.name": "cat"}


def holds(condition: str, event: dict[str, Any]) -> bool:
    matcher = compile_matcher(load_condition(condition, BASE), DictSource())
    given = DictEvent({"evt.type": "openat", **event}, 1)
    compiled, interpreted = matcher.matches(given), matcher.interpreted(given)
    assert compiled == interpreted
    return bool(compiled)


@pytest.mark.parametrize(
    ("condition", "event", "expected"),
    [
        # strings
        ("proc.name = cat", CAT, True),
        ("proc.name == cat", CAT, True),
        ("proc.name = Cat", CAT, False),
        ("proc.name contains a", CAT, True),
        ("proc.name icontains CA", CAT, True),
        ("proc.name startswith ca", CAT, True),
        ("proc.name endswith at", CAT, True),
        ('proc.name contains ""', CAT, True),
        ("proc.name=a;b#c%*", {"proc.name": "a;b#c%*"}, True),
        ('proc.name = "a\\\\b"', {"proc.name": "a\\b"}, True),
        ("proc.name = 'it''s'", {"proc.name": "it"}, None),
        ('proc.name = "\\x41"', {"proc.name": "A"}, True),
        ("proc.name regex c.*", CAT, True),
        ("proc.name regex a", CAT, False),
        ("proc.name regex ^cat$", CAT, True),
        ("proc.name < 5", {"proc.name": "4z"}, True),
        ("evt.arg.size >= 100", {"evt.arg.size": "20"}, True),
        # globs and paths
        ("fd.name glob /etc/*", {"fd.name": "/etc/a/b"}, True),
        ("fd.name glob /etc/p?sswd", FILE, True),
        ("fd.name glob /etc/[a-p]asswd", FILE, True),
        ("fd.name glob /etc/[!a-p]asswd", FILE, False),
        ("fd.name glob *.{a}", {"fd.name": "x.a"}, False),
        ("fd.name iglob /ETC/*", FILE, True),
        ("fd.name pmatch (/etc)", FILE, True),
        ("fd.name pmatch (etc)", FILE, True),
        ("fd.name pmatch (/et)", FILE, False),
        ("fd.name pmatch (/etc/passwd/x)", FILE, False),
        ("fd.name pmatch (/usr, /*/passwd)", FILE, True),
        ("fd.name pmatch (/e*)", FILE, True),
        ("fd.name pmatch (/)", FILE, True),
        ("fd.name pmatch (/etc)", {"fd.name": "//etc//x"}, True),
        # lists and modifiers
        ("proc.name in (dog, cat)", CAT, True),
        ("proc.name in (two, cat)", CAT, True),
        ("proc.name in (nested)", {"proc.name": "a"}, True),
        ("proc.name in single", CAT, True),
        ("proc.name = single", CAT, True),
        ("proc.name in (unknown_list)", {"proc.name": "unknown_list"}, True),
        ("proc.name in ()", CAT, False),
        ("proc.name intersects (cat)", CAT, True),
        ("evt.type in openat", CAT, True),
        ("proc.name contains oneof (c, z)", CAT, True),
        ("proc.name contains oneof (c, a)", CAT, False),
        ("proc.name startswith anyof (z, c)", CAT, True),
        ("proc.name contains allof (c, a)", CAT, True),
        ("proc.name != allof (x, y)", CAT, True),
        ("proc.name = oneof", {"proc.name": "oneof"}, True),
        # absent values
        ("proc.pname != x", CAT, False),
        ("not proc.pname = x", CAT, True),
        ("proc.pname exists", CAT, False),
        ("proc.args exists", {"proc.args": ""}, True),
        ('fd.name = ""', {"fd.name": ""}, True),
        ("proc.env[A] exists", {"proc.env": "A=1 B=2"}, True),
        ("proc.env[NOPE] exists", {"proc.env": "A=1 B=2"}, False),
        ("proc.env[B] = 2", {"proc.env": "A=1 B=2"}, True),
        # numbers and booleans
        ("evt.rawres >= 0", {"evt.rawres": 0}, True),
        ("evt.rawres < 0", {"evt.rawres": -2}, True),
        ("evt.rawres in (1, 2)", {"evt.rawres": 2}, True),
        ("user.loginuid = -1", {"user.loginuid": -1}, True),
        ("evt.rawarg.size >= 100", {"evt.rawarg.size": "C8"}, True),
        ("evt.is_open_read = true", {"evt.is_open_read": True}, True),
        ("evt.is_open_read = false", {"evt.is_open_read": False}, True),
        ("evt.is_open_read = false", {}, False),
        ("proc.ppid.duration < 1000", {"proc.ppid.duration": 5}, True),
        # network
        ("fd.ip = 10.0.0.1", TCP, True),
        ("fd.ip = 10.0.0.2", TCP, True),
        ("fd.ip != 10.0.0.1", TCP, False),
        ("fd.ip != 10.0.0.9", TCP, True),
        ("fd.ip in (10.0.0.9, 10.0.0.1)", TCP, True),
        ("fd.ip exists", TCP, True),
        ("fd.ip exists", FILE, False),
        ("fd.sip = 10.0.0.2", TCP, True),
        ("fd.sip in (10.0.0.1)", TCP, False),
        ("fd.port = 80", TCP, True),
        ("fd.port = http", TCP, True),
        ("fd.port in (5, 6)", TCP, True),
        ("fd.port != 80", TCP, False),
        ("fd.port < 6", TCP, True),
        ("fd.net = 10.0.0.0/8", TCP, True),
        ("fd.net != 10.0.0.0/8", TCP, False),
        ("fd.net = 0.0.0.0/0", TCP, True),
        ("fd.net in (192.168.0.0/16, 10.0.0.0/8)", TCP, True),
        ("fd.snet in (192.168.0.0/16, 10.0.0.2/32)", TCP, True),
        ('fd.sip = "2001:db8::2"', TCP6, True),
        ('fd.snet in ("2001:db8::/32")', TCP6, True),
        ("fd.snet in (10.0.0.0/8)", TCP6, False),
        ("fd.sip.name = nowhere.example", TCP, False),
        ("fd.sip.name != nowhere.example", TCP, True),
        ("fd.sip.name != nowhere.example", FILE, False),
        # bytes
        ("evt.buffer contains Ax", {"evt.buffer": "xAx"}, True),
        ("evt.buffer bcontains 41", {"evt.buffer": "xAx"}, True),
        ("evt.buffer bstartswith 7841", {"evt.buffer": "xAx"}, True),
        # ancestors and lists
        ("proc.aname = y", {"proc.pname": "x", "proc.aname[2]": "y"}, True),
        ("proc.aname != x", {"proc.pname": "x", "proc.aname[2]": "y"}, True),
        ("proc.aname != x", {"proc.pname": "x"}, False),
        ("proc.aname[2] = y", {"proc.pname": "x", "proc.aname[2]": "y"}, True),
        ("proc.aname[0] = cat", CAT, True),
        ("proc.aname[-1] = x", CAT, False),
        ("fd.types intersects (file)", {"fd.types": ["file", "ipv4"]}, True),
        ("fd.types in (file)", {"fd.types": ["file", "ipv4"]}, False),
        ("fd.types in (file, ipv4)", {"fd.types": ["file", "ipv4"]}, True),
        # transformers and val()
        ("toupper(proc.name) = CAT", CAT, True),
        ("tolower(proc.name) = cat", {"proc.name": "CAT"}, True),
        ("b64(proc.name) = hello", {"proc.name": "aGVsbG8"}, True),
        ("b64(proc.name) = x", {"proc.name": "%%"}, False),
        ("basename(proc.exepath) = cat", {"proc.exepath": "/bin/cat"}, True),
        ("len(proc.name) >= 3", CAT, True),
        ("len(fd.types) = 2", {"fd.types": ["file", "ipv4"]}, True),
        ("len(proc.pname) = 0", CAT, False),
        ("tolower(basename(proc.exepath)) = cat", {"proc.exepath": "/bin/CAT"}, True),
        ('join("-", (proc.name, proc.pname)) = a-b', {"proc.name": "a", "proc.pname": "b"}, True),
        ('concat(proc.name, "x") = catx', CAT, True),
        ('getopt((proc.name, "-b", "x"), "b:")[b] = x', {"proc.name": "-a"}, True),
        ("proc.name = val(proc.pname)", {"proc.name": "x", "proc.pname": "x"}, True),
        ("proc.name = val(proc.pname)", {"proc.name": "x"}, False),
        ("proc.name = basename(proc.exepath)", {"proc.name": "cat", "proc.exepath": "/bin/cat"}, True),
        ("fd.name startswith val(proc.cwd)", {"fd.name": "/a/b", "proc.cwd": "/a/"}, True),
        # syntax
        ("not not proc.name = cat", CAT, True),
        ("not proc.name = x and proc.name = cat", CAT, True),
        ("proc.name = x and proc.name = y or proc.name = cat", CAT, True),
        ("(proc.name=x)or(proc.name=cat)", CAT, True),
        ("not(proc.name=x)", CAT, True),
        ("is_cat", CAT, True),
        ("not is_cat or proc.pid = 1", CAT, False),
        ("proc.name\n=\tcat", CAT, True),
        # event types
        ("evt.type = openat", CAT, True),
        ("evt.type != openat", CAT, False),
        ("not evt.type = getpid", CAT, True),
        ("syscall.type = nosuchcall", CAT, False),
        ("evt.dir = <", CAT, True),
        ("evt.dir = >", CAT, False),
        ("evt.num = 0", CAT, False),
        ("evt.num = 1", CAT, True),  # its place among the events, where it says nothing
        ("evt.num = 7", {**CAT, "evt.num": "7"}, True),
        ("evt.num = 1", {**CAT, "evt.num": "nonsense"}, True),
        ("evt.num = 1", {**CAT, "evt.num": 7}, False),
    ],
)
def test_meaning(condition: str, event: dict[str, Any], expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(RuleFileError):
            holds(condition, event)
    else:
        assert holds(condition, event) is expected


def test_generic_calls_stand_for_themselves() -> None:
    event = {"evt.type": "getuid"}
    assert holds("not evt.type = getpid", event)
    assert holds("evt.type != getpid", event)
    assert not holds("evt.type = getpid", event)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("evt.type = nosuch", "no event type"),
        ("fd.nothing = 1", "no field fd.nothing"),
        ("nomacro", "no macro"),
        ("proc.name = two", "one value, not 2"),
        ("fd.net = 10.1.2.3", "lacks a mask"),
        ('fd.net = "::/0"', "ipv6"),
        ("fd.sip = 300.1.1.1", "no IP address"),
        ("fd.rport = 70000", "out of range"),
        ("fd.rport = nosuchservice", "neither a port"),
        ("user.uid = -1", "out of range"),
        ("evt.num = 99999999999999999999", "out of range"),
        ("evt.num = 0x10", "no whole decimal number"),
        ("evt.num = 1.5", "no whole decimal number"),
        ("evt.rawres > abc", "no whole decimal number"),
        ("proc.name > abc", "needs a number"),
        ("evt.is_open_read = True", "true or false"),
        ("evt.is_open_read = 1", "true or false"),
        ('proc.name regex "("', "no regular expression"),
        ("proc.name regex \\d+", "no regular expression"),
        ('proc.name = "a\\.b"', "no escape"),
        ('proc.name = "\\S"', "no escape"),
        ("evt.buffer icontains a", "cannot be compared"),
        ("evt.buffer glob a", "cannot be compared"),
        ("evt.buffer bcontains 0x41", "hex digits"),
        ("evt.buffer bcontains 414", "hex digits"),
        ("proc.name bcontains 41", "cannot be compared"),
        ("evt.num contains 1", "cannot be compared"),
        ("fd.types = file", "cannot be compared"),
        ("proc.name = val(tolower(proc.pname))", "Cannot read"),
        ("proc.name in (val(proc.pname))", "Cannot read"),
        ("proc.pid = val(proc.name)", "do not compare"),
        ("proc.name = val(proc.aname)", "cannot stand in val"),
        ("evt.type = val(proc.name)", "compared with names"),
        ("tolower(proc.aname) = x", "no transformer"),
        ("tolower(proc.pid) = 1", "does not work"),
        ("concat(proc.name) = x", "two or more"),
        ("proc.aname[x] = 1", "takes a number"),
        ("proc.name[1] = x", "takes no argument"),
        ("evt.arg = x", "needs an argument"),
        ("evt.rawarg.nosuch = x", "No event has"),
        ("Not proc.name = x", "Cannot read"),
        ("proc.name IN (x)", "Cannot read"),
        ("proc.name in (a,)", "Cannot read"),
        ("proc.name =", "ends too early"),
        ("(proc.name = x", "ends too early"),
        ("evt.latency > 1", "not supported"),
        ("(" * 200 + "proc.name = x" + ")" * 200, "nested deeper"),
        ("not " * 300 + "proc.name = x", "nested deeper"),
    ],
)
def test_refused(condition: str, says: str) -> None:
    with pytest.raises(RuleFileError, match=says):
        holds(condition, CAT)


ODD: list[Any] = [
    5,
    7.5,
    True,
    False,
    None,
    ["a"],
    ["a", 5, None],
    {"a": 1},
    "\ud800cat",
    "",
    "true",
    -1,
    2**70,
]
EVERY_WAY = [
    "proc.name startswith a", "proc.name in (a, 5)", 'proc.name regex "c.*"', "proc.name glob *a*",
    "proc.name icontains A", "proc.name exists", "proc.name != a", "proc.name > 4", "fd.name pmatch (/etc)",
    "fd.name endswith 5", "fd.num > 2", "fd.num in (1, 5)", "evt.is_open_read = true", "evt.is_open_read != true",
    "fd.sip = 10.0.0.1", "fd.snet in (10.0.0.0/8)", "fd.port = 80", "proc.aname = a", "proc.aname[2] = a",
    "evt.arg.flags contains a", "evt.rawarg.flags = 5", "evt.buffer contains a", "proc.env[a] = a",
    "len(proc.name) > 2", "toupper(proc.name) = A", "proc.name = val(proc.pname)", "evt.rawtime > 5",
]  # fmt: skip


@pytest.mark.parametrize("condition", EVERY_WAY)
def test_no_value_of_json_derails_a_rule(condition: str) -> None:
    """What a file of events holds is not to be trusted: a value of another type is one of the field's, or none."""
    matcher = compile_matcher(load_condition(condition, BASE), DictSource())
    keys = [
        "evt.type",
        "proc.name",
        "proc.pname",
        "proc.aname",
        "proc.aname[2]",
        "proc.env",
        "fd.name",
        "fd.num",
    ]
    keys += [
        "fd.sip",
        "fd.type",
        "fd.sport",
        "evt.is_open_read",
        "evt.arg.flags",
        "evt.rawarg.flags",
        "evt.buffer",
    ]
    keys += ["evt.rawtime", "evt.num", "thread.tid", "proc.pid", "nonsense", "no.such[", "evt.dir"]
    for value in ODD:
        given = DictEvent({"evt.type": "openat", **{k: value for k in keys if k != "evt.type"}}, 1)
        assert matcher.matches(given) == matcher.interpreted(given)
        DictEvent(dict.fromkeys(keys, value))


def test_numbers_in_place_of_texts_are_texts() -> None:
    assert holds("proc.name = 5", {"proc.name": 5})
    assert holds("evt.arg.mode = 0755", {"evt.arg.mode": "0755"})
    assert holds("evt.arg.size startswith 1", {"evt.arg.size": 12})
    assert holds("fd.num > 4", {"fd.num": "5"})
    assert holds("evt.is_open_read = true", {"evt.is_open_read": "true"})
    assert not holds("evt.is_open_read = true", {"evt.is_open_read": "false"})
