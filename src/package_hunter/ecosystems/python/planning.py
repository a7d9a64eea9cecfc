"""Python as an ecosystem: projects, source distributions, wheels and purls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.parser import HeaderParser
from pathlib import Path

from package_hunter.ecosystems.base import (
    NO_LOCK,
    NothingAskedError,
    Plan,
    PlanOptions,
    SourceTree,
    UnsoundError,
)
from package_hunter.ecosystems.interface import Planning
from package_hunter.ecosystems.interpreters import choose
from package_hunter.ecosystems.pinned import LockFile, Pin
from package_hunter.ecosystems.python import (
    folders,
    installed,
    interpreter,
    locked,
    pack,
    requirement_files,
    requirements,
)
from package_hunter.ecosystems.python import plan as python_plan
from package_hunter.ecosystems.python.asked import RequirementSet, normal, requirement_name
from package_hunter.ecosystems.python.plan import PythonPlan, Source
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import NothingToScanError
from package_hunter.model.scan import BoxFile, Target
from package_hunter.package_url import scannable

_MANIFESTS = {
    *(
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "Pipfile.lock",
        "Pipfile",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
    ),
    "pylock.toml",
}
_WHEEL = re.compile(r"[A-Za-z0-9_.!+]+-[A-Za-z0-9_.!+]+(-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl")


class PythonPlanning(Planning):
    """See ``ecosystems.interface``."""

    reads_wishes = True  # a requirements.txt

    def recognise(self, source_tree: SourceTree) -> bool:
        """By the purl's type, a manifest or requirement file at the top, or a wheel's own folder."""
        if source_tree.purl is not None:
            return source_tree.purl.startswith("pkg:pypi/")
        names = set(source_tree.tree.names(source_tree.project))
        if names & _MANIFESTS or self._wheel_info(source_tree):
            return True
        return bool(requirement_files.candidates(source_tree.tree, source_tree.project))

    def plan(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        """See the plan's module."""
        if source_tree.purl is not None:
            return self._plan_purl(source_tree, options)
        info = self._wheel_info(source_tree)
        if info is not None:
            return self._plan_wheel(source_tree, options, info)
        return self._plan_project(source_tree, options)

    def lock_files(self, tree: BoxTree, project: str) -> Iterator[LockFile]:
        """The one that a scan would install from."""
        return locked.lock_files(tree, project)

    def project_of(self, folder: Path, here: Sequence[Pin], everything: Sequence[Pin]) -> None:
        """A requirements.txt."""
        locked.project_of(folder, here)

    def pack(self, package: Path, into: Path) -> Path:
        """A source distribution."""
        return pack.sdist(package, into)

    def preload(self) -> None:
        """The script of ours that is planted in the box."""
        python_plan.preload()

    def _plan_purl(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        assert source_tree.purl is not None
        asked = scannable(source_tree.purl)
        wanted = RequirementSet(source="the purl")
        wanted.add(f"{asked.name}=={asked.version}" if asked.version else asked.name)
        target = Target(asked.name, "pypi", purl=source_tree.purl)
        plan = PythonPlan(target, source_tree.project, options, Source(wanted))
        plan.runs_on(choose("python", (), options.interpreters))
        return plan

    def _plan_project(self, source_tree: SourceTree, options: PlanOptions) -> Plan:
        tree, project = source_tree.tree, source_tree.project
        wanted = requirements.wanted(tree, project)
        builds = requirements.is_installable(tree, project)
        apart = wanted.outside or wanted.unread or any(path != "." for path in wanted.local)
        if not wanted.lines and not builds and not apart:
            if (why := requirements.unsound(tree, project)) is not None:
                raise UnsoundError(
                    f"The pyproject.toml of {source_tree.name} is no sound TOML ({why}).", "Mend it."
                )
            raise NothingAskedError(
                f"{source_tree.name} asks for no package: {wanted.source or 'its manifest'} holds no requirement.",
                "Give the folder that holds requirements.txt, pyproject.toml or a lock file with entries.",
            )
        name = requirements.project_name(tree, project) or self._set_up(source_tree) or source_tree.name
        target = self._sdist_target(source_tree) or Target(name, "pypi", sha256=source_tree.sha256)
        own = wanted.local.get(".")
        itself = installed.purl(name, "") if requirement_name(name) is not None else None
        # pip would look for what lies outside, and fail with all; what it needs else stands in the lines
        told = wanted.source == "pyproject.toml" and (wanted.outside or wanted.local)
        alone = ("--no-deps",) if wanted.locked or told or "." in wanted.alone | wanted.computed else ()
        source = Source(
            wanted,
            extra=(*alone, f".{own.extras if own else ''}") if builds else (),
            extra_purl=target.purl or itself,
            apart=target.purl is None
            and (
                (bool(alone) and "." not in wanted.computed) or requirements.says_all(tree, project, wanted)
            ),
            root=name,
            also_allowed=tuple(requirements.build_requires(tree, project)),
            package=builds,
            unloaded="" if builds else f"Not loaded themselves: {name} (no package that pip could install).",
        )
        plan = PythonPlan(target, project, options, source)
        if not wanted.pinned:
            plan.notes += (NO_LOCK,)
        plan.plant = source_tree.folder
        plan.runs_on(interpreter.chosen(tree, project, options.interpreters))
        return plan

    def _set_up(self, source_tree: SourceTree) -> str:
        """The name that setup.cfg or setup.py gives in plain words."""
        return folders.by_setup(source_tree.tree, source_tree.project).name

    def _sdist_target(self, source_tree: SourceTree) -> Target | None:
        """An archive with PKG-INFO at its top is a source distribution: a package, not a project."""
        raw = source_tree.tree.read(f"{source_tree.project}/PKG-INFO", 4 << 20)
        if raw is None or source_tree.sha256 is None:
            return None
        head = HeaderParser().parsestr(raw.decode("utf-8", "replace").split("\n\n", 1)[0] + "\n")
        name, version = str(head.get("Name", ""))[:200], str(head.get("Version", ""))[:100]
        if requirement_name(name) is None:
            return None
        return Target(name, "pypi", purl=installed.purl(name, version), sha256=source_tree.sha256)

    def _wheel_info(self, source_tree: SourceTree) -> str | None:
        infos = [name for name in source_tree.tree.names(source_tree.project) if name.endswith(".dist-info")]
        return infos[0] if len(infos) == 1 else None

    def _plan_wheel(self, source_tree: SourceTree, options: PlanOptions, info: str) -> Plan:
        assert source_tree.folder is not None
        name, _, version = info.removesuffix(".dist-info").partition("-")
        if requirement_name(name) is None or not version:
            raise NothingToScanError(
                f"{source_tree.name} is no sound wheel.", "Build it again with `pip wheel`."
            )
        file = (
            source_tree.name if _WHEEL.fullmatch(source_tree.name) else f"{name}-{version}-py3-none-any.whl"
        )
        target = Target(name, "pypi", purl=installed.purl(name, version), sha256=source_tree.sha256)
        files = (BoxFile(f"{source_tree.project}/{file}", b"", pack="zip"),)
        raw = source_tree.tree.read(f"{source_tree.project}/{info}/METADATA", 4 << 20) or b""
        head = HeaderParser().parsestr(raw.decode("utf-8", "replace").split("\n\n", 1)[0] + "\n")
        needs = RequirementSet(source=file)
        for line in head.get_all("Requires-Dist", []):
            needs.add(str(line))
        # pip would look for what lies outside, and fail with all
        source = Source(
            needs if needs.outside else RequirementSet(source=file),
            extra=("--no-deps", f"./{file}") if needs.outside else (f"./{file}",),
            extra_purl=target.purl,
            also_allowed=(normal(name), *needs.names),
            files=files,
        )
        return PythonPlan(target, source_tree.project, options, source)
