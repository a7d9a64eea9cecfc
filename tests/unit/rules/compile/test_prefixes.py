"""What the probe may leave out, and what an engine asks for."""

from __future__ import annotations

import pytest

from package_hunter.enrich.fields.source import Fields
from package_hunter.model.event import event_numbers
from package_hunter.rules import compile_matcher, load_rules
from package_hunter.rules.load import load_texts
from package_hunter.rules.source import DictSource

RULE = "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n  condition: {}\n"


@pytest.mark.parametrize(
    ("condition", "prefixes"),
    [
        ("evt.type = openat and fd.name startswith /etc/", ("/etc/",)),
        ("evt.type = openat and (fd.name = /etc/shadow or fd.name pmatch (/root))", ("/etc/shadow", "/root")),
        ("evt.type = openat and evt.is_open_write = true", ()),
        ("evt.type = openat and proc.name = cat", None),
        ("evt.type = openat and not fd.name startswith /etc/", None),
        ("evt.type = execve", ()),
        ('evt.type = openat and fd.name regex "/proc/[0-9]+/mem"', ("/proc/",)),
        ('evt.type = openat and fd.name regex "/a|/b"', None),
        ("evt.type = openat and fd.name glob /home/*/.ssh/*", ("/home/",)),
        ("evt.type = openat and fd.name pmatch (/home/*/x, //etc//ssl/)", ("/etc/ssl", "/home/")),
        ("evt.type = openat and fd.filename startswith .env and fd.name startswith /home/", (".env",)),
        (
            "evt.type = openat and fd.filename in (a, b) or evt.type = open and fd.directory = /etc",
            ("/etc", "a", "b"),
        ),
        ("evt.type = openat and evt.is_open_write = true and fd.name startswith /etc", ()),
        ("evt.type = openat and evt.arg.name startswith /etc", None),  # may be a link to anywhere
        ("evt.type = openat and fd.nameraw startswith /etc", None),
        ("evt.type = read and fd.name startswith /etc", None),  # says only the number of the descriptor
        ("evt.type = read and proc.name = cat", ()),
        ("evt.type in (dup2, connect) and fd.type = ipv4", ()),
        ("evt.type = fchmod and fs.path.name startswith /etc", ()),
        ("fd.name startswith /etc", None),
        ("evt.type = execve and proc.fdopencount > 5", ()),
        ("evt.type = mmap and proc.fdopencount > 5", None),
    ],
)
def test_open_prefixes(condition: str, prefixes: tuple[str, ...] | None) -> None:
    matcher = compile_matcher(load_texts([("f", RULE.format(condition))]), DictSource())
    assert matcher.open_prefixes == prefixes


def test_our_rules_leave_plain_reads_to_the_kernel() -> None:
    """A rule of ours that takes any file would cost every scan; say a path or a name in it, or think again."""
    prefixes = compile_matcher(load_rules(), Fields()).open_prefixes
    assert prefixes is not None
    assert not [p for p in prefixes if "/home/dev/projects/app/node_modules/a/index.js".startswith(p)]
    assert not [p for p in prefixes if "/usr/lib/x86_64-linux-gnu/libc.so.6".startswith(p)]
    assert {"/etc/shadow", "/proc", ".env", "/home/dev/.ssh"} <= set(prefixes)


def test_event_types_are_those_that_can_match() -> None:
    matcher = compile_matcher(
        load_texts([("f", RULE.format("evt.type in (execve, execveat)"))]), DictSource()
    )
    assert event_numbers()["syscall_execve_19_x"] in matcher.event_types
    assert event_numbers()["syscall_openat_2_x"] not in matcher.event_types


def test_constants_decide_beforehand() -> None:
    rules = load_texts([("f", RULE.format("evt.type = openat and container.id != host"))])
    assert compile_matcher(rules, DictSource({"container.id": "host"})).event_types == frozenset()
    assert compile_matcher(rules, DictSource({"container.id": "abc"})).event_types
