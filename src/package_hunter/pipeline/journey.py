"""The journey of one scan, one call a step: receive, plan, detonate, observe, judge, report."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

from package_hunter.config import Settings, settings
from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.gateway import Gateway
from package_hunter.decoy.upstream import discover
from package_hunter.errors import HostError
from package_hunter.intake.receive import Received, receive
from package_hunter.model.report import Report
from package_hunter.observe import compile_rules
from package_hunter.pipeline.detonate import detonate
from package_hunter.pipeline.judgement import judge_seen
from package_hunter.pipeline.options import Say, Scan, ScanOptions, quiet
from package_hunter.pipeline.prepare import box_spec, gateway_spec, lay_plan, places, run_dir, stage_target
from package_hunter.rules import Engine, load_rules
from package_hunter.sandbox import reap


def scan_target(
    target: str | Path, options: ScanOptions, progress: Say = quiet, config: Settings | None = None
) -> Report:
    """Scan a directory, an archive or a purl. Raises HunterError where there is nothing to scan or no way to."""
    config = config or settings()
    engine = load_engine(options)
    received = receive(target, config)
    try:
        return scan_received(received, str(uuid.uuid4()), options, engine, progress, config)
    finally:
        if received.kind == "archive" and received.path is not None:
            received.path.unlink(missing_ok=True)


def scan_archive(path: Path, options: ScanOptions, scan_id: str, config: Settings) -> Report:
    """The worker's way in: an archive whose digest was verified, stored under that digest."""
    received = Received("archive", "project", path, path.name)
    return scan_received(received, scan_id, options, load_engine(options), quiet, config)


def scan_purl(purl: str, options: ScanOptions, scan_id: str, config: Settings) -> Report:
    """The worker's way in for a single package."""
    return scan_received(receive(purl, config), scan_id, options, load_engine(options), quiet, config)


def load_engine(options: ScanOptions) -> Engine:
    """Rule files are read first: a mistake in them should cost nobody a scan."""
    return compile_rules(load_rules(options.rule_files, builtin=options.builtin_rules))


def scan_received(
    received: Received, scan_id: str, options: ScanOptions, engine: Engine, say: Say, config: Settings
) -> Report:
    """One scan from the received bytes (or the purl) to the report."""
    started = time.time_ns()
    if os.geteuid() != 0:
        raise HostError("A scan needs root, for namespaces and the probe.", "Run it with sudo.")
    reap()
    with run_dir(config, scan_id) as folder:
        scan = Scan(scan_id, started, folder, options, engine, config, say)
        stage = stage_target(scan, received)
        if options.on_staged is not None and (known := options.on_staged(stage.staged)) is not None:
            return known
        plan, left = lay_plan(scan, stage.staged)
        upstreams = discover(cache_dir=config.data_dir / "cache" / "config")
        canaries, files, env = make_canaries(scan_id, upstreams=upstreams, project=plan.project)
        with Gateway(gateway_spec(scan, upstreams, canaries)) as gateway:
            spec = box_spec(scan, plan, gateway, upstreams, files, env)
            seen = detonate(scan, spec, plan, gateway, places(canaries))
        say("Judging what was seen")
        return judge_seen(scan, plan, seen, canaries, stage, left)
