"""Who watches a round: our own probe, or a Falco that runs already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.model.box import BoxSpec
from package_hunter.model.ecosystem import facts_of
from package_hunter.observe.falco import FalcoWatcher
from package_hunter.observe.probe import ProbeWatcher
from package_hunter.observe.watcher import Watcher, WatchSpec
from package_hunter.pipeline.options import Scan, ScanOptions
from package_hunter.pipeline.rounds import Round
from package_hunter.sensor.falco import place


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


def driver_of(turn: Round) -> str:
    """How the command line of our own program begins that lets the manager run one script; empty without one."""
    facts = facts_of(turn.plan.target.ecosystem)
    return facts.driver if facts is not None else ""


def watcher_of(scan: Scan, turn: Round, box: BoxSpec, names: Path, canaries: Mapping[str, str]) -> Watcher:
    """The watcher of a round's box. ``names`` is the gateway's table of addresses, ``canaries`` maps paths in the
    box to canary ids."""
    config = scan.config
    spec = WatchSpec(
        scan_id=scan.id,
        target=turn.plan.target.name,
        box=box,
        driver=driver_of(turn),
        canaries=canaries,
        names=names,
        folder=turn.folder,
        record=turn.record,
        fetches_alone=turn.plan.fetches_alone,
        ring_bytes=config.ring_bytes,
        max_alerts=config.max_alerts,
        max_records=config.max_records,
    )
    if engine_of(scan.options, config) == "falco":
        return FalcoWatcher(spec, config.falco, config.falco_wait, scan.say)
    return ProbeWatcher(spec, scan.matcher)
