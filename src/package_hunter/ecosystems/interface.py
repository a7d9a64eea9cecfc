"""What an ecosystem's folder gives: its facts, and three doors behind which its parts lie.

A class of each folder (``npm/interface.py``) implements ``Ecosystem``; ``known`` names it. Importing that class loads
the facts alone: each door loads its part when it is opened, since the planner, the worker and the gateway are
processes that each need another one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from package_hunter.model.ecosystem import Facts

if TYPE_CHECKING:
    from package_hunter.decoy.registry.front import Front, Registry
    from package_hunter.decoy.spec import Upstream
    from package_hunter.ecosystems.base import Plan, PlanOptions, SourceTree
    from package_hunter.ecosystems.pinned import LockFile, Pin
    from package_hunter.ecosystems.tree import BoxTree


class Planning(ABC):
    """Reads projects and lays plans. All of it looks into untrusted files: it is run in a child without rights, which
    may open no file (``planner``)."""

    reads_wishes = False  # its lock file may be but a list of wishes: others are asked first

    @abstractmethod
    def recognise(self, source_tree: SourceTree) -> bool:
        """Whether this project (or purl) is of this ecosystem."""

    @abstractmethod
    def plan(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        """Lay out the scan. Raises NothingToScanError where there is no (sound) manifest."""

    @abstractmethod
    def lock_files(self, tree: BoxTree, project: str) -> Iterator[LockFile]:
        """What the project's lock files pin, in the order in which a scan looks for them."""

    @abstractmethod
    def project_of(self, folder: Path, here: Sequence[Pin], everything: Sequence[Pin]) -> None:
        """Write into the empty ``folder`` (our own) a project that asks for ``here``, some of what a lock file pins
        (``everything``), each as a direct dependency."""

    def members(self, tree: BoxTree, project: str) -> Iterable[str]:
        """Folders of the project (paths in the box) that are scanned with it, as its manifest says."""
        return ()

    def pack(self, package: Path, into: Path) -> Path:
        """What to scan for a trusted folder that holds a package: that itself, or an archive of it in ``into``, as
        the registry would serve it; the same bytes every time."""
        return package

    def preload(self) -> None:
        """Read what the other methods need of this program itself: they run where no file can be opened."""
        return


class HostSide(ABC):
    """What this host is set up for, asked of its own package manager; never of a project."""

    @abstractmethod
    def upstreams(self, cache_dir: Path | None, built_in: Sequence[str]) -> list[Upstream]:
        """This host's registries; none where nothing is set up. ``built_in``: the addresses that the managers in the
        box have built in. With ``cache_dir`` what programs said is kept there (never credentials). Raises
        HostError."""

    @abstractmethod
    def box_environment(self, upstreams: Sequence[Upstream]) -> Mapping[str, str]:
        """Variables by which the managers in the box find these registries (all of this ecosystem); no
        credentials."""


class Ecosystem(ABC):
    """One package managers' world: all that is known of it anywhere."""

    facts: ClassVar[Facts]

    @abstractmethod
    def planning(self) -> Planning:
        """Its projects and plans."""

    def host(self) -> HostSide | None:
        """Its registries as this host is set up for them; None where it has no registry."""
        return None

    def front(self, shared: Registry) -> Front | None:
        """Its registries as the gateway plays them to the box; None where it has no registry."""
        return None
