"""Ruby as an ecosystem: bundler projects, .gem files and purls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from package_hunter.ecosystems.base import NothingAskedError, Plan, PlanOptions, SourceTree
from package_hunter.ecosystems.interface import Planning
from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.ruby import lock, locked, pack
from package_hunter.ecosystems.ruby.lock import Gem, GemLock
from package_hunter.ecosystems.ruby.plan import GemSource, RubyPlan
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import NothingToScanError
from package_hunter.model.scan import BoxFile, Target
from package_hunter.package_url import scannable

_GEM_PARTS = {"metadata.gz", "data.tar.gz"}
_NEEDS = re.compile(r"""\badd_(?:runtime_|development_)?dependency[ (]+["']([A-Za-z0-9_.-]{1,200})["']""")
_MAX_NEEDS = 1_000
# The registry is whatever Ruby is set up for: no host is written here.
_SOURCE = "source Gem.sources.first.uri.to_s\n"


class RubyPlanning(Planning):
    """See ``ecosystems.interface``."""

    def recognise(self, source_tree: SourceTree) -> bool:
        """By the purl's type, a Gemfile or a gemspec at the top, or the parts of a .gem file."""
        if source_tree.purl is not None:
            return source_tree.purl.startswith("pkg:gem/")
        names = set(source_tree.tree.names(source_tree.project))
        return bool(names & {"Gemfile", "Gemfile.lock"}) or _has_gemspec(names) or names >= _GEM_PARTS

    def plan(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        """See the plan's module."""
        if source_tree.purl is not None:
            return self._plan_purl(source_tree, options)
        if set(source_tree.tree.names(source_tree.project)) >= _GEM_PARTS:
            return self._plan_gem(source_tree, options)
        return self._plan_project(source_tree, options)

    def lock_files(self, tree: BoxTree, project: str) -> Iterator[LockFile]:
        """Gemfile.lock."""
        return locked.lock_files(tree, project)

    def project_of(self, folder: Path, here: Sequence[Pin], everything: Sequence[Pin]) -> None:
        """A Gemfile."""
        locked.project_of(folder, here)

    def pack(self, package: Path, into: Path) -> Path:
        """A gem."""
        return pack.gem(package, into)

    def _plan_project(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        tree, project = source_tree.tree, source_tree.project
        text = (tree.read(f"{project}/Gemfile.lock", 16 << 20) or b"").decode("utf-8", "replace")
        locked = lock.parse(text)
        names = lock.gemfile_names(
            (tree.read(f"{project}/Gemfile", 1 << 20) or b"").decode("utf-8", "replace")
        )
        here = set(tree.names(project))
        names += [name for name in _gemspec_needs(tree, project, here) if name not in names]
        if not names and not locked.gems and not _has_gemspec(here):
            raise NothingAskedError(
                f"{source_tree.name} asks for no gem: neither Gemfile nor Gemfile.lock names one.",
                "Give the folder that holds a Gemfile with `gem` lines, or its lock file.",
            )
        cached = set(tree.names(f"{project}/vendor/cache"))
        complete = bool(locked.gems) and all(
            f"{gem.full}.gem" in cached for gem in locked.gems.values() if gem.source == "GEM"
        )
        # A gem's own folder without a Gemfile: as most gems' say it.
        plain = BoxFile(f"{project}/Gemfile", f"{_SOURCE}gemspec\n".encode())
        files = () if here & {"Gemfile", "Gemfile.lock"} else (plain,)
        source = GemSource(tuple(names), locked, files, fetch=not complete)
        plan = RubyPlan(Target(source_tree.name, "gem", sha256=source_tree.sha256), project, options, source)
        plan.plant = source_tree.folder
        plan.package = _has_gemspec(here)
        if not plan.package:
            plan.notes = (f"Not loaded themselves: {source_tree.name} (no gemspec, so no gem).",)
        return plan

    def _plan_purl(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        assert source_tree.purl is not None
        asked = scannable(source_tree.purl)
        wanted = f', "{asked.version}"' if asked.version else ""
        text = f'{_SOURCE}gem "{asked.name}"{wanted}\n'
        files = (BoxFile(f"{source_tree.project}/Gemfile", text.encode()),)
        target = Target(asked.name, "gem", purl=source_tree.purl)
        return RubyPlan(target, source_tree.project, options, GemSource((asked.name,), GemLock(), files))

    def _plan_gem(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        assert source_tree.folder is not None
        raw = source_tree.tree.read(f"{source_tree.project}/metadata.gz", 4 << 20) or b""
        name, version, needs = lock.metadata(raw)
        if not name:
            raise NothingToScanError(
                f"The metadata of {source_tree.name} are not sound.", "Build the gem again."
            )
        gem = Gem(name, version, needs)
        path = f"{source_tree.project}/{gem.full}.gem"
        lines = "".join(f'gem "{needed}"\n' for needed in needs)
        files = (
            BoxFile(path, b"", pack="tar"),
            *((BoxFile(f"{source_tree.project}/Gemfile", (_SOURCE + lines).encode()),) if needs else ()),
        )
        target = Target(name, "gem", purl=lock.purl(name, version), sha256=source_tree.sha256)
        source = GemSource(tuple(needs), GemLock(), files, own=(path, gem), fetch=bool(needs))
        return RubyPlan(target, source_tree.project, options, source)


def _gemspec_needs(tree: BoxTree, project: str, here: set[str]) -> list[str]:
    """Names that gemspecs ask for in plain words; each is a program: what it computes is not seen."""
    texts = (
        tree.read(f"{project}/{name}", 1 << 20) or b"" for name in sorted(here) if name.endswith(".gemspec")
    )
    return [name for text in texts for name in _NEEDS.findall(text.decode("utf-8", "replace"))][:_MAX_NEEDS]


def _has_gemspec(names: set[str]) -> bool:
    return any(name.endswith(".gemspec") for name in names)
