"""Detonate: build the box, watch it, run the phases in it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

from package_hunter.decoy.gateway import Gateway
from package_hunter.ecosystems import Plan
from package_hunter.ecosystems.npm.plan import LIFECYCLE
from package_hunter.model.box import BOX_V4, BOX_V6, HOME, HOST_ID_BASE, BoxSpec
from package_hunter.model.observation import NetworkLog, Observation
from package_hunter.model.scan import CommandRun
from package_hunter.model.table import ContainerInfo, StartState
from package_hunter.observe import wanted_events
from package_hunter.observer import Observer
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.phases import run_phases
from package_hunter.sandbox import RuncSandbox
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe, ScanSensor
from package_hunter.sensor.state import start_state


@dataclass
class Seen:
    """What detonating a plan gave."""

    runs: list[CommandRun]
    observation: Observation
    network: NetworkLog
    reasons: list[str]
    dropped: int = 0


def detonate(scan: Scan, spec: BoxSpec, plan: Plan, gateway: Gateway, places: Mapping[str, str]) -> Seen:
    """Build the box, watch it, run the phases in it; everything is gone when this returns."""
    scan.say("Building the box")
    options, config = scan.options, scan.config
    with Probe(object_path()) as probe, contextlib.ExitStack() as undo:
        probe.attach()
        sensor = probe.open_scan(config.ring_bytes, None if options.record else wanted_events(scan.engine))
        undo.callback(sensor.close)
        box = RuncSandbox(spec)
        undo.callback(box.destroy)
        box.create()
        sensor.register(box.init_pid)
        gateway.start(box.gateway_netns)
        for allow in plan.registry:
            gateway.allow(allow)
        observer = Observer(sensor, scan.engine, box.cgroup_paths, scan.folder)
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
        reasons = run_phases(scan, box, plan, runs)
        box.kill()
        observation, failed = observer.finish()
        observation = _without_init(observation, box.init_pid)
        network = gateway.stop()
        seen = Seen(runs, observation, network, [*reasons, *([failed] if failed else [])])
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


def _count_losses(seen: Seen, sensor: ScanSensor) -> None:
    stats = sensor.stats()
    seen.dropped = stats.lost + stats.orphans
    if stats.lost:
        seen.reasons.append(f"{stats.lost} events were lost (thread {stats.last_lost_tid} lost the last).")
    if stats.orphans:
        seen.reasons.append(f"{stats.orphans} processes could not be followed.")
    if seen.network.cut.get("gateway_failed"):
        seen.reasons.append("The gateway ended unexpectedly: what was sent after that is not known.")
