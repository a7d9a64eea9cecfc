"""Detonate: build the box, watch it, run the phases in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.gateway import Gateway, GatewayProcess
from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.known import GATEWAY
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import HelperDiedError, HunterError, SandboxError
from package_hunter.model.box import BoxSpec
from package_hunter.model.observation import Canary, NetworkLog, Observation
from package_hunter.model.scan import CommandRun, Leftovers
from package_hunter.observe.watcher import Watcher
from package_hunter.pipeline import dropped
from package_hunter.pipeline.encoding_hints import sources
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.phases import run_phases, without_scripts
from package_hunter.pipeline.prepare import box_spec, gateway_spec, places
from package_hunter.pipeline.rounds import Round
from package_hunter.pipeline.standing_names import stands
from package_hunter.pipeline.watchers import watcher_of
from package_hunter.sandbox import RuncSandbox
from package_hunter.sandbox.runner import command as runner_command
from package_hunter.sandbox.runner import has_runner

_GATEWAY_KILLED = "The gateway ended in the middle of the scan."
_TALKER_KILLED = "The process that answers conversations was killed in the middle of the scan."


@dataclass(frozen=True)
class Sighting:
    """What a round showed."""

    runs: Sequence[CommandRun]
    observation: Observation
    network: NetworkLog
    reasons: Sequence[str]
    canaries: tuple[Canary, ...] = ()
    dropped: int = 0
    by_falco: bool = False
    left: Leftovers = field(default_factory=Leftovers)
    # packages (purls) whose manifest lost its scripts; None: not known
    scriptless: frozenset[str] | None = None
    filtered: Mapping[str, int] = field(default_factory=dict)  # events that stayed in the kernel, by type
    sources: Mapping[str, bytes] = field(default_factory=dict)  # see RoundResult
    faults: tuple[str, ...] = ()  # what failed through a fault of ours, as sentences


def detonate(
    scan: Scan, turn: Round, upstreams: Sequence[Upstream], process: GatewayProcess | None = None
) -> Sighting:
    """One round in a box with a gateway and fake secrets of its own; all is gone when this returns."""
    turn.folder.mkdir(mode=0o711)
    project = turn.plan.root
    withheld = tuple(item._replace(path=f"{project}/{item.path}") for item in scan.withheld)
    canaries, files, env = make_canaries(
        turn.box_id, turn.world.canaries, tuple(upstreams), project, withheld
    )
    gateway = Gateway(gateway_spec(scan, turn, upstreams, canaries), process or GatewayProcess(GATEWAY))
    try:
        with gateway:
            spec = box_spec(scan, turn, gateway, upstreams, files, env)
            scan.say("Building the box")
            watcher = watcher_of(scan, turn, spec, gateway.names_path, places(canaries))
            seen = _watched(scan, turn, spec, gateway, watcher)
    except HunterError as error:
        if gateway.killed:  # whatever failed, it may have failed for want of it
            raise HelperDiedError(f"{_GATEWAY_KILLED} ({error.message})") from error
        if gateway.crashed and isinstance(
            error, HelperDiedError
        ):  # by what the box sent, perhaps: nobody killed it
            raise SandboxError(f"{_GATEWAY_KILLED} ({error.message})") from error
        raise
    return replace(seen, canaries=tuple(canaries))


def _watched(scan: Scan, turn: Round, spec: BoxSpec, gateway: Gateway, watcher: Watcher) -> Sighting:
    """Build the box, watch it, run the phases in it, and hear what watcher and gateway have to say."""
    runs: list[CommandRun] = []
    with ExitStack() as made:
        with scan.options.timed("box"):
            made.enter_context(watcher)
            box = made.enter_context(RuncSandbox(spec))
            box.create()
            watcher.attach(box)
            _open(gateway, box, turn)
            made.enter_context(watcher.begin())
            box.start()
            watcher.confirm()
            if has_runner(spec.files):
                box.attend(runner_command())
        reasons, left = run_phases(scan, box, turn, runs, gateway.freeze, gateway.allow)
        scriptless = without_scripts(turn, box)
        source = sources(BoxTree(box.upper_dir), turn.plan.inventory()) if turn.keeps_sources else {}
        box.kill()
        watched = watcher.finish(runs)
        if scan.options.dropped is not None:
            tree, packages = BoxTree(box.upper_dir), turn.plan.inventory()
            dropped.collect(scan.options.dropped, tree, watched.observation, runs, packages)
        network = gateway.stop()
    return Sighting(
        runs,
        watched.observation,
        network,
        [*reasons, *watched.reasons, *_gateway_failures(network)],
        dropped=watched.dropped,
        by_falco=watched.by_falco,
        # alerts do not tell when a process ended
        left=replace(left, since_ns=None) if watched.by_falco else left,
        scriptless=scriptless,
        sources=source,
        filtered=watched.filtered,
        faults=(*([watched.fault] if watched.fault else ()), *_faults(gateway, network)),
    )


def _open(gateway: Gateway, box: RuncSandbox, turn: Round) -> None:
    """Let the gateway answer the box, and pass on what the plan needs of registries."""
    gateway.start(box.gateway_netns, box.docker_socket, partial(stands, box.upper_dir), box.handed_out())
    box.need(gateway.pidfd, "gateway")
    for allow in turn.plan.registry:
        gateway.allow(allow)


def _faults(gateway: Gateway, network: NetworkLog) -> list[str]:
    """What of the gateway ended by no doing of the box."""
    found = []
    if network.cut.get("gateway_failed") and not gateway.crashed:
        found.append(_GATEWAY_KILLED)
    if gateway.talker_killed:
        found.append(_TALKER_KILLED)
    return found


def _gateway_failures(network: NetworkLog) -> list[str]:
    """Sentences about what the gateway could not tell."""
    found = []
    if errors := network.cut.get("gateway_errors"):
        found.append(f"The gateway failed in {errors} connections: what was sent there is not known.")
    if network.cut.get("gateway_failed"):
        found.append("The gateway ended unexpectedly: what was sent after that is not known.")
    return found
