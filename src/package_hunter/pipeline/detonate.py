"""Detonate: build the box, watch it, run the phases in it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.gateway import Gateway, GatewayProcess
from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.npm.plan import LIFECYCLE
from package_hunter.errors import HelperDiedError, HunterError
from package_hunter.model.box import BOX_V4, BOX_V6, HOME, HOST_ID_BASE, BoxSpec, full_container_id
from package_hunter.model.observation import Canary, NetworkLog, Observation
from package_hunter.model.scan import CommandRun, Leftovers
from package_hunter.model.table import ContainerInfo, StartState
from package_hunter.observe.events import wanted_events, wanted_failures, wanted_opens, without_own
from package_hunter.observe.reader import Observer
from package_hunter.pipeline.falco import engine_of, watched_by_falco
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.phases import run_phases, without_scripts
from package_hunter.pipeline.prepare import box_spec, gateway_spec, places
from package_hunter.pipeline.rounds import Round
from package_hunter.sandbox import RuncSandbox
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe, ScanSensor, inode_prefix
from package_hunter.sensor.scap import append_runs
from package_hunter.sensor.state import inodes, start_state
from package_hunter.sensor.table import full_events

_DRIVER = f"node {LIFECYCLE} "
_GATEWAY_KILLED = "The gateway ended in the middle of the scan."


@dataclass
class Seen:
    """What a round showed."""

    runs: list[CommandRun]
    observation: Observation
    network: NetworkLog
    reasons: list[str]
    canaries: tuple[Canary, ...] = ()
    dropped: int = 0
    by_falco: bool = False
    left: Leftovers = field(default_factory=Leftovers)
    scriptless: frozenset[str] | None = (
        None  # packages (purls) whose manifest lost its scripts; None: not known
    )
    filtered: dict[str, int] = field(default_factory=dict)  # events that stayed in the kernel, by type


def detonate(
    scan: Scan, turn: Round, upstreams: Sequence[Upstream], process: GatewayProcess | None = None
) -> Seen:
    """One round in a box with a gateway and fake secrets of its own; all is gone when this returns."""
    turn.folder.mkdir(mode=0o711)
    project = turn.plan.project
    withheld = tuple((f"{project}/{path}", kind, rest) for path, kind, rest in scan.withheld)
    canaries, files, env = make_canaries(
        turn.box_id, turn.world.canaries, tuple(upstreams), project, withheld
    )
    gateway = Gateway(gateway_spec(scan, turn, upstreams, canaries), process)
    try:
        with gateway:
            spec = box_spec(scan, turn, gateway, upstreams, files, env)
            if engine_of(scan.options, scan.config) == "falco":
                seen = watched_by_falco(scan, turn, spec, gateway, canaries, _DRIVER)
            else:
                seen = _watched(scan, turn, spec, gateway, canaries)
    except HunterError as error:
        if gateway.killed:  # whatever failed, it may have failed for want of it
            raise HelperDiedError(f"{_GATEWAY_KILLED} ({error.message})") from error
        raise
    if seen.network.cut.get("gateway_failed"):
        scan.faults.append(_GATEWAY_KILLED)
    return seen


def _watched(scan: Scan, turn: Round, spec: BoxSpec, gateway: Gateway, canaries: Sequence[Canary]) -> Seen:
    """Build the box, watch it, run the phases in it."""
    scan.say("Building the box")
    config = scan.config
    with Probe(object_path(), shared=True) as probe, contextlib.ExitStack() as undo:
        probe.attach()
        sensor = probe.open_scan(
            config.ring_bytes, full_events() if turn.record else wanted_events(scan.engine)
        )
        undo.callback(sensor.close)
        box = RuncSandbox(spec)
        undo.callback(box.destroy)
        box.create()
        marked = inodes(box.init_pid, places(canaries))
        if not turn.record:
            opens = wanted_opens(scan.engine, places(canaries))
            if opens is not None:
                opens += [inode_prefix(number) for _, number in marked]
            sensor.set_filter(wanted_events(scan.engine), opens, wanted_failures(scan.engine))
        sensor.register(box.init_pid)
        open_gateway(gateway, box, turn)
        observer = Observer(sensor, scan.engine, box.cgroup_paths, turn.folder)
        undo.callback(observer.abort)
        observer.start(
            _start_state(spec, box.init_pid, sensor),
            gateway.names_path,
            places(canaries),
            turn.record,
            config.max_alerts,
            config.max_records,
            {
                **{"scan": scan.id, "target": turn.plan.target.name, "init_pid": box.init_pid},
                **{"driver": _DRIVER, "fetches_alone": turn.plan.fetches_alone},
            },
            marked,
        )
        box.start()
        runs: list[CommandRun] = []
        reasons, left = run_phases(scan, box, turn, runs)
        scriptless = without_scripts(turn, box)
        box.kill()
        observation, failed = observer.finish()
        if observer.killed:
            scan.faults.append(failed)
        if turn.record is not None and observation.recorded:
            append_runs(turn.record, runs)
        observation = without_own(observation, box.init_pid, _DRIVER)
        network = gateway.stop()
        reasons += [failed] if failed else []
        seen = Seen(*(runs, observation, network, reasons, tuple(canaries)), left=left, scriptless=scriptless)
        _count_losses(seen, sensor)
    return seen


def _start_state(spec: BoxSpec, init_pid: int, sensor: ScanSensor) -> StartState:
    """What is known before the first event: the box's first process, users, addresses, container."""
    dev = HOST_ID_BASE + 1000
    state = start_state(
        init_pid,
        boot_ns=sensor.boot_ns,
        container=ContainerInfo(
            id=full_container_id(spec.scan_id)[:12],
            name=spec.container_name,
            image_repository=f"package-hunter/{spec.project_name}",
            full_id=full_container_id(spec.scan_id),
            ip=BOX_V4,
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


def _count_losses(seen: Seen, sensor: ScanSensor) -> None:
    stats = sensor.stats()
    seen.dropped = stats.lost + stats.orphans
    seen.filtered = {name: count for name, count in sorted(stats.filtered.items()) if count}
    if stats.lost:
        seen.reasons.append(stats.loss())
    if stats.orphans:
        seen.reasons.append(f"{stats.orphans} processes could not be followed.")
    seen.reasons += gateway_failures(seen.network)


def open_gateway(gateway: Gateway, box: RuncSandbox, turn: Round) -> None:
    """Let the gateway answer the box, and pass on what the plan needs of registries."""
    gateway.start(box.gateway_netns, box.engine_socket)
    box.need(gateway.pidfd, "gateway")
    for allow in turn.plan.registry:
        gateway.allow(allow)


def gateway_failures(network: NetworkLog) -> list[str]:
    """Sentences about what the gateway could not tell."""
    found = []
    if errors := network.cut.get("gateway_errors"):
        found.append(f"The gateway failed in {errors} connections: what was sent there is not known.")
    if network.cut.get("gateway_failed"):
        found.append("The gateway ended unexpectedly: what was sent after that is not known.")
    return found
