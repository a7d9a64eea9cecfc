"""What there is to know of an ecosystem (npm's, PyPI's, …): one record, made in its folder below ``ecosystems``.

The stages do not import those folders. They ask here, and ``ecosystems.known`` has said here which there are: in the
order of its list, once, before any stage is asked for anything. The gateway and the unpacker are processes of their
own; they are told (``to_data``, ``from_data``) when they start. So a record is plain data: texts, and patterns as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """Where a manager in the box has its registry written down: ``files`` (patterns below the image's root, the first
    that fits counts), ``line`` (a pattern of its text, with the address as its first group), ``index``, the path
    of the index below that address, and ``file_host_line`` (a pattern with the host of its files as its first
    group; empty: the registry's own host has them)."""

    files: tuple[str, ...]
    line: str
    index: str = ""
    file_host_line: str = ""


@dataclass(frozen=True, slots=True)
class Builds:
    """How builds are told apart that a manager starts by itself in the midst of one command (pip's)."""

    program: str  # the manager, as sentences name it
    script: str  # of the commands that do this (model.scan.Command.script)
    folder: str  # pattern of a build's folder in working folder or command line: what kind (1), whose (2)
    given: str  # the kind, group 1, of what was given as a folder and not fetched
    hook: str  # pattern of the command line of a build that has no folder of its own
    question: str = ""  # pattern of the line by which the fetch's program asks an interpreter what it is
    starters: tuple[str, ...] = ()  # endings of the paths whose code each start of the interpreter runs


@dataclass(frozen=True, slots=True)
class Facts:
    """One ecosystem. Sources are the managers' own code and documentation, and the formats' schemas."""

    name: str
    """As in ``Target.ecosystem``, in reports, and for ``--ecosystem``."""
    managers: tuple[str, ...]
    """The names that users may say for it too, on the command line and to the server."""
    purl_type: str
    """The type of its packages' URLs (the purl specification's table)."""

    # --- of a project ---
    manifests: tuple[str, ...]
    """Files that make a folder a project of this ecosystem."""
    pins: tuple[str, ...]
    """Lock files and manifests that name a package, the most telling first (at least one)."""
    pin_lines: tuple[str, ...] = ()
    """Patterns of the line in those that brings a package in, with ``NAME`` for its name."""
    addressed: tuple[str, ...] = ()
    """Patterns of names (in lower case) of files that hold addresses, perhaps with user and password."""
    credential_files: Mapping[str, str] = field(default_factory=dict)
    """Files of a project that hold credentials, in lower case, with the path's end where the name alone does not
    tell -> the kind that ``decoy.secrets.withheld`` has a stand-in for."""
    settings: tuple[str, ...] = ()
    """The managers' settings below the home folder."""
    project_settings: tuple[str, ...] = ()
    """The managers' settings in a project."""
    installed: tuple[str, ...] = ()
    """Folders that hold what was installed, with their slashes (``/node_modules/``)."""

    made_beside: Mapping[str, str] = field(default_factory=dict)
    """Folders of a project that installs make -> the file beside them without which they are the project's own."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """The same -> the file in them."""
    script_manifest: str = ""
    """The file of an installed package that says which scripts run at its install; empty: there is none."""

    # --- names and archives ---
    package_names: str = r"[!-.0-~]{1,214}(?:/[!-.0-~]{1,214})?"
    """Pattern of what its registry takes for a name; a purl's namespace stands before a slash. What it does not fit is
    never asked for."""
    package_versions: str = r"[!-~]{1,256}"
    """The same of versions, and of what its manager takes in the place of one (npm's tags and simple ranges)."""
    separators: str = ""
    """Pattern of what stands for one dash in a name that is compared in lower case (PEP 503); empty: names differ
    where they are written differently."""
    archives: tuple[str, ...] = ()
    """Patterns of the endings of its archives' names."""
    packed_by: str = ""
    """Pattern of the file beside which a simulation's package is packed as an archive; empty: it is a folder."""
    tagged_archives: tuple[str, ...] = ()
    """Of those, the endings after whose name and version the systems follow that they are for."""

    # --- its programs in the box ---
    interpreters: tuple[str, ...] = ()
    """What the names of the interpreters begin with that its programs are scripts of."""
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a program's name begins with -> parts of the paths of the credential files that are its own."""
    runs_as: Mapping[str, str] = field(default_factory=dict)
    """A program that is a module of its interpreter (``-m NAME``) -> pattern of the script that it starts itself by."""
    fetched_as: Mapping[str, str] = field(default_factory=dict)
    """A manager that the fetch itself takes out of the registry -> pattern of its script: known in the fetch alone, as
    packages' code may put something else there later."""
    fetch_programs: tuple[str, ...] = ()
    """Paths of what runs while the manager fetches and nothing else can: interpreter and shell; a star stands for any
    version in them."""
    driver: str = ""
    """How the command line begins of our own program that lets the manager run one script; empty without one."""
    starts: tuple[str, ...] = ()
    """Patterns of how the command lines begin (with a program's name) of what the manager starts by itself: the shell
    of a script, a build. Files in them are the image's, below ``/usr/``."""
    starts_itself: tuple[str, ...] = ()
    """Those of them that are the manager again."""
    builds: Builds | None = None
    """None where each of a package's own programs is a command of the plan."""

    # --- what its programs print (patterns; untrusted text, so it decides between sentences only) ---
    says_error: tuple[str, ...] = ()
    """A line that tells an error, what it tells as the one group (``^`` and ``$`` are a line's)."""
    says_not_found: tuple[str, ...] = ()
    """An interpreter found no module of the name that is the one group."""
    says_unknown: tuple[str, ...] = ()
    """The registry has no such package, or not in that version."""
    says_unreachable: tuple[str, ...] = ()
    """The registry did not answer."""

    # --- its registry ---
    built_in: tuple[BuiltIn, ...] = ()
    """Where the managers have the registry's address built in; all of them are names of one registry."""
    index_hosts: tuple[str, ...] = ()
    """What stands before a registry's host name where its index is asked (``index.``)."""
    agents: tuple[str, ...] = ()
    """Patterns of how the managers' User-Agent begins."""
    read_use: str = ""
    """The use (``decoy.lawful``) of the token that its clients send with reads of the registry."""
    read_posts: tuple[str, ...] = ()
    """Beginnings of paths where that token goes with a POST that asks and changes nothing."""

    # --- in reports ---
    gitlab: Mapping[str, str] = field(default_factory=dict)
    """What GitLab's dependency scanning calls the managers: by ecosystem or manager; its own name first."""
    osv: str = ""
    """The ecosystem's name in OSV's schema; empty: it has none."""

    def normal(self, name: str) -> str:
        """A package's name in the form in which its registry compares it."""
        return re.sub(self.separators, "-", name).lower() if self.separators else name

    def called(self, name: str) -> bool:
        """Whether users say this name for it."""
        return name == self.name or name in self.managers


class UnknownEcosystemsError(RuntimeError):
    """A stage was asked before anybody said which ecosystems there are: a fault of this program."""


_known: tuple[Facts, ...] = ()


def use(facts: Iterable[Facts]) -> None:
    """Say which ecosystems there are, in the order in which they are looked for."""
    global _known
    _known = tuple(facts)


def known() -> tuple[Facts, ...]:
    """The ecosystems of this process, in their order; never none."""
    if not _known:
        raise UnknownEcosystemsError(
            "No ecosystem is known in this process: import package_hunter.ecosystems.known first."
        )
    return _known


def facts_of(name: str) -> Facts | None:
    """Those of an ecosystem, by its name, a manager's, or the type of its purls."""
    every = known()
    exact = next((one for one in every if name in (one.name, one.purl_type)), None)
    return exact or next((one for one in every if one.called(name)), None)


def names() -> tuple[str, ...]:
    """Every name that users may say for one of them, each once."""
    return tuple(dict.fromkeys(name for one in known() for name in (one.name, *one.managers)))


def derived(make: Callable[[tuple[Facts, ...]], T]) -> Callable[[], T]:
    """A decorator: what ``make`` makes of the known ecosystems, once for each time that they were said."""
    kept: list[tuple[tuple[Facts, ...], T]] = []

    def get() -> T:
        facts = known()
        if not kept or kept[0][0] is not facts:
            kept[:] = [(facts, make(facts))]
        return kept[0][1]

    return get


@derived
def _starters(known: tuple[Facts, ...]) -> tuple[str, ...]:
    return tuple(ending for one in known if one.builds is not None for ending in one.builds.starters)


def runs_at_start(path: str) -> bool:
    """Whether each start of an interpreter runs code of that file, by its path or the name of a step."""
    return f"/{path}".endswith(_starters())


def to_data(facts: Sequence[Facts]) -> list[dict[str, Any]]:
    """The records as JSON can hold them."""
    return [asdict(one) for one in facts]


def from_data(data: Iterable[Mapping[str, Any]]) -> tuple[Facts, ...]:
    """The inverse of ``to_data``, of a parent's own words."""
    return tuple(_facts(one) for one in data)


def _facts(data: Mapping[str, Any]) -> Facts:
    given = {key: _frozen(value) for key, value in data.items()}
    given["built_in"] = tuple(BuiltIn(**{k: _frozen(v) for k, v in one.items()}) for one in data["built_in"])
    builds = data["builds"]
    given["builds"] = Builds(**{k: _frozen(v) for k, v in builds.items()}) if builds else None
    return Facts(**given)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(one) for key, one in value.items()}
    return tuple(value) if isinstance(value, list) else value
