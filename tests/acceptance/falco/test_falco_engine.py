"""Scans that a running Falco watches: `scan --engine falco`, from http_output and from a file."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from package_hunter.rules import builtin_files
from package_hunter.sensor.falco.place import Http, Lines, Place, Rpc, place
from package_hunter.sensor.falco.setup import RULE, falco_yaml
from tests.support import requires
from tests.support.fake_falco import FakeFalco, Send, file_output, http_output, plainly
from tests.support.hunter import HUNT, ROOT, hunt

SIMULATION = ROOT / "simulations/falco-test"
UNEXPECTED = "Unexpected outbound connection destination"


@pytest.fixture(autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _scan(tmp_path: Path, where: Place, send: Send, also: Any = plainly) -> dict[str, Any]:
    """The report of the simulation's scan."""
    done = _run(tmp_path, where, send, also)
    assert done.returncode in (0, 4), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _run(
    tmp_path: Path, where: Place, send: Send, also: Any = plainly, wait: str = "30"
) -> subprocess.CompletedProcess[str]:
    by_option = ["--engine", "falco"] if isinstance(where, Http) else []  # else by the setting, as a worker
    options = [*by_option, "--format", "json", "--fail-on", "never", "-q"]
    return _watched(tmp_path, where, send, also, ["scan", SIMULATION, *options], wait)


def _watched(
    tmp_path: Path,
    where: Place,
    send: Send,
    also: Any,
    command: list[Any],
    wait: str = "30",
    instead: Sequence[Path] = (),
) -> subprocess.CompletedProcess[str]:
    """`package-hunter COMMAND`, watched by a fake Falco that is set up as doctor says, or with other rules
    ``instead`` of our built-in ones."""
    rule = tmp_path / "package-hunter.yaml"
    rule.write_text(RULE)
    falco = FakeFalco([*instead, rule], falco_yaml(where), send, also, ours=not instead)
    setting = {Http: "url", Lines: "path", Rpc: "target"}[type(where)]
    env = {
        **os.environ,
        "PACKAGE_HUNTER_FALCO": str(getattr(where, setting)),
        "PACKAGE_HUNTER_FALCO_WAIT": wait,
    }
    if not isinstance(where, Http):
        env["PACKAGE_HUNTER_ENGINE"] = "falco"
    try:
        return falco.run([HUNT, *command], env)
    finally:
        if isinstance(send, http_output):
            send.close()


def _http() -> Http:
    return Http("127.0.0.1", _free_port(), "a-secret-of-the-test")


def test_alerts_come_by_http_and_are_blamed(tmp_path: Path) -> None:
    where = _http()
    report = _scan(tmp_path, where, http_output(where.url))
    alerts = [a for a in report["alerts"] if a["rule"] == UNEXPECTED]
    assert alerts
    blame = alerts[0]["blame"]
    assert blame["package"] == "pkg:npm/maldep@1.0.0"
    assert (blame["phase"], blame["script"]) == ("install", "preinstall")
    assert blame["confidence"] == "likely"  # never certain: an alert names ancestors as they are then
    assert "Falco" in blame["basis"]
    assert {a["output_fields"]["container.id"] for a in report["alerts"]} == {
        report["id"].replace("-", "")[:12]
    }
    assert report["coverage"]["reasons"] == []
    assert any(note.startswith("Falco was the engine") for note in report["coverage"]["notes"])
    assert report["verdict"] in ("suspicious", "malicious")
    assert any(r["blame"]["package"] == "pkg:npm/maldep@1.0.0" for r in report["network"]["requests"])
    own = hunt("scan", SIMULATION, "--format", "json", "--fail-on", "never", "-q")
    assert sorted(a["rule"] for a in json.loads(own.stdout)["alerts"]) == sorted(
        a["rule"] for a in report["alerts"]
    )


def test_alerts_come_by_file(tmp_path: Path) -> None:
    where = Lines(tmp_path / "falco.jsonl")
    where.path.write_text("not an alert, and from before\n")
    report = _scan(tmp_path, where, file_output(where.path))
    assert UNEXPECTED in {a["rule"] for a in report["alerts"]}
    assert report["coverage"]["reasons"] == []


def test_alerts_come_by_grpc(tmp_path: Path) -> None:
    from tests.support.falco_rpc_server import Server, response

    where = place(f"unix://{tmp_path}/falco.sock")
    assert isinstance(where, Rpc)
    server = Server(where.target)

    def send(alert: dict[str, Any]) -> None:
        fields = {
            key: "<NA>" if value is None else str(value) for key, value in alert["output_fields"].items()
        }
        server.waiting.append(
            response(alert["rule"], 5, int(alert["output_fields"]["evt.time"]), alert["tags"], **fields)
        )  # gRPC: every field is text

    report = _scan(tmp_path, where, send)
    server.stop()
    assert UNEXPECTED in {a["rule"] for a in report["alerts"]}, report["coverage"]
    found = next(a for a in report["alerts"] if a["rule"] == UNEXPECTED)
    assert (found["blame"]["package"], found["blame"]["confidence"]) == ("pkg:npm/maldep@1.0.0", "likely")
    assert report["coverage"]["reasons"] == []


