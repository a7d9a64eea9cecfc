"""Which scans must be there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sqlalchemy.orm import Session

from package_hunter.governance import policies
from package_hunter.policy.layers import Effective
from package_hunter.policy.model import When
from package_hunter.triage.chain import Chains


@dataclass(frozen=True, slots=True)
class Required:
    """A scan that must be there. ``scope`` is whose policy says so; ``depth`` at least, "": any."""

    when: When
    scope: str
    depth: str = ""


def required(session: Session, project: uuid.UUID, chains: Chains | None = None) -> tuple[Required, ...]:
    """Which scans must be there for a project: what any layer of its policy asks for."""
    places = (chains or Chains(session)).of(project)
    path = places[-1].project.path if places[-1].project is not None else ""
    return of(policies.over(session, places), path)


def of(effective: Effective, path: str) -> tuple[Required, ...]:
    """The same, of policies that are known."""
    found = [
        Required(requirement.when, layer.scope, requirement.depth)
        for layer in effective.layers
        for requirement in layer.policy.requirements
        if applies(requirement.projects, path)
    ]
    return tuple(dict.fromkeys(found))


def applies(patterns: Sequence[str], path: str) -> bool:
    """Whether the project of this path is meant by one of the patterns."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)
