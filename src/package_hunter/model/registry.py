"""What a scan may fetch from package registries: made by the plan, held by the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RegistryAllow:
    """What of one ecosystem (``npm``, ``pypi``, ``gem``) the dependency tree asks for.

    ``names`` are the packages that may be asked for (an npm alias by its target). Unless ``closed``, what the
    registry itself says that those depend on may be asked for too, and so on; with ``closed`` (a lock file
    that lists all) nothing else. ``integrity`` maps ``name@version`` to the lock file's SRI string:
    what is fetched must match it. ``urls`` are artefacts that a lock file names by their full address,
    ``proven`` maps those whose digest it gives, wherever it names them, to that SRI string: only they may be
    answered by a registry that lies at another address.

    ``manager_decides``: nothing but the package manager can run in the fetch. Then it is the source of truth: what it
    asks for passes, is the tree, and is all that passes from the end of the fetch on (``AllowList.freeze``).
    ``builds_ask``: but for what builds need then: other versions, and what the registry says that these need.
    ``scripts_ask``: packages that the project's own scripts name literally (``npx NAME``): they and what the registry
    says that they need may be asked for in any version, also where all else is closed.
    """

    ecosystem: str
    names: frozenset[str] = frozenset()
    closed: bool = False
    integrity: Mapping[str, str] = field(default_factory=dict)
    urls: frozenset[str] = frozenset()
    proven: Mapping[str, str] = field(default_factory=dict)
    manager_decides: bool = False
    builds_ask: bool = False
    scripts_ask: frozenset[str] = frozenset()
