"""The journey of one scan, one call a step: receive, plan, detonate, observe, judge, report."""

from __future__ import annotations

import contextlib
import functools
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from package_hunter.config import Settings, settings
from package_hunter.decoy.gateway import GatewayProcess
from package_hunter.decoy.spec import Upstream
from package_hunter.errors import HelperDiedError, HostError, HunterError
from package_hunter.intake.receive import ReceivedTarget, receive
from package_hunter.model.report import Report
from package_hunter.model.scan import BoxFile, Verdict
from package_hunter.observe.events import compile_rules
from package_hunter.pipeline.closing import Boxes
from package_hunter.pipeline.detonate import detonate
from package_hunter.pipeline.early_start import EarlyStart
from package_hunter.pipeline.encoded import try_encodings
from package_hunter.pipeline.folders import run_dir
from package_hunter.pipeline.hurried import hurry
from package_hunter.pipeline.judgement import english, judge_round, report_of
from package_hunter.pipeline.narrow import narrow
from package_hunter.pipeline.options import Say, Scan, ScanOptions, quiet
from package_hunter.pipeline.prepare import prepare_target
from package_hunter.pipeline.registry_down import registry_down
from package_hunter.pipeline.round_result import RoundResult, not_run
from package_hunter.pipeline.rounds import Round, depth_of, rounds
from package_hunter.pipeline.surroundings import keep
from package_hunter.pipeline.watchers import engine_of
from package_hunter.rules import Matcher, load_rules
from package_hunter.sandbox import pool, reap
from package_hunter.sensor.scap import check_writable


def scan_target(
    target: str | Path, options: ScanOptions, progress: Say = quiet, config: Settings | None = None
) -> Report:
    """Scan a directory, an archive or a purl. Raises HunterError where there is nothing to scan or no way to."""
    config = config or settings()
    with _begin(config) as ahead:
        matcher = load_matcher(options)
        if options.record is not None:
            check_writable(options.record)
        received = receive(target, config, ecosystem=options.ecosystem)
        try:
            request = ScanRequest(str(uuid.uuid4()), options, matcher, config, progress)
            return scan_received(request, received, ahead)
        finally:
            if received.kind == "archive" and received.path is not None:
                received.path.unlink(missing_ok=True)


def scan_archive(
    archive: IO[bytes],
    sha256: str,
    options: ScanOptions,
    scan_id: str,
    config: Settings,
    say: Say = quiet,
) -> Report:
    """The worker's way in: an open archive whose digest was verified."""
    received = ReceivedTarget("archive", "project", None, sha256, file=archive)
    try:
        with _begin(config) as ahead:
            request = ScanRequest(scan_id, options, load_matcher(options), config, say)
            return scan_received(request, received, ahead)
    finally:
        pool.fill()


def scan_purl(purl: str, options: ScanOptions, scan_id: str, config: Settings, say: Say = quiet) -> Report:
    """The worker's way in for a single package."""
    try:
        with _begin(config) as ahead:
            request = ScanRequest(scan_id, options, load_matcher(options), config, say)
            return scan_received(request, receive(purl, config, ecosystem=options.ecosystem), ahead)
    finally:
        pool.fill()  # a worker's next box finds its network made


def _begin(config: Settings) -> contextlib.AbstractContextManager[EarlyStart | None]:
    """What takes long, begun; nothing where no scan can be made."""
    return EarlyStart(config) if os.geteuid() == 0 else contextlib.nullcontext()


def load_matcher(options: ScanOptions) -> Matcher:
    """Rule files are read first: a mistake in them should cost nobody a scan."""
    if options.rule_files:
        return compile_rules(load_rules(options.rule_files, builtin=options.builtin_rules))
    return _own_matcher(options.builtin_rules)


@functools.cache
def _own_matcher(builtin: bool) -> Matcher:
    """Our own rules do not change: a worker compiles them once (0.3 s)."""
    return compile_rules(load_rules((), builtin=builtin))


@dataclass(frozen=True)
class ScanRequest:
    """What a scan is to be: by which rules, options and settings. ``say`` takes words of progress."""

    id: str
    options: ScanOptions
    matcher: Matcher
    config: Settings
    say: Say = quiet