def test_lost_events_and_a_new_start_are_said(tmp_path: Path) -> None:
    where = Lines(tmp_path / "falco.jsonl")
    told, marks = [], []

    def with_a_drop(alert: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if alert["rule"] == "Package Hunter mark":
            marks.append(alert)
            if len(marks) > 1:  # as after a new start
                alert["output_fields"]["evt.reltime"] = 5
        if not told and alert["rule"] == UNEXPECTED:
            told.append(True)
            text = "Falco internal: syscall event drop. 7 system calls dropped in last second."
            drop = {"rule": "Falco internal: syscall event drop", "priority": "Debug", "output": text}
            yield {**alert, **drop, "output_fields": {"n_evts": "100", "n_drops": "7"}, "tags": []}
        elif alert["rule"] == "Package Hunter mark":
            yield alert

    report = _scan(tmp_path, where, file_output(where.path), with_a_drop)
    assert report["coverage"]["dropped"] == 7
    assert "Falco lost 7 events during the scan." in report["coverage"]["reasons"]
    assert any("started again" in reason for reason in report["coverage"]["reasons"])


def test_a_silent_falco_is_no_acquittal(tmp_path: Path) -> None:
    where = Lines(tmp_path / "falco.jsonl")

    def nothing(alert: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from ()

    done = _run(tmp_path, where, file_output(where.path), nothing, "3")
    assert done.returncode == 69
    assert "Falco did not report the scan's own mark" in done.stderr
    assert "doctor --falco" in done.stderr


def test_doctor_tries_the_whole_way(tmp_path: Path) -> None:
    where = _http()
    done = _watched(tmp_path, where, http_output(where.url), plainly, ["doctor", "--falco"])
    assert "ok  falco: it reported our mark after" in done.stdout, done.stdout
    assert f"  url: {where.url}\n" in done.stdout
    assert RULE in done.stdout


def test_stock_rules_alone_acquit_nobody(tmp_path: Path) -> None:
    where = Lines(tmp_path / "falco.jsonl")
    stock = [requires.needs_shared("falco-rules") / "falco_rules.yaml"]
    command = ["scan", SIMULATION, "--format", "json", "-q"]
    done = _watched(tmp_path, where, file_output(where.path), plainly, command, instead=stock)
    assert done.returncode == 4, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "inconclusive"
    (reason,) = report["coverage"]["reasons"]
    assert "has not loaded the rules of Package Hunter" in reason
    assert all(str(file) in reason for file in builtin_files())


def test_doctor_names_the_rules_that_are_not_loaded(tmp_path: Path) -> None:
    where = Lines(tmp_path / "falco.jsonl")
    other = tmp_path / "other.yaml"
    other.write_text(
        "- rule: Facts about the machine asked for\n  desc: another's rule of that name\n"
        "  condition: evt.type = execve and proc.name = id\n  output: x %proc.cmdline\n  priority: NOTICE\n"
    )
    send = file_output(where.path)
    done = _watched(tmp_path, where, send, plainly, ["doctor", "--falco"], instead=[other])
    assert done.returncode == 70
    assert "NO  falco: it reported our mark, but has not loaded our rules" in done.stdout
    assert all(f"Load {file}" in done.stdout for file in builtin_files())


def test_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    env = {**os.environ, "PACKAGE_HUNTER_FALCO": str(tmp_path / "x"), "PACKAGE_HUNTER_FALCO_WAIT": "0.5"}
    done = hunt("doctor", "--falco", env=env)
    assert done.returncode == 70
    assert "NO  falco: it did not report our mark within 0.5 s; nothing came from it at all" in done.stdout
    done = hunt("doctor", "--falco", env={**os.environ, "PACKAGE_HUNTER_FALCO": ""})
    assert done.returncode == 70
    assert "PACKAGE_HUNTER_FALCO=http://127.0.0.1:2802/" in done.stdout


def test_what_cannot_go_together_is_refused(tmp_path: Path) -> None:
    env = {**os.environ, "PACKAGE_HUNTER_FALCO": str(tmp_path / "x")}
    base = ("scan", SIMULATION, "--engine", "falco")
    for extra, word in ((("--record", tmp_path / "x.scap"), "recorded"), (("--no-builtin-rules",), "rules")):
        done = hunt(*base, *extra, env=env)
        assert (done.returncode, word in done.stderr) == (2, True), done.stderr
    done = hunt(*base, env={**os.environ, "PACKAGE_HUNTER_FALCO": ""})
    assert done.returncode == 2
    assert "PACKAGE_HUNTER_FALCO" in done.stderr
