"""A signal: one thing that was seen, in the judge's terms, whatever saw it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from package_hunter.findings.catalog import Class
from package_hunter.model.box import HOME
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.observation import Blame

ONLY_FOR_COMBINATIONS = frozenset({"data_sent", "fetched", "detached"})


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that was seen.

    ``kind`` is one of kinds.yaml, or one of ONLY_FOR_COMBINATIONS, which are no finding by themselves.
    ``subject`` names the object for people, ``process`` is the key of the process. ``facts`` are what
    combinations may ask for: ``bytes`` (sent), ``opaque`` (we could not read it), ``hidden`` (a place where
    people do not look), ``bare_address`` (no name was looked up), ``in_memory`` (what was fetched was executed
    by the process that fetched it, which wrote no program to a file), ``led`` (the
    address that served it came out of a dead drop), ``content`` (a file that holds a secret was
    opened, no folder listed, and not by the program that it is for as it starts), ``settings`` (it is the package
    manager's, where the proxy is told as well), ``keeper`` (a program that keeps secrets was asked for one),
    ``starts`` (what was changed starts programs by itself), ``in_dns`` (it left in a name that was looked up), and
    those that findings/ties.py adds. A fact that is not there is not known. ``root`` is the process below a
    command's first one that it all descends from. ``explain`` are sentences of its own.
    """

    time_ns: int
    kind: str
    weight: Class
    subject: str
    what: str
    blame: Blame | None
    process: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    attack: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    explain: tuple[str, ...] = ()
    root: int | None = None


# settings of package managers: where the registry and the proxy are told, beside a token
@derived
def manager_files(known: tuple[Facts, ...]) -> frozenset[str]:
    """The user's, in the box."""
    return frozenset(f"{HOME}/{name}" for one in known for name in one.settings)


@derived
def _projects_settings(known: tuple[Facts, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for one in known for name in one.project_settings)
    return re.compile(rf"{HOME}/projects/(?:.*/)?(?:{names})")


def reads_settings(path: str) -> bool:
    """Whether the file is a package manager's settings, the user's or a project's."""
    return path in manager_files() or _projects_settings().fullmatch(path) is not None


_DRAWN = r"(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{6}(?=[/\s)]|$)"
# what differs from run to run, version to version, machine to machine; replaced in this order
_UNSTABLE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/proc/\d+/"), "/proc/N/"),
    (re.compile(r"(?<=/tmp/)[^/\s]*(?:[A-Z0-9_]{4,}|[a-z]*\d[a-z0-9]{3,}|\d)[^/\s]*"), "*"),
    (
        re.compile(r"(?<=/tmp/)[^/\s]*[-._](?=[A-Za-z0-9]+[A-Z0-9])[A-Za-z0-9]{6}(?=[/\s)]|$)"),
        "*",
    ),  # mkdtemp's of Node
    # names that mkstemp and the like draw: tmp.cdgUnX, .tmpAbC123, tmpq3x_9a1b, sedAbC123, .name.AbC123, name.swp-4711
    (re.compile(r"(?<![^/\s])(\.?tmp[._-]?)(?:\w{6}|\w{8}|\w{10})(?=[/\s.)]|$)"), r"\1*"),
    (re.compile(rf"(?<=/)(sed|\.[^/\s]{{1,200}}\.){_DRAWN}"), r"\1*"),
    (re.compile(r"(?<=[.~-])(sw[a-px]|te?mp)[.~-]?(?:\d+|\w*\d\w*)(?=[/\s.)]|$)"), r"\1*"),
    (re.compile(r"(?<=@)\d+(?:\.\d+)+[\w.+-]*"), "*"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "*"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"), "*"),
    (re.compile(r"\b\d+(?:\.\d+){1,}\b(?!\.\d)"), "*"),
    (re.compile(r"\d{3,}"), "*"),
)
_PROJECT = re.compile(r"/home/dev/projects/[^/\s]+")
_HOME = re.compile(r"/home/dev(?=/|\b)")


def stable(subject: str) -> str:
    """The subject without what changes between runs: numbers, versions, random parts, the project's name."""
    text = _HOME.sub("~", _PROJECT.sub("PROJECT", subject))
    if _is_address(text):
        return text
    for pattern, put in _UNSTABLE:
        text = pattern.sub(put, text)
    return text


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]+", text))


# Each user's folders for programs, data, settings and caches (the XDG base directories) are where tools put what is
# theirs; what hides in them begins with a dot again.
_HIDDEN = re.compile(
    r"/\.(?!npm/|yarn|pnpm|bin/|local/bin/|(?:cache|config|local/(?:share|lib|state))/[^/.][^/]*/)[^/]+"
    r"|^/(?:tmp|var/tmp|dev/shm|run)/|^/memfd:"
)


def is_hidden(path: str) -> bool:
    """Whether the path is in a dot folder, a temporary folder or in memory: where people do not look."""
    return bool(_HIDDEN.search(path))
