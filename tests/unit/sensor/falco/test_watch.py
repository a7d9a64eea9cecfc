"""Which alerts are the box's, and what makes a watch incomplete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from package_hunter.errors import UnreachableError
from package_hunter.rules import compile_matcher, load_rules
from package_hunter.rules.source import DictEvent, DictSource
from package_hunter.sensor.falco.alert import parse
from package_hunter.sensor.falco.place import Take
from package_hunter.sensor.falco.watch import MARK, MARK_RULE, MARKED, PROOF_RULE, Box, FalcoWatch
from tests.support.falco_alerts import SCAN, alert, line

OTHER = "0123456789ab"
GROUPS = f"cpu=/package-hunter/{SCAN}/{'a' * 64} memory=/package-hunter/{SCAN}/{'a' * 64}"


class Source:
    """A way in that the test feeds."""

    refused = 0
    take: Take

    def start(self, take: Take) -> None:
        self.take = take

    def stop(self) -> None:
        pass


def watch(*lines: bytes, **more: Any) -> tuple[FalcoWatch, Source]:
    source = Source()
    found = FalcoWatch(source, Box(SCAN), **more)
    found.start()
    for said in lines:
        source.take(said)
    return found, source


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({}, True),  # container.id alone
        ({"container__id": OTHER}, False),
        ({"container__id": "host", "container__name": "host"}, False),
        ({"container__id": "9d51"}, False),  # too short to mean anything
        ({"container__id": OTHER, "container__name": f"package-hunter-{SCAN}"}, True),
        ({"container__id": OTHER, "container__name": f"package-hunter-{SCAN}-2"}, False),
        ({"container__id": "host", "thread__cgroups": GROUPS}, True),
        ({"container__id": "host", "thread__cgroups": GROUPS.replace(SCAN, f"{SCAN}-2")}, False),
        ({"container__id": None}, None),
        ({"container__id": "", "container__name": "<NA>"}, None),
    ],
)
def test_whose_alert_it_is(fields: dict[str, Any], own: bool | None) -> None:
    assert Box(SCAN).owns(parse(line(**fields))) is own


def test_only_the_boxs_alerts_are_kept() -> None:
    found, _ = watch(line("ours"), line("theirs", container__id=OTHER), line("again ours"))
    assert [a.rule for a in found.observation().alerts] == ["ours", "again ours"]
    assert found.reasons() == []


def test_more_alerts_than_the_limit_are_counted() -> None:
    found, _ = watch(*[line("loud")] * 5, max_alerts=2)
    assert len(found.observation().alerts) == 2
    assert found.observation().cut == {"alerts of loud": 3}


def mark(word: str, **fields: Any) -> bytes:
    return line(MARK_RULE, proc__args=word, **fields)


def test_marks() -> None:
    found, source = watch()
    first = found.new_mark()
    assert first != found.new_mark()
    source.take(mark(first))
    found.require(first, 0)
    assert found.observation().alerts == ()


def proof(word: str, *tags: str, rule: str = PROOF_RULE) -> bytes:
    said = alert(rule, proc__cmdline=f"{MARKED} {word}")
    return json.dumps({**said, "tags": list(tags)}).encode()


def test_a_built_in_rules_word_on_the_mark_shows_that_they_are_loaded() -> None:
    found, source = watch()
    first = found.new_mark()
    for other in (
        proof(MARK + "0" * 32, "kind:reconnaissance"),  # made by somebody else
        proof(first, "process"),  # another's rule of that name
        proof(first, "kind:reconnaissance", rule="A rule of the user's own"),
    ):
        source.take(other)
    assert not found.has_our_rules
    assert not found.wait_for_rules(0)
    source.take(proof(first, "T1082", "kind:reconnaissance"))
    assert found.wait_for_rules(0)
    assert [a.rule for a in found.observation().alerts][-1] == "A rule of the user's own"


def test_the_rule_of_the_proof_is_built_in_and_takes_the_mark() -> None:
    matcher = compile_matcher(load_rules(), DictSource())
    event = DictEvent({"evt.type": "execve", "evt.rawres": 0, "proc.name": MARKED, "proc.pname": "init"})
    assert [(r.name, r.tags[0][:5]) for r in matcher.matches(event)] == [(PROOF_RULE, "T1082")]
    assert any(tag.startswith("kind:") for r in matcher.matches(event) for tag in r.tags)


def test_a_mark_of_another_box_or_none() -> None:
    found, source = watch()
    word = found.new_mark()
    with pytest.raises(UnreachableError, match="nothing came from it at all"):
        found.require(word, 0)
    source.take(b"12:00:00: Notice not JSON")
    with pytest.raises(UnreachableError, match="json_output"):
        found.require(word, 0)
    source.take(mark(word, container__id="host"))
    with pytest.raises(UnreachableError, match="does not tell the box from others"):
        found.require(word, 0)


def test_losses() -> None:
    drop = line("Falco internal: syscall event drop", n_drops="12", container__id=None)
    found, source = watch(drop, drop, b"?", line("nameless", container__id=None))
    source.refused = 3
    assert found.dropped == 24
    text = " ".join(found.reasons())
    for words in ("lost 24 events", "3 alerts of Falco came too fast", "1 messages", "named no container"):
        assert words in text
    assert found.observation().dropped == 24


def test_a_drop_that_says_no_number_is_one() -> None:
    found, _ = watch(line("Falco internal: syscall event drop", n_drops="many"))
    assert found.dropped == 1


@pytest.mark.parametrize(("second", "reasons"), [((2_000, 7_000), 0), ((9_000_000_000, 1_000), 1)])
def test_a_falco_that_was_started_again(second: tuple[int, int], reasons: int) -> None:
    at, since = second
    found, source = watch()
    source.take(mark("package-hunter-mark-1", evt__rawtime=6_000, evt__reltime=5_000))
    source.take(mark("package-hunter-mark-2", evt__rawtime=at, evt__reltime=since))
    assert len(found.reasons()) == reasons


CHAIN = {
    "proc__pid": 50,
    "proc__name": "wget",
    "proc__cmdline": "wget x",
    "proc__cwd": "/p",
    "proc.apid[1]": 40,
    "proc.aname[1]": "sh",
    "proc.acmdline[1]": "sh -c wget x",
    "proc.apid[2]": 30,
    "proc.apid[3]": 0,
    "proc.apid[4]": 10,
}


def test_processes_and_connections_that_alerts_tell_of() -> None:
    end = "10.88.0.2:51482->198.18.1.1:443"
    found, _ = watch(
        line(**CHAIN, fd__name=end, fd__l4proto="tcp"), line(**{**CHAIN, "proc__cmdline": "wget y"})
    )
    seen = found.observation()
    by_pid = {p.pid: p for p in seen.processes}
    assert set(by_pid) == {50, 40, 30}
    assert (by_pid[50].cmdline, by_pid[50].execs, by_pid[50].cwd) == ("wget y", ("wget x",), "/p")
    assert by_pid[50].parent == by_pid[40].key
    assert by_pid[40].parent == by_pid[30].key
    assert by_pid[30].parent is None
    assert (by_pid[40].name, by_pid[40].cmdline) == ("sh", "sh -c wget x")
    (use,) = seen.sockets
    assert (use.process, use.address, use.port, use.local_port) == (by_pid[50].key, "198.18.1.1", 443, 51482)


def test_a_pid_that_was_used_again() -> None:
    found, _ = watch(line(proc__pid=5, **{"proc.pid.ts": 7}), line(proc__pid=5, **{"proc.pid.ts": 10}))
    assert [(p.pid, p.started_ns) for p in found.observation().processes] == [(5, 7), (5, 10)]


def test_hostile_fields() -> None:
    bad = {"proc.apid[1]": "x", "proc__pid": -5, "fd__name": "1.2.3.4:99999->1.2.3.4:1"}
    own_parent = {"proc__pid": 9, "proc.apid[1]": 9, "proc.apid[2]": 9}
    found, _ = watch(line(**bad), line(**own_parent))
    assert [(p.pid, p.parent) for p in found.observation().processes] == [(9, None)]
