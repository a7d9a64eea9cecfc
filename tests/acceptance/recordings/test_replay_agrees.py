"""What a scan said, its recording says again: alert by alert, and all else that was seen."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from package_hunter.model.event import event_numbers
from package_hunter.sensor.scap import ScapReader
from tests.support import requires
from tests.support.hunter import ROOT, hunt

SCANS = ["falco-test", "persistence", "shai-hulud-1", "pkg:npm/is-number@7.0.0", "local"]
MORE = ["registry-worm", "eslint-scope", "roku-reverse-shell", "pkg:npm/semver", "pkg:npm/ms"]
LONG = pytest.mark.skipif(
    os.environ.get("PACKAGE_HUNTER_ALL_RECORDINGS") != "1", reason="five more scans: make recordings"
)
KEYS = ("time", "rule", "priority", "output", "output_fields", "tags", "source")


def _alerts(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: alert[key] for key in KEYS} for alert in alerts]


def _who(alert: dict[str, Any]) -> tuple[str, ...]:
    """Blame, less what only the scan's list of packages tells."""
    return tuple(alert["blame"][key] for key in ("phase", "package", "script", "pid", "cmdline"))


@pytest.mark.parametrize("name", [*SCANS, *(pytest.param(more, marks=LONG) for more in MORE)])
def test_replay_gives_what_the_scan_gave(record: Any, name: str) -> None:
    live = record(name)
    lines = hunt("replay", live.scap, "--format", "falco", "--fail-on", "never")
    assert lines.returncode == 0, lines.stderr
    assert _alerts([json.loads(line) for line in lines.stdout.splitlines()]) == _alerts(live.report["alerts"])
    whole = json.loads(hunt("replay", live.scap, "--format", "json", "--fail-on", "never").stdout)
    assert _alerts(whole["alerts"]) == _alerts(live.report["alerts"])
    assert [_who(a) for a in whole["alerts"]] == [_who(a) for a in live.report["alerts"]]
    assert whole["events"] == live.report["coverage"]["events"] > 1000
    assert [(p["pid"], p["cmdline"]) for p in whole["processes"]] == [
        (p["pid"], p["cmdline"]) for p in live.report["processes"]
    ]
    assert [r["path"] for r in whole["canary_reads"]] == [r["path"] for r in live.report["canaries"]["read"]]
    assert sorted({f["path"] for f in whole["files"] if f["action"] == "deleted"}) == sorted(
        {f["path"] for f in live.report["files"]["deleted"]}
    )
    if name == "falco-test":
        assert "Unexpected outbound connection destination" in {a["rule"] for a in live.report["alerts"]}


def test_text_form_names_the_same_rules(record: Any) -> None:
    live = record("falco-test")
    shown = hunt("replay", live.scap, "--fail-on", "never").stdout
    for alert in live.report["alerts"]:
        assert alert["output"].strip() in shown


NARROW = """
- rule: Nothing that happens
  desc: one rule that needs a single event type
  condition: evt.type = mount and proc.name = nobody-has-this-name
  output: never
  priority: NOTICE
"""


def test_a_recorded_scan_takes_every_event_whatever_rules_are_loaded(tmp_path: Path, record: Any) -> None:
    rules, scap = tmp_path / "narrow.yaml", tmp_path / "narrow.scap"
    rules.write_text(NARROW)
    options = ["--record", scap, "--rules", rules, "--no-builtin-rules", "--fail-on", "never", "-q"]
    done = hunt("scan", ROOT / "simulations/falco-test", *options, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["alerts"] == []
    replayed = hunt("replay", scap, "--format", "falco", "--fail-on", "never").stdout.splitlines()
    wanted = [a["rule"] for a in record("falco-test").report["alerts"]]
    assert sorted(json.loads(line)["rule"] for line in replayed) == sorted(wanted)
    with ScapReader(scap) as recording:
        kinds = {raw[20] | raw[21] << 8 for raw, cpu in recording}
    number = event_numbers()
    unasked = ("syscall_prctl_x", "syscall_prlimit_x", "syscall_pipe2_x", "syscall_eventfd2_x", "generic_x")
    assert {number[key] for key in unasked} <= kinds


def test_other_rules_on_yesterdays_scan(tmp_path: Path, record: Any) -> None:
    rules = tmp_path / "mine.yaml"
    rules.write_text(
        NARROW.replace("evt.type = mount", "evt.type = execve").replace("nobody-has-this-name", "wget")
    )
    options = ["--rules", rules, "--no-builtin-rules", "--format", "falco", "--fail-on", "never"]
    lines = hunt("replay", record("falco-test").scap, *options).stdout.splitlines()
    assert [json.loads(line)["rule"] for line in lines] == ["Nothing that happens"]


@pytest.mark.parametrize("place", ["nowhere/x.scap", "."])
def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path, place: str) -> None:
    requires.needs_root()
    done = hunt("scan", ROOT / "simulations/falco-test", "--record", tmp_path / place)
    assert done.returncode == 2
    assert "recording cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []
