"""The journey of one scan: receive, plan, detonate, observe, judge, report. Start reading here."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.config import Settings, settings
from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.gateway import Gateway, GatewaySpec
from package_hunter.decoy.spec import Limits as GatewayLimits
from package_hunter.decoy.upstream import box_environment, discover
from package_hunter.ecosystems import BoxTree, Plan, PlanOptions, Staged, plans, stage
from package_hunter.ecosystems.npm.plan import LIFECYCLE
from package_hunter.enrich.blame import Blamer
from package_hunter.enrich.blame_attach import blame_network, blame_observation
from package_hunter.errors import HostError, SandboxError
from package_hunter.findings import explanation, judge, verdict
from package_hunter.intake.limits import Limits as IntakeLimits
from package_hunter.intake.receive import Received, receive
from package_hunter.intake.run import run_unpacker
from package_hunter.model.box import BOX_V4, BOX_V6, HOME, HOST_ID_BASE, BoxLimits, BoxSpec
from package_hunter.model.observation import Canary, NetworkLog, Observation
from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import CommandRun, Coverage, Phase, ScanStatus
from package_hunter.model.table import ContainerInfo, StartState
from package_hunter.observe import compile_rules, wanted_events
from package_hunter.observer import Observer
from package_hunter.policy import decide
from package_hunter.rules import Engine, load_rules
from package_hunter.sandbox import RuncSandbox, reap
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe, ScanSensor
from package_hunter.sensor.state import start_state

Say = Callable[[str], None]
HOSTNAME = "devbox"


@dataclass(frozen=True)
class ScanOptions:
    """What the user asked for. ``phases`` come after the fetch, which is always done."""

    ecosystem: str | None = None
    phases: tuple[str, ...] = ("install", "import")
    rule_files: tuple[Path, ...] = ()
    builtin_rules: bool = True
    record: Path | None = None


@dataclass
class _Seen:
    """What detonating a plan gave."""

    runs: list[CommandRun]
    observation: Observation
    network: NetworkLog
    reasons: list[str]
    dropped: int = 0


def _quiet(message: str) -> None:
    """No progress."""


def scan_target(
    target: str | Path, options: ScanOptions, progress: Say = _quiet, config: Settings | None = None
) -> Report:
    """Scan a directory, an archive or a purl. Raises HunterError where there is nothing to scan or no way to."""
    config = config or settings()
    engine = _engine(options)
    received = receive(target, config)
    try:
        return _scan(received, str(uuid.uuid4()), options, engine, progress, config)
    finally:
        if received.kind == "archive" and received.path is not None:
            received.path.unlink(missing_ok=True)


def scan_archive(path: Path, ecosystem: str | None, scan_id: str, config: Settings) -> Report:
    """The worker's way in: an archive whose digest was verified, stored under that digest."""
    options = ScanOptions(ecosystem=ecosystem)
    received = Received("archive", "project", path, path.name)
    return _scan(received, scan_id, options, _engine(options), _quiet, config)


def scan_purl(purl: str, ecosystem: str | None, scan_id: str, config: Settings) -> Report:
    """The worker's way in for a single package."""
    options = ScanOptions(ecosystem=ecosystem)
    return _scan(receive(purl, config), scan_id, options, _engine(options), _quiet, config)


def _engine(options: ScanOptions) -> Engine:
    """Rule files are read first: a mistake in them should cost nobody a scan."""
    return compile_rules(load_rules(options.rule_files, builtin=options.builtin_rules))


def _scan(
    received: Received, scan_id: str, options: ScanOptions, engine: Engine, say: Say, config: Settings
) -> Report:
    started = time.time_ns()
    if os.geteuid() != 0:
        raise HostError("A scan needs root, for namespaces and the probe.", "Run it with sudo.")
    reap()
    with _run_dir(config, scan_id) as run_dir:
        staged, notes, withheld = _stage(received, run_dir, config, say)
        plan, left = _plan(staged, options, config)
        upstreams = discover(cache_dir=config.data_dir / "cache" / "config")
        canaries, files, env = make_canaries(scan_id, upstreams=upstreams, project=plan.project)
        gateway = Gateway(_gateway_spec(scan_id, run_dir, upstreams, canaries, config))
        with gateway:
            spec = BoxSpec(
                scan_id=scan_id,
                project_name=Path(plan.project).name,
                project_dir=plan.plant,
                files=(*files, *plan.files),
                env={**env, **box_environment(upstreams), **plan.env},
                ca_pem=gateway.ca_pem,
                hostname=HOSTNAME,
                limits=_box_limits(config),
            )
            seen = _detonate(spec, plan, gateway, engine, _places(canaries), options, run_dir, say, config)
        say("Judging what was seen")
        report = _judge(seen, plan, canaries, scan_id, started, (*notes, *plan.notes), withheld, left)
    return report


@contextlib.contextmanager
def _run_dir(config: Settings, scan_id: str) -> Iterator[Path]:
    """The scan's working files, gone at its end. Its parents can be passed through by the gateway's user."""
    runs = config.data_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for folder in (config.data_dir, config.data_dir / "cache", runs):
        folder.mkdir(exist_ok=True)
        folder.chmod(folder.stat().st_mode | 0o011)
    path = runs / scan_id
    path.mkdir(mode=0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _stage(
    received: Received, run_dir: Path, config: Settings, say: Say
) -> tuple[Staged, tuple[str, ...], tuple[str, ...]]:
    """The target as an unpacked tree, with notes and the credential files that were kept out."""
    if received.kind == "purl":
        return stage(received.name, purl=received.purl), (), ()
    assert received.path is not None
    say(f"Unpacking {received.name}")
    dest = run_dir / "project"
    unpacked = run_unpacker(received.path, dest, IntakeLimits.of(config))
    withheld = tuple(item.path for item in unpacked.withheld)
    kept_out = tuple(f"{item.path} was kept out of the box: {item.why}" for item in unpacked.withheld)
    staged = stage(received.name, dest, unpacked.top, received.sha256)
    return staged, (*unpacked.notes, *kept_out), withheld


def _plan(staged: Staged, options: ScanOptions, config: Settings) -> tuple[Plan, list[str]]:
    chosen = PlanOptions(phases=("fetch", *options.phases), phase_timeout=config.phase_timeout)
    first, *others = plans(staged, chosen, options.ecosystem)
    left = [
        f"The project is also of {other.target.ecosystem}, which this scan left out; "
        f"scan it with --ecosystem {other.target.ecosystem}."
        for other in others
    ]
    return first, left


def _gateway_spec(
    scan_id: str, run_dir: Path, upstreams: Sequence[object], canaries: Sequence[Canary], config: Settings
) -> GatewaySpec:
    folder = run_dir / "gateway"
    folder.mkdir()
    limits = GatewayLimits(
        connections=config.max_connections,
        records=config.max_gateway_records,
        body_bytes=config.max_body_bytes,
    )
    return GatewaySpec(
        scan_id,
        folder,
        config.data_dir / "cache" / "registry",
        upstreams=tuple(upstreams),  # type: ignore[arg-type]
        canaries=tuple(canaries),
        limits=limits,
        offline=config.offline,
        cache_bytes=config.cache_bytes,
    )


def _box_limits(config: Settings) -> BoxLimits:
    return BoxLimits(
        memory_bytes=config.box_memory_bytes,
        upper_bytes=config.box_upper_bytes,
        upper_inodes=config.box_upper_inodes,
        pids=config.box_pids,
        cpus=config.box_cpus,
    )


def _places(canaries: Sequence[Canary]) -> dict[str, str]:
    """Path in the box -> canary, for those that lie in files."""
    return {c.place: c.id for c in canaries if not c.place.startswith("env:")}


def _detonate(
    spec: BoxSpec,
    plan: Plan,
    gateway: Gateway,
    engine: Engine,
    places: Mapping[str, str],
    options: ScanOptions,
    run_dir: Path,
    say: Say,
    config: Settings,
) -> _Seen:
    """Build the box, watch it, run the phases in it; everything is gone when this returns."""
    say("Building the box")
    with Probe(object_path()) as probe, contextlib.ExitStack() as undo:
        probe.attach()
        sensor = probe.open_scan(config.ring_bytes, None if options.record else wanted_events(engine))
        undo.callback(sensor.close)
        box = RuncSandbox(spec)
        undo.callback(box.destroy)
        box.create()
        sensor.register(box.init_pid)
        gateway.start(box.gateway_netns)
        for allow in plan.registry:
            gateway.allow(allow)
        observer = Observer(sensor, engine, box.cgroup_paths, run_dir)
        undo.callback(observer.abort)
        observer.start(
            _start_state(spec, box.init_pid, sensor),
            gateway.names_path,
            places,
            options.record,
            config.max_alerts,
            config.max_records,
        )
        box.start()
        runs: list[CommandRun] = []
        reasons = _phases(box, plan, runs, options, say, config)
        box.kill()
        observation, failed = observer.finish()
        observation = _without_init(observation, box.init_pid)
        network = gateway.stop()
        seen = _Seen(runs, observation, network, [*reasons, *([failed] if failed else [])])
        _count_losses(seen, sensor)
    return seen


def _without_init(observation: Observation, init_pid: int) -> Observation:
    """What was seen, less what the box's first process did itself: that is our own code, and the runtime's
    before it."""
    own = {p.key for p in observation.processes if p.pid == init_pid}
    # our own spawn that lets npm run one lifecycle script: npm's code reads its settings there, no package's
    drivers = {
        p.key for p in observation.processes if p.parent in own and p.cmdline.startswith(f"node {LIFECYCLE} ")
    }
    processes = (
        replace(p, name="init", cmdline="init") if p.key in own else p for p in observation.processes
    )
    return replace(
        observation,
        processes=tuple(processes),
        alerts=tuple(a for a in observation.alerts if a.pid != init_pid),
        files=tuple(f for f in observation.files if f.process not in own),
        canary_reads=tuple(r for r in observation.canary_reads if r.process not in own | drivers),
    )


def _start_state(spec: BoxSpec, init_pid: int, sensor: ScanSensor) -> StartState:
    """What is known before the first event: the box's first process, users, addresses, container."""
    dev = HOST_ID_BASE + 1000
    state = start_state(
        init_pid,
        boot_ns=sensor.boot_ns,
        container=ContainerInfo(
            id=spec.scan_id.replace("-", "")[:12],
            name=spec.container_name,
            image_repository=f"package-hunter/{spec.project_name}",
        ),
        users={HOST_ID_BASE: ("root", "/root", "/bin/bash"), dev: ("dev", HOME, "/bin/bash")},
        groups={HOST_ID_BASE: "root", dev: "dev"},
        hostname=spec.hostname,
    )
    local = (
        socket.inet_pton(socket.AF_INET, BOX_V4),
        socket.inet_pton(socket.AF_INET6, BOX_V6),
        socket.inet_aton("127.0.0.1"),
        socket.inet_pton(socket.AF_INET6, "::1"),
    )
    return replace(state, interfaces=local)


def _phases(
    box: RuncSandbox, plan: Plan, runs: list[CommandRun], options: ScanOptions, say: Say, config: Settings
) -> list[str]:
    """Run every phase in order. Sentences about what kept it from being whole."""
    tree = BoxTree(box.upper_dir)
    deadline = time.monotonic() + config.scan_timeout
    reasons: list[str] = []
    try:
        _run(box, plan.fetch, runs, say, deadline, reasons)
        _refuse(plan, runs)
        install = plan.after_fetch(tree, runs)
        _refuse(plan, runs)
        if "install" in options.phases:
            _run(box, install, runs, say, deadline, reasons)
        for phase in plan.later(tree):
            _run(box, phase, runs, say, deadline, reasons)
        say("Waiting for what still runs")
        box.settle(config.settle_seconds)
        reasons += box.limits_hit()
    except SandboxError as error:
        reasons.append(f"The box broke during the scan: {error.message}")
    return reasons


def _refuse(plan: Plan, runs: Sequence[CommandRun]) -> None:
    """An unknown package or a dead registry ends the scan with its own exit code."""
    failure = plan.failure(runs)
    if failure is not None:
        raise failure


def _run(
    box: RuncSandbox, phase: Phase, runs: list[CommandRun], say: Say, deadline: float, reasons: list[str]
) -> None:
    for command in phase.commands:
        left = deadline - time.monotonic()
        if left <= 0:
            late = f"The scan's time was over before the {phase.name} phase ended."
            if late not in reasons:
                reasons.append(late)
            return
        say(f"{phase.name}: {command.script or command.argv[0]} {command.blame_purl or ''}".rstrip())
        runs.append(box.run(replace(command, timeout=min(command.timeout, left)), phase.name, phase.world))


def _count_losses(seen: _Seen, sensor: ScanSensor) -> None:
    stats = sensor.stats()
    seen.dropped = stats.lost + stats.orphans
    if stats.lost:
        seen.reasons.append(f"{stats.lost} events were lost (thread {stats.last_lost_tid} lost the last).")
    if stats.orphans:
        seen.reasons.append(f"{stats.orphans} processes could not be followed.")
    if seen.network.cut.get("gateway_failed"):
        seen.reasons.append("The gateway ended unexpectedly: what was sent after that is not known.")


def _judge(
    seen: _Seen,
    plan: Plan,
    canaries: Sequence[Canary],
    scan_id: str,
    started: int,
    notes: tuple[str, ...],
    withheld: tuple[str, ...],
    left: list[str],
) -> Report:
    """Blame, findings, verdict, decision: the report."""
    observation, packages = seen.observation, plan.inventory()
    blamer = Blamer(seen.runs, observation.processes, packages, observation.files)
    observation = blame_observation(observation, blamer)
    network = blame_network(seen.network, observation, blamer)
    planned = plan.coverage(seen.runs)
    coverage: Coverage = replace(
        planned,
        events=observation.events,
        dropped=seen.dropped,
        frozen_seconds=observation.frozen_seconds,
        reasons=(*planned.reasons, *seen.reasons, *left),
        notes=(*planned.notes, *notes, *observation.notes),
    )
    findings = judge(
        observation, network, canaries, packages, coverage, blamer.blame, host_facts=(HOSTNAME, plan.project)
    )
    result = verdict(findings, coverage)
    return Report(
        id=scan_id,
        target=plan.target,
        started=started,
        finished=time.time_ns(),
        status=ScanStatus.FINISHED,
        verdict=result,
        decision=decide(result, findings),
        coverage=coverage,
        packages=packages,
        alerts=observation.alerts,
        findings=findings,
        network=network,
        canaries=Canaries(tuple(canaries), observation.canary_reads, network.hits, withheld),
        processes=observation.processes,
        files=observation.files,
        explanation=tuple(explanation(findings, coverage)),
        cut={**observation.cut, **network.cut},
        hostname=socket.gethostname(),
    )
