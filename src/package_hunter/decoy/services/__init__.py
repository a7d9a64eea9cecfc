"""The decoy services: each a small file with one class, listed here in the order in which they are asked.

They are loaded when the first request is there: what the gateway's start does not need, it does not wait for.
"""

from __future__ import annotations

from pkgutil import iter_modules

from package_hunter.decoy.services.base import Service

MODULES = tuple(f"{__name__}.{one.name}" for one in iter_modules(__path__))


def services() -> tuple[type[Service], ...]:
    """All of them."""
    from package_hunter.decoy.services.calendars import Calendars
    from package_hunter.decoy.services.chat import ChatWebhooks
    from package_hunter.decoy.services.code_hosts import CodeHosts
    from package_hunter.decoy.services.docker import ContainerEngine
    from package_hunter.decoy.services.ethereum import Ethereum
    from package_hunter.decoy.services.geo_ip import GeoIp
    from package_hunter.decoy.services.git_push import GitPush
    from package_hunter.decoy.services.icp import InternetComputer
    from package_hunter.decoy.services.identity import Identity
    from package_hunter.decoy.services.leads import Followed
    from package_hunter.decoy.services.markers import Markers
    from package_hunter.decoy.services.metadata import CloudMetadata
    from package_hunter.decoy.services.parameter_stores import ParameterStores
    from package_hunter.decoy.services.pastes import Pastes
    from package_hunter.decoy.services.registry_writes import RegistryWrites
    from package_hunter.decoy.services.solana import Solana

    return (
        ContainerEngine, Markers, Followed, CloudMetadata, Identity, ParameterStores, RegistryWrites, GitPush,
        CodeHosts, ChatWebhooks, Ethereum, Solana, InternetComputer, Pastes, Calendars, GeoIp,
    )  # fmt: skip
