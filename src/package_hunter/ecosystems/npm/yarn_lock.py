"""Yarn's lock file of version 1 (yarn classic): names, versions, integrity.

Format facts: the file's own shape, yarn's documentation of yarn.lock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# A quote that is not closed takes the rest of the line: looked at once, not from every quote in it.
_SPEC = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^,\s"]+)')
_FIELD = re.compile(r'  (version|resolved|integrity) "?([^"\n]+)"?$')
_NEED = re.compile(r'    "?(@?[^"\s@]{1,214})"? "?([^"\n]+)"?$')
_MAX_LINE = 8_192


@dataclass(slots=True)
class LockEntry:
    """One resolved package. ``specs`` are the ``name@range`` texts that it answers."""

    specs: tuple[str, ...]
    version: str = ""
    resolved: str = ""
    integrity: str = ""
    requires: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The package's own name (an alias gives its target's)."""
        return split_spec(self.specs[0])[0] if self.specs else ""


def split_spec(spec: str) -> tuple[str, str]:
    """``@scope/name@range`` -> name, range; ``alias@npm:target@range`` -> target, range."""
    at = spec.find("@", 1)
    name, wanted = (spec, "") if at < 0 else (spec[:at], spec[at + 1 :])
    return split_spec(wanted[4:]) if wanted.startswith("npm:") and len(wanted) > 4 else (name, wanted)


def is_berry(text: str) -> bool:
    """Whether this yarn.lock is of yarn 2 or later (YAML with ``__metadata``)."""
    return bool(re.search(r"^__metadata:", text, re.M))


def parse(text: str) -> list[LockEntry]:
    """The entries of a yarn.lock of version 1; lines that are not understood are passed over."""
    found: list[LockEntry] = []
    needs = False
    for line in text.splitlines():
        if not line.strip() or line.startswith("#") or len(line) > _MAX_LINE:
            continue
        if line.startswith("    "):
            if needs and found and (need := _NEED.match(line)):
                found[-1].requires[need[1]] = need[2]
            continue
        needs = line in ("  dependencies:", "  optionalDependencies:")
        if not line.startswith(" ") and line.endswith(":"):
            specs = tuple(quoted or plain for quoted, plain in _SPEC.findall(line[:-1]))
            found.append(LockEntry(specs))
        elif found and (hit := _FIELD.match(line)):
            setattr(found[-1], hit[1], hit[2])
    return [locked for locked in found if locked.name]
