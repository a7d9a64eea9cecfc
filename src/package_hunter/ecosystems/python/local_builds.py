"""Requirements that are installed apart from the others, so that one that fails takes no other with it: packages
in the project's own folders, and what lies elsewhere. What was not installed is named."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from package_hunter.ecosystems.python import installed, learnt
from package_hunter.ecosystems.python.asked import RequirementSet, normal
from package_hunter.ecosystems.python.installed import Distribution
from package_hunter.ecosystems.python.learnt import Learnt
from package_hunter.ecosystems.python.sources import Local, Outside, label
from package_hunter.model.scan import CommandRun

_NAMED = 100  # that were not scanned, each with its sentence


@dataclass(frozen=True, slots=True)
class SkippedBuilds:
    """Sentences about what was not scanned, and how many packages that are."""

    reasons: tuple[str, ...]
    count: int


class LocalBuilds:
    """What a project asks for beside a registry. ``hosts`` are those that may be fetched from, ``indexes`` hosts
    of the indexes that this host is set up for (None: not known, and not judged)."""

    def __init__(
        self,
        wanted: RequirementSet,
        project: str,
        hosts: frozenset[str],
        indexes: frozenset[str] | None = None,
    ) -> None:
        self._strange = [] if indexes is None else wanted.strange_indexes(indexes)
        self._wanted, self._project, self._hosts = wanted, project, hosts
        self._local = _in_order(wanted)

    def fetched(self) -> list[tuple[tuple[str, ...], str | None]]:
        """pip's arguments for each that may be fetched, with its purl."""
        return [(item.asked, _purl(item)) for item in self._wanted.outside if self._allowed(item)]

    def local(self) -> list[tuple[tuple[str, ...], str | None]]:
        """pip's arguments for each package of the project's folders, with its purl: what is needed first comes
        first. One that is asked for in editable form is installed so, and then for good, since only that lies
        where every start of Python looks."""
        found: list[tuple[tuple[str, ...], str | None]] = []
        for item in self._local:
            apart = self._wanted.alone | self._wanted.computed
            alone = ("--no-deps",) if self._wanted.locked or item.path in apart else ()
            what = f"./{item.path}{item.extras}"
            if item.editable:
                # by its wheel, as pip does today: the older way is a program of the package that writes start-up files
                how = ("--use-pep517", "--no-build-isolation") if item.path in self._wanted.by_setup else ()
                found.append((("--no-deps", *how, "-e", what), _purl(item)))
            found.append(((*alone, what), _purl(item)))
        return found

    def names(self, found: Sequence[Distribution]) -> list[str]:
        """Normal names of what was installed from the project's folders or from elsewhere."""
        every: list[Local | Outside] = [*self._local, *self._wanted.outside]
        asked = {normal(item.name) for item in every if item.name}
        return [n for item in found if (n := normal(item.name)) in asked or self._path(item) is not None]

    def learnt(self, found: Sequence[Distribution]) -> list[Learnt]:
        """What those packages need whose build alone knew it, now that they are built."""
        told = []
        for item in found:
            path = "." if unquote(item.source).rstrip("/") == f"file://{self._project}" else self._path(item)
            place = self._wanted.place
            if path is None or path not in self._wanted.computed or place is None:
                continue
            asked = self._wanted.local.get(path)
            where = replace(place, folder=posixpath.normpath(f"{self._project}/{path}"))
            told.append(learnt.of(item, asked.extras if asked is not None else "", where))
        for one in told:
            self._wanted.unread += one.unread
            for thing in one.outside:
                self._wanted.take(thing)
        return told

    def missed(self, found: Sequence[Distribution], runs: Sequence[CommandRun]) -> SkippedBuilds:
        """What is not there after the install."""
        here = {normal(item.name) for item in found if item.source}
        paths = {self._path(item) for item in found}
        failed = {run.command.argv[-1] for run in runs if run.phase == "install" and run.exit_code != 0}
        ran = {run.command.argv[-1] for run in runs if run.phase == "install"}
        reasons = []
        for item in self._local:
            what = f"./{item.path}{item.extras}"
            if item.path not in paths or what in failed or what not in ran:
                reasons.append(f"{label(item.name, what)} was not scanned: pip could not install it.")
        for thing in self._wanted.outside:
            if not self._allowed(thing) or thing.asked[-1] in failed or thing.asked[-1] not in ran:
                reasons.append(self._sentence(thing))
            elif thing.name and normal(thing.name) not in here:
                reasons.append(f"{label(thing.name, thing.address)} was not scanned: it was not installed.")
        return self._with_unread(reasons)

    def unread(self) -> SkippedBuilds:
        """What would not be scanned, whatever is installed."""
        return self._with_unread(
            [self._sentence(item) for item in self._wanted.outside if not self._allowed(item)]
        )

    def _with_unread(self, reasons: list[str]) -> SkippedBuilds:
        more = len(reasons) - _NAMED
        told = (*reasons[:_NAMED], *((f"{more} more packages were not scanned.",) if more > 0 else ()))
        return SkippedBuilds((*self._indexes(), *self._wanted.unread, *told), len(reasons))

    def _indexes(self) -> list[str]:
        """A sentence for each index that others' packages may have been scanned in place of."""
        source = self._wanted.source
        return [
            f"{source} names the index {host[:253]}, which was not asked: packages of this host's own index were "
            f"scanned, which may be others. If you trust it, set this host's pip up for it."
            for host in self._strange[:_NAMED]
        ]

    def _allowed(self, item: Outside) -> bool:
        return not item.why and item.host.lower() in self._hosts

    def _sentence(self, item: Outside) -> str:
        what = label(item.name, item.address)
        if item.why:
            return f"{what} was not scanned: {item.why}."
        if self._allowed(item):
            return f"{what} was not scanned: pip could not install it."
        return (
            f"{what} was not scanned: {item.host} is not among the hosts that may be fetched from. "
            f"Name {item.host} in PACKAGE_HUNTER_FETCH_HOSTS to have it fetched, read-only."
        )

    def _path(self, item: Distribution) -> str | None:
        """Where in the project a distribution was installed from; None where that is elsewhere."""
        top = f"file://{self._project}/"
        path = unquote(item.source.removeprefix(top)).rstrip("/") if item.source.startswith(top) else None
        return path if path in self._wanted.local and path != "." else None


def _in_order(wanted: RequirementSet) -> list[Local]:
    """What is local, each after what it asks for (loops are cut)."""
    by_name = {normal(item.name): item for item in wanted.local.values() if item.path != "."}
    found: dict[str, Local] = {}
    entered: set[str] = set()

    def enter(item: Local) -> None:
        if item.path not in entered:
            entered.add(item.path)
            for name in sorted(wanted.needs.get(item.path, ())):
                if name in by_name:
                    enter(by_name[name])
            found[item.path] = item

    for item in wanted.local.values():
        if item.path != ".":
            enter(item)
    return list(found.values())


def _purl(item: Local | Outside) -> str | None:
    return installed.purl(item.name, "") if item.name else None