def scan_received(request: ScanRequest, received: ReceivedTarget, ahead: EarlyStart | None) -> Report:
    """One scan from the received bytes (or the purl) to the report."""
    started = time.time_ns()
    if ahead is None:
        raise HostError("A scan needs root, for namespaces and the probe.", "Run it with sudo.")
    options, config = request.options, request.config
    engine_of(options, config)
    reap()
    deadline = time.monotonic() + config.scan_timeout
    ahead.planner.deadline = deadline
    with run_dir(config, request.id) as folder:
        with options.timed("receive"):
            stage = prepare_target(received, folder, config, request.say)
        scan = Scan(
            id=request.id,
            started=started,
            deadline=deadline,
            folder=folder,
            options=options,
            matcher=request.matcher,
            config=config,
            say=request.say,
            planner=ahead.planner,
            withheld=stage.credentials,
        )
        if options.on_source is not None:
            known = options.on_source(scan, stage.source_tree, ahead.upstreams())
            if known is not None:
                return known
        scan = replace(scan, indexes=ahead.indexes(), registry_hosts=ahead.registry_hosts())
        scan = replace(scan, depth=depth_of(scan, stage.source_tree), interpreters=ahead.interpreters())
        with options.timed("plan"):
            turns = rounds(scan, stage.source_tree)
        upstreams = ahead.upstreams()
        judged: list[RoundResult] = []
        boxes = Boxes()
        faults: list[str] = []  # ours, in further boxes: what those would have shown is not known
        locks: dict[tuple[str, str], tuple[BoxFile, ...]] = {}  # by plan: what its first box's fetch resolved
        for turn in turns:
            turn.plan.take_locks(locks.get(_kind_of(turn), ()))
            try:
                item = _run(scan, turn, upstreams, boxes, _last_key(judged), ahead.gateway())
            except HunterError as error:
                if not judged:
                    raise
                # what earlier boxes showed is not lost with this one
                judged.append(not_run(turn, error, (error.message,) if error.again else ()))
                continue
            locks.setdefault(_kind_of(turn), turn.plan.frozen)
            more = functools.partial(_further, scan, upstreams, boxes, faults)
            item = narrow(scan, stage.source_tree, item, more)
            item = hurry(scan, stage.source_tree, item, more)
            judged.append(try_encodings(scan, stage.source_tree, item, more))
        report = _unless_again(options, report_of(scan, stage, judged), judged, faults)
        _unless_down(judged, upstreams)
        boxes.close(report)
        return report


def _kind_of(turn: Round) -> tuple[str, str]:
    """What rounds of the same plan share: ecosystem and folder."""
    return turn.plan.target.ecosystem, turn.plan.project


def _run(
    scan: Scan,
    turn: Round,
    upstreams: Sequence[Upstream],
    boxes: Boxes,
    after: int = 0,
    process: GatewayProcess | None = None,
) -> RoundResult:
    """One round: detonated, observed, judged."""
    seen = detonate(scan, turn, upstreams, process)
    scan.say("Judging what was seen")
    with scan.options.timed("judge"):
        item = judge_round(turn, seen, after, english(scan.matcher))
    boxes.add(item, keep(scan, seen, item, after))
    return item


def _further(
    scan: Scan, upstreams: Sequence[Upstream], boxes: Boxes, faults: list[str], turn: Round, after: int = 0
) -> RoundResult:
    """A further round, to know more of one that was judged. What fails in it by a fault of ours is noted."""
    try:
        shown = _run(scan, turn, upstreams, boxes, after)
    except HunterError as error:
        if error.again:
            faults.append(error.message)
        raise
    faults += shown.faults
    return shown


def _unless_down(judged: Sequence[RoundResult], upstreams: Sequence[Upstream] = ()) -> None:
    """Raises UnreachableError where no round got anything of its registry."""
    down = [error for item in judged if (error := registry_down(item, upstreams)) is not None]
    if down and len(down) == len(judged):
        raise down[0]


def _unless_again(
    options: ScanOptions, report: Report, judged: Sequence[RoundResult], further: Sequence[str] = ()
) -> Report:
    """The report, unless it says too little through a fault of ours and the scan may be tried again. Faults of
    ``further`` boxes leave no verdict inconclusive; what they would have shown can still make it graver."""
    faults = [fault for item in judged for fault in item.faults]
    if faults and options.again and report.verdict is Verdict.INCONCLUSIVE:
        raise HelperDiedError(faults[0])
    if further and options.again and report.verdict is not Verdict.MALICIOUS:
        raise HelperDiedError(further[0])
    return report


def _last_key(judged: Sequence[RoundResult]) -> int:
    """The highest key of a process in the rounds so far."""
    return max((p.key for item in judged for p in item.observation.processes), default=0)
