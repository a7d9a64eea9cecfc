"""The closed resolution: uv, in the box, before any package's code can run there. What it is told, and what it found.

The order (``job``) is made of what was read of the project; uv reads it, and a uv.lock itself, with the box's own
interpreter. What it found (``Tree``) is read when nothing foreign has run yet, and is held to from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from package_hunter.ecosystems.python.asked import RequirementSet, dumps, normal, requirement_name
from package_hunter.ecosystems.python.formats import formats, is_option
from package_hunter.ecosystems.tree import BoxTree, as_map, as_text
from package_hunter.model.box import HOME
from package_hunter.model.scan import BoxFile
from package_hunter.model.text import shortened

SCRIPT = "/usr/share/python3/resolve.py"
LIST, LIMITS = "/usr/share/python3/requirements.txt", "/usr/share/python3/constraints.txt"
_JOB = "/usr/share/python3/resolve.json"
_UV, _CACHE = "/usr/local/bin/uv", f"{HOME}/.cache/uv"
_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[\w.,-]*\])?==[A-Za-z0-9.!+_-]+")
_MAX_PACKAGES = 20_000
_OF_PIP = ("--pre", "--use-pep517", "--prefer-binary")  # options that uv has otherwise, or does so anyway
_FOLDERS = ("--find-links", "--no-index")
_MAX_RESULT = 64 << 20
_BECAUSE = re.compile(
    r"cause:\s*Because\s+(.{1,300}?)(?:\s+and\s+you\s+require|,\s+we\s+can\s+conclude|$)", re.S
)


@dataclass(frozen=True, slots=True)
class Tree:
    """What the project gets: pins with digests (``frozen``), those of them, and others, that must be built first
    (``builds``, as ``NAME==VERSION``), and those that cannot be had, with uv's reason (``missing``)."""

    frozen: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def pins(self) -> list[str]:
        """Without digests and extras, as a list of constraints."""
        return [re.sub(r"\[.*?\]", "", line.split(" ")[0]) for line in self.frozen]

    @property
    def names(self) -> list[str]:
        """Normal names of all that is to be there in the end."""
        found = [requirement_name(line) for line in (*self.frozen, *self.builds)]
        return list(dict.fromkeys(name for name in found if name))

    def build_of(self, pin: str, project: str) -> tuple[str, ...]:
        """pip's arguments for one that must be built. What it needs is there where its archive said it before."""
        lines = {requirement_name(line): line for line in self.frozen}
        if (line := lines.get(requirement_name(pin))) is None:
            return (pin,)
        if "--hash=" not in line:
            return ("--no-deps", pin)
        return ("--no-deps", "--require-hashes", "-r", f"{project}/.venv/build/{pin}.txt")

    def reasons(self) -> tuple[str, ...]:
        """A sentence for each that cannot be had."""
        return tuple(f"{shortened(name)} was not scanned: {why}." for name, why in self.missing.items())


class Closed:
    """The closed resolution of one project. ``needed``: the package that the scan is about, if it is one."""

    def __init__(self, wanted: RequirementSet, project: str, needed: str | None) -> None:
        self._wanted, self._project, self._needed = wanted, project, needed

    @property
    def lines(self) -> list[str]:
        """All that is asked for by name, and options."""
        proven = [line for lines in self._wanted.proven.values() for line in lines]
        return [*self._wanted.lines, *(line.partition(" --hash")[0] for line in proven)]

    @property
    def asked(self) -> bool:
        """Whether there is anything to resolve."""
        return any(not line.startswith("-") for line in self.lines)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command."""
        return ("/usr/bin/python3", "-I", SCRIPT, _JOB, self._result)

    @property
    def files(self) -> tuple[BoxFile, ...]:
        """What it needs in the box."""
        return (
            BoxFile(_JOB, json.dumps(self._job()).encode(), owner="root"),
            BoxFile(LIST, dumps([*formats(self.lines).for_uv(), *self._for_uv()]), owner="root"),
            BoxFile(LIMITS, dumps(self._wanted.constraints), owner="root"),
        )

    def build(self, what: tuple[str, ...]) -> tuple[str, ...]:
        """The command that builds and installs a package that says how it is built (pyproject.toml)."""
        python = f"{self._project}/.venv/bin/python"
        return ("/usr/bin/python3", "-I", SCRIPT, "--build", _UV, python, *what)

    def found(self, tree: BoxTree) -> Tree | None:
        """What it left; None where it came to no end. Ask before any package's code can have run."""
        said = tree.read_json(self._result, _MAX_RESULT)
        frozen = _lines(said.get("frozen"))
        if not said or frozen is None or (builds := _lines(said.get("builds"))) is None:
            return None
        missing = {
            name[:200]: _why(as_text(words, 2_000)) for name, words in as_map(said.get("missing")).items()
        }
        return Tree(tuple(frozen), tuple(builds), missing)

    def _for_uv(self) -> list[str]:
        return [line for line in self.lines if line not in _OF_PIP and not is_option(line)]

    @property
    def _result(self) -> str:
        return f"{self._project}/.venv/tree.json"

    def _job(self) -> dict[str, Any]:
        wanted = self._wanted
        elsewhere = [item.name for item in wanted.local.values()] + [item.name for item in wanted.outside]
        asked = {normal(name) for line in self.lines if (name := requirement_name(line))}
        return {
            "python": f"{self._project}/.venv/bin/python",
            "uv": _UV,
            "cache": _CACHE,
            "inputs": [LIST],
            "constraints": [LIMITS],
            "lock": wanted.source == "uv.lock",
            "locked": wanted.locked,
            "skipped": sorted({normal(name) for name in elsewhere if name} - asked),
            "needed": [normal(self._needed)] if self._needed else [],
            "hashes": self._digests(),
            "formats": formats(self.lines).job(),
            "prereleases": "--pre" in wanted.lines,
            "folders": [line for line in wanted.lines if line.startswith(_FOLDERS)],
        }

    def _digests(self) -> dict[str, list[str]]:
        """``NAME==VERSION`` -> the digests that a lock file, or its line, has for it."""
        found: dict[str, list[str]] = {}
        for line in self._wanted.lines:
            if "--hash" in line and (pin := _PIN.match(line)):
                name, _, version = re.sub(r"\[.*?\]", "", pin[0]).partition("==")
                found.setdefault(f"{normal(name)}=={version}", []).extend(
                    re.findall(r"--hash[= ](\w+:\w+)", line)
                )
        for line, origin in self._wanted.origins.items():
            name, _, version = re.split(r"\s", line, maxsplit=1)[0].partition("==")
            if origin.hashes:
                found.setdefault(f"{normal(name)}=={version}", []).extend(origin.hashes)
        return found


def _lines(value: object) -> list[str] | None:
    """Requirement lines, each a name and a version; None where that is something else."""
    if not isinstance(value, list) or len(value) > _MAX_PACKAGES:
        return None
    found = [line for line in value if isinstance(line, str) and _PIN.match(line)]
    return found if len(found) == len(value) else None


def _why(words: str) -> str:
    """uv's reason, without what follows from it."""
    hit = _BECAUSE.search(" ".join(words.split()))
    return shortened(hit[1] if hit else "uv could not have it", 300)


@cache
def script() -> bytes:
    """The program that runs in the box."""
    return resources.files("package_hunter.ecosystems.python").joinpath("resolve.py").read_bytes()
