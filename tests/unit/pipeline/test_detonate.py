"""One telling of one box: what is done in which order, whoever watches, and also where something breaks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.errors import SandboxError
from package_hunter.model.box import BoxSpec
from package_hunter.model.observation import NetworkLog, Observation
from package_hunter.model.scan import CommandRun, Leftovers
from package_hunter.observe.watcher import WatchResult
from package_hunter.pipeline import detonate
from package_hunter.pipeline.options import ScanOptions
from package_hunter.pipeline.rounds import Round
from tests.support.pipeline_samples import TreePlan

ORDER = [
    *("watcher ready", "box created", "watcher attached", "gateway open", "gateway needed"),
    *("watcher begun", "box started"),
    *("watcher confirmed", "phases run", "box killed", "watcher finished", "gateway stopped"),
    *("watching ended", "box destroyed", "watcher gone"),
]
BREAKS = ("box created", "watcher attached", "gateway open", "box started", "watcher confirmed", "phases run")
LEFT = Leftovers(since_ns=5)


class Told(list[str]):
    """What was done; ``breaks`` is the step that fails."""

    def __init__(self, breaks: str | None) -> None:
        super().__init__()
        self.breaks = breaks

    def tell(self, step: str) -> None:
        self.append(step)
        if step == self.breaks:
            raise SandboxError(step)


class AnyWatcher:
    def __init__(self, told: Told, result: WatchResult) -> None:
        self.told, self.result = told, result

    def __enter__(self) -> AnyWatcher:
        self.told.tell("watcher ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.told.tell("watcher gone")

    def attach(self, box: object) -> None:
        self.told.tell("watcher attached")

    @contextlib.contextmanager
    def begin(self) -> Iterator[None]:
        self.told.tell("watcher begun")
        try:
            yield
        finally:
            self.told.tell("watching ended")

    def confirm(self) -> None:
        self.told.tell("watcher confirmed")

    def finish(self, runs: Sequence[CommandRun]) -> WatchResult:
        self.told.tell("watcher finished")
        return self.result


class AnyBox:
    gateway_netns, docker_socket, upper_dir = 0, None, Path("/nonexistent")

    def __init__(self, told: Told) -> None:
        self.told = told

    def __enter__(self) -> AnyBox:
        return self

    def __exit__(self, *_: object) -> None:
        self.told.tell("box destroyed")

    def create(self) -> None:
        self.told.tell("box created")

    def need(self, pidfd: int, name: str) -> None:
        assert (pidfd, name) == (AnyGateway.pidfd, "gateway")
        self.told.tell("gateway needed")

    def handed_out(self) -> None:
        """Packs nothing."""

    def start(self) -> None:
        self.told.tell("box started")

    def kill(self) -> None:
        self.told.tell("box killed")


class AnyGateway:
    pidfd, crashed, talker_killed = 99, False, False

    def __init__(self, told: Told, network: NetworkLog) -> None:
        self.told, self.network = told, network

    def start(self, *_: object) -> None:
        self.told.tell("gateway open")

    def freeze(self) -> None:
        self.told.tell("tree frozen")

    def allow(self, *_: object) -> None:
        pass

    def stop(self) -> NetworkLog:
        self.told.tell("gateway stopped")
        return self.network


def told(
    monkeypatch: pytest.MonkeyPatch,
    breaks: str | None = None,
    result: WatchResult | None = None,
    network: NetworkLog | None = None,
) -> tuple[Told, detonate.Sighting | None]:
    """What was done, and what was seen where it came to its end."""
    steps = Told(breaks)

    def phases(*_: object) -> tuple[list[str], Leftovers]:
        steps.tell("phases run")
        return ["A phase was late."], LEFT

    monkeypatch.setattr(detonate, "RuncSandbox", lambda _: AnyBox(steps))
    monkeypatch.setattr(detonate, "run_phases", phases)
    monkeypatch.setattr(detonate, "without_scripts", lambda *_: None)
    turn = Round(TreePlan({}, []), WORLDS["default"], "id", Path())
    anything: Any = SimpleNamespace(options=ScanOptions())
    gateway: Any = AnyGateway(steps, network or NetworkLog())
    watcher = AnyWatcher(steps, result or WatchResult(Observation()))
    try:
        return steps, detonate._watched(anything, turn, BoxSpec("id"), gateway, watcher)
    except SandboxError:
        return steps, None


def test_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, seen = told(monkeypatch)
    assert steps == ORDER
    assert seen is not None and seen.left == LEFT and seen.reasons == ["A phase was late."]


@pytest.mark.parametrize("breaks", BREAKS)
def test_what_breaks_is_cleared_away_in_the_same_order(monkeypatch: pytest.MonkeyPatch, breaks: str) -> None:
    steps, seen = told(monkeypatch, breaks)
    done = ORDER[: ORDER.index(breaks) + 1]
    ended = ["watching ended"] if "watcher begun" in done else []
    assert steps == [*done, *ended, "box destroyed", "watcher gone"]
    assert seen is None


def test_reasons_and_faults_of_all_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    result = WatchResult(Observation(), ("It was blind.",), dropped=3, fault="The reader was killed.")
    network = NetworkLog(cut={"gateway_errors": 2, "gateway_failed": 1})
    _, seen = told(monkeypatch, result=result, network=network)
    assert seen is not None
    assert [reason.partition(" ")[0] for reason in seen.reasons] == ["A", "It", "The", "The"]
    assert "in 2 connections" in seen.reasons[2] and "ended unexpectedly" in seen.reasons[3]
    assert seen.faults == ("The reader was killed.", "The gateway ended in the middle of the scan.")
    assert seen.dropped == 3


def test_alerts_do_not_tell_when_a_process_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = told(monkeypatch, result=WatchResult(Observation(), by_falco=True))
    assert seen is not None and seen.by_falco and seen.left == replace(LEFT, since_ns=None)
