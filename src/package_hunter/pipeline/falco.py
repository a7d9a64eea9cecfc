"""A round that a running Falco watches, in place of our own probe."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from package_hunter.config import Settings
from package_hunter.decoy.gateway import Gateway
from package_hunter.errors import UsageError
from package_hunter.model.box import BoxSpec
from package_hunter.model.observation import Canary, Observation
from package_hunter.model.scan import Command, CommandRun
from package_hunter.observe.events import without_own
from package_hunter.pipeline.options import Scan, ScanOptions
from package_hunter.pipeline.phases import run_phases, without_scripts
from package_hunter.pipeline.rounds import Round
from package_hunter.rules import builtin_files
from package_hunter.sandbox import RuncSandbox
from package_hunter.sensor.falco import MARKED, Box, FalcoWatch, open_source, place

if TYPE_CHECKING:
    from package_hunter.pipeline.detonate import Seen

_MARK_SECONDS = 10.0
_LAST_MARK_SECONDS = 30.0
_DROP_CHECK_SECONDS = 1.1  # Falco looks for lost events once a second, when an event comes
NOTE = (
    "Falco was the engine: alerts are those of its rules, and what raised none is not known. There is no record "
    "of processes, files and connections beyond the alerts, of reads of canaries, or of events; what left the "
    "box was searched for canaries all the same."
)


def engine_of(options: ScanOptions, config: Settings) -> str:
    """``probe`` or ``falco``. UsageError where what was asked for cannot go together."""
    engine = options.engine or config.engine
    if engine == "falco":
        place(config.falco)
        if options.record is not None:
            raise UsageError("Falco's alerts cannot be recorded.", "Leave --record or --engine falco out.")
        if options.rule_files or not options.builtin_rules:
            raise UsageError(
                "With Falco as the engine, the rules are those that Falco has loaded.",
                "Give rule files to Falco, or leave --engine falco out.",
            )
    return engine


def watched_by_falco(
    scan: Scan, turn: Round, spec: BoxSpec, gateway: Gateway, canaries: Sequence[Canary], driver: str
) -> Seen:
    """Build the box, see that Falco watches it, run the phases in it, and wait until Falco has said all."""
    from package_hunter.pipeline.detonate import Seen, gateway_failures, open_gateway

    scan.say("Building the box")
    watch = FalcoWatch(open_source(scan.config.falco), Box(spec.scan_id), scan.config.max_alerts)
    with contextlib.ExitStack() as undo:
        box = RuncSandbox(spec)
        undo.callback(box.destroy)
        box.create()
        open_gateway(gateway, box, turn)
        watch.start()
        undo.callback(watch.stop)
        box.start()
        scan.say("Waiting for Falco")
        mark = watch.new_mark()
        first = box.run(Command((MARKED, mark), "/", timeout=_MARK_SECONDS), "mark")
        watch.require(mark, scan.config.falco_wait)
        runs: list[CommandRun] = []
        reasons, left = run_phases(scan, box, turn, runs)
        scriptless = without_scripts(turn, box)
        box.kill()
        reasons += _last_words(watch)
        watch.stop()
        network = gateway.stop()
        observation = _of_the_phases(watch.observation(), first, box.init_pid, driver)
        reasons += [*watch.reasons(), *_without_our_rules(watch), *gateway_failures(network)]
        return Seen(
            runs,
            observation,
            network,
            reasons,
            tuple(canaries),
            dropped=watch.dropped,
            by_falco=True,
            left=replace(left, since_ns=None),  # alerts do not tell when a process ended
            scriptless=scriptless,
        )


def _last_words(watch: FalcoWatch) -> list[str]:
    """Waits until Falco has said all of a box that is gone; a sentence where it has not.

    Outputs come in order, so a mark (made on the host now) comes after all alerts of the box; the second one
    makes Falco look for events that it lost in the last second.
    """
    for pause in (_DROP_CHECK_SECONDS, 0.0):
        mark = watch.new_mark()
        subprocess.run(["true", mark], check=True)
        if watch.wait(mark, _LAST_MARK_SECONDS) is None:
            return [
                f"Falco did not answer within {_LAST_MARK_SECONDS:g} s at the end: alerts may be missing."
            ]
        time.sleep(pause)
    return []


def _without_our_rules(watch: FalcoWatch) -> list[str]:
    """A sentence where Falco judges by other rules than ours alone."""
    if watch.has_our_rules:
        return []
    return [
        "Falco has not loaded the rules of Package Hunter: what only they look for was not seen. "
        f"Add {', '.join(map(str, builtin_files()))} to rules_files in falco.yaml (or put a copy into "
        "/etc/falco/rules.d), with priority: debug and rule_matching: all."
    ]


def _of_the_phases(seen: Observation, first: CommandRun, init_pid: int, driver: str) -> Observation:
    """Without what is ours: the mark, what was before it, and the box's first process."""
    alerts = tuple(a for a in seen.alerts if a.time_ns >= first.started_ns and a.pid != first.pid)
    processes = tuple(p for p in seen.processes if p.pid != first.pid)
    left = replace(seen, alerts=alerts, processes=processes, notes=(*seen.notes, NOTE))
    return without_own(left, init_pid, driver)
