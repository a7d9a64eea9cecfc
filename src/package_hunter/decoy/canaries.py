"""The fake secrets of one box: every file in ``secrets/`` adds a kind."""

from __future__ import annotations

import importlib
import pkgutil
import time

from package_hunter.decoy import secrets as kinds
from package_hunter.decoy.forge import Forge
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
    for module in sorted(pkgutil.iter_modules(kinds.__path__), key=lambda m: m.name):
        importlib.import_module(f"{kinds.__name__}.{module.name}").make(forge)
    canaries = tuple(Canary(f"{scan_id}:{c.id}", c.kind, c.place, c.value, c.lawful) for c in forge.canaries)
    return canaries, tuple(forge.files), forge.env
