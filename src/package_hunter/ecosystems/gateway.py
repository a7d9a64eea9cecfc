"""The gateway's program: ``python -m package_hunter.ecosystems.gateway FD`` (``decoy.serve``), with the registries of
every ecosystem."""

from __future__ import annotations

from package_hunter.decoy.registry.front import Front, Registry
from package_hunter.decoy.serve import main
from package_hunter.ecosystems.known import ecosystems


def fronts(shared: Registry) -> tuple[Front, ...]:
    """Those that there are, in the order in which they are asked."""
    return tuple(front for one in ecosystems() if (front := one.front(shared)) is not None)


if __name__ == "__main__":
    main(fronts)
