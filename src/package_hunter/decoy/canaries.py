"""The fake secrets of one box, of every kind in ``secrets/``."""

from __future__ import annotations

import time

from package_hunter.decoy.forge import Forge
from package_hunter.decoy.secrets import KINDS
from package_hunter.decoy.spec import Upstream
from package_hunter.model.observation import Canary
from package_hunter.model.scan import BoxFile
from package_hunter.model.withheld import WithheldFile

WORLDS = ("default", "laptop", "github", "gitlab")
Box = tuple[tuple[Canary, ...], tuple[BoxFile, ...], dict[str, str]]


def make_canaries(
    scan_id: str,
    world: str = "default",
    upstreams: tuple[Upstream, ...] = (),
    project: str | None = None,
    withheld: tuple[WithheldFile, ...] = (),
) -> Box:
    """Canaries, the files that hold them, and the environment of the box.

    ``upstreams`` are the host's registries, whose names (never credentials) the package managers' files need;
    ``project`` is the project's folder in the box, ``withheld`` its credential files that were kept out: fakes
    take their place. Canary ids begin with ``scan_id``.
    """
    forge = Forge(world if world in WORLDS else "default", upstreams, project, time.time(), withheld)
    for make in KINDS:
        make(forge)
    canaries = tuple(Canary(f"{scan_id}:{c.id}", c.kind, c.place, c.value, c.lawful) for c in forge.canaries)
    return canaries, tuple(forge.files), forge.env
