"""A rule's condition as one sentence."""

from __future__ import annotations

import pytest

from package_hunter.model.fields import field_catalogue
from package_hunter.rules import load_rules
from package_hunter.rules.english import phrase, say
from package_hunter.rules.explain import brief, explain
from package_hunter.rules.load import load_texts


def test_macros_stay_names_and_nesting_shows() -> None:
    rule = next(r for r in load_rules(()).rules if r.name == "Reverse shell command line")
    text = brief(rule, most=10_000)
    assert text.startswith("“started” and ((the name of the process (proc.name) is one of “nc”")
    assert ") or (" in text
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("most", [60, 200])
def test_it_is_cut_at_a_word(most: int) -> None:
    for rule in load_rules(()).rules:
        text = brief(rule, most)
        assert len(text) <= most
        assert "\n" not in text


def test_a_rule_reads_as_sentences() -> None:
    text = """
- macro: never
  condition: (evt.num=0)
- macro: my_exceptions
  condition: (never)
- macro: opened
  condition: (evt.type in (open, openat) and evt.is_open_read=true and fd.num>=0)
- macro: container
  condition: (container.id != host)
- rule: R
  desc: A file was read.
  condition: >
    opened and container and not proc.pname in (make, npm) and proc.is_exe_from_memfd=false and not my_exceptions
  output: read
  priority: INFO
"""
    (rule,) = load_texts([("f", text)]).rules
    lines = explain(rule).splitlines()
    at = lines.index("It matches where all of these hold:")
    assert lines[at + 1 : at + 9] == [
        "  - “opened”, that is all of these:",
        "    - the system call (evt.type) is one of “open”, “openat”",
        "    - this is an open for reading (evt.is_open_read)",
        "    - the number of the descriptor (fd.num) is at least 0",
        "  - “container”: the container's id (container.id) is not “host”",
        "  - not: the name of the parent (proc.pname) is one of “make”, “npm”",
        "  - it is not so that the executable is an anonymous file in memory (proc.is_exe_from_memfd)",
        "  - not “my exceptions”: nothing so far, a place for exceptions of your own",
    ]


@pytest.mark.parametrize(
    ("field", "op", "values", "expected"),
    [
        ("proc.aname[2]", "=", ["sh"], "the name of the grandparent (proc.aname[2]) is “sh”"),
        ("proc.aname[3]", "=", ["sh"], "the name of the ancestor 3 levels up (proc.aname[3]) is “sh”"),
        ("proc.aname", "in", ["a", "b"], "the name of any ancestor (proc.aname) is one of “a”, “b”"),
        ("proc.env[HOME]", "=", ["/"], "the environment variable HOME (proc.env[HOME]) is “/”"),
        ("evt.arg.flags", "contains", ["O_X"], "the call's argument 'flags' (evt.arg.flags) contains “O_X”"),
        ("fd.sport", "in", ["80", "443"], "the port of the server (fd.sport) is one of 80, 443"),
        ("fd.name", "pmatch", ["/etc"], "the path of the file (fd.name) is, or lies below, “/etc”"),
        ("fd.snet", "exists", [], "the server's address (fd.snet) is known"),
        ("proc.name", "in", [], "the name of the process (proc.name) is one of an empty list: never"),
        ("fd.connected", "=", ["false"], "it is not so that this is a connected socket (fd.connected)"),
    ],
)
def test_comparisons(field: str, op: str, values: list[str], expected: str) -> None:
    assert say(field, op, values, "", "") == expected


def test_every_field_has_words() -> None:
    for name in field_catalogue():
        words = phrase(name).removesuffix(f" ({name})")
        assert words and words != name
        assert "true where" not in words and not words.startswith(("the true", "the the"))
