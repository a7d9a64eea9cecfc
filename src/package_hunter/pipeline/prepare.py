"""Before the box: the scan's folder, the unpacked target, its plan, what gateway and box are to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.decoy.gateway import Gateway, GatewaySpec
from package_hunter.decoy.spec import Limits as GatewayLimits
from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.base import SourceTree, stage
from package_hunter.ecosystems.registries import box_environment
from package_hunter.intake.limits import Limits as IntakeLimits
from package_hunter.intake.receive import ReceivedTarget
from package_hunter.intake.run import run_unpacker
from package_hunter.intake.secrets import Withheld
from package_hunter.model.box import BoxLimits, BoxSpec
from package_hunter.model.observation import Canary
from package_hunter.model.scan import BoxFile
from package_hunter.model.withheld import WithheldFile
from package_hunter.pipeline.morning import has_morning, planted_for_morning
from package_hunter.pipeline.options import HOSTNAME, Say, Scan
from package_hunter.pipeline.rounds import Round
from package_hunter.sandbox.clock.files import preloads, with_clock
from package_hunter.sandbox.runner import with_runner


@dataclass(frozen=True)
class Preparation:
    """The target as an unpacked tree, with notes and the credential files that were kept out: the paths of all of
    them, and those that a fake can stand for."""

    source_tree: SourceTree
    notes: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    credentials: tuple[WithheldFile, ...] = ()  # by their paths in the project


def prepare_target(received: ReceivedTarget, folder: Path, config: Settings, say: Say) -> Preparation:
    """Unpack what came in, into the scan's ``folder``; a purl has nothing to unpack."""
    if received.kind == "purl":
        return Preparation(stage(received.name, purl=received.purl))
    source = received.file or received.path
    assert source is not None
    say(f"Unpacking {received.name}")
    dest = folder / "project"
    unpacked = run_unpacker(source, dest, IntakeLimits.of(config))
    withheld = tuple(item.path for item in unpacked.withheld)
    kept_out = tuple(f"{item.path} was kept out of the box: {item.why}" for item in unpacked.withheld)
    source_tree = stage(received.name, dest, unpacked.top, received.sha256)
    credentials = tuple(_places_of(source_tree, unpacked.top, unpacked.withheld))
    return Preparation(source_tree, (*unpacked.notes, *kept_out), withheld, credentials)


def _places_of(source_tree: SourceTree, top: str, items: Sequence[Withheld]) -> Iterator[WithheldFile]:
    """Credential files that were kept out, by their paths in the project."""
    for item in items:
        inner = item.path.removeprefix(f"{top}/") if top else item.path
        rest = source_tree.tree.read(f"{source_tree.project}/{inner}", 1 << 20) or b""
        yield WithheldFile(inner, item.kind, rest)


def gateway_spec(
    scan: Scan, turn: Round, upstreams: Sequence[Upstream], canaries: Sequence[Canary]
) -> GatewaySpec:
    """What the gateway of a box is to be."""
    folder, config = turn.folder / "gateway", scan.config
    folder.mkdir()
    limits = GatewayLimits(
        connections=config.max_connections,
        records=config.max_gateway_records,
        body_bytes=config.max_body_bytes,
    )
    return GatewaySpec(
        turn.box_id,
        folder,
        config.data_dir / "cache" / "registry",
        upstreams=tuple(upstreams),
        canaries=tuple(canaries),
        limits=limits,
        offline=config.offline,
        cache_bytes=config.cache_bytes,
        fetch_hosts=config.hosts_to_fetch,
        world=turn.world.name,
        encoded=turn.encoding.answers if turn.encoding else (),
    )


def box_spec(
    scan: Scan,
    turn: Round,
    gateway: Gateway,
    upstreams: Sequence[Upstream],
    files: Sequence[BoxFile],
    env: Mapping[str, str],
) -> BoxSpec:
    """What the box is to be: the plan's project in a home with the canaries' ``files`` and ``env``."""
    plan = turn.plan
    planted = (
        *files,
        *plan.files,
        *turn.world.files,
        *(planted_for_morning() if has_morning(scan, turn) else ()),
    )
    planted = with_runner(planted)
    return BoxSpec(
        scan_id=turn.box_id,
        project_name=Path(plan.root).name,
        project_dir=plan.plant,
        files=with_clock(planted) if turn.hurry is not None or preloads(planted) else planted,
        env={**env, **box_environment(tuple(upstreams)), **plan.env},
        ca_pem=gateway.ca_pem,
        hostname=HOSTNAME,
        limits=_box_limits(scan.config),
        clock=turn.hurry is not None,
    )


def _box_limits(config: Settings) -> BoxLimits:
    return BoxLimits(
        memory_bytes=config.box_memory_bytes,
        upper_bytes=config.box_upper_bytes,
        upper_inodes=config.box_upper_inodes,
        pids=config.box_pids,
        cpus=config.box_cpus,
    )


def places(canaries: Sequence[Canary]) -> dict[str, str]:
    """Path in the box -> canary, for those that lie in files."""
    return {c.place: c.id for c in canaries if not c.place.startswith(("env:", "memory:"))}
