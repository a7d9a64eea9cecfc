"""Which part of the decoy world answers a request."""

from __future__ import annotations

from functools import cached_property

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.dns import DnsServer
from package_hunter.decoy.over_https import OverHttps
from package_hunter.decoy.registry.fetcher import Fetcher
from package_hunter.decoy.registry.front import Front
from package_hunter.decoy.services import services
from package_hunter.decoy.services.base import Service
from package_hunter.decoy.services.downloads import Downloads
from package_hunter.decoy.services.runtimes import Runtimes
from package_hunter.decoy.web import Answer, Ask


class Router:
    """Registries first, then the services by name, port or form, then releases of runtimes, then a plausible
    download for any URL."""

    def __init__(
        self,
        world: DecoyContext,
        fronts: tuple[Front, ...],
        fetcher: Fetcher,
        dns: DnsServer,
        runtimes: Runtimes,
    ) -> None:
        self._over_https = OverHttps(dns)
        self._world, self._fronts, self._fetcher = world, fronts, fetcher
        self._runtimes, self._downloads = runtimes, Downloads(world)

    @cached_property
    def _services(self) -> tuple[Service, ...]:
        return tuple(make(self._world) for make in services())

    async def answer(self, ask: Ask) -> Answer:
        """The answer to any request."""
        if ask.method == "CONNECT":
            return Answer(200)
        if (resolved := self._over_https.answer(ask)) is not None:
            return resolved
        for service in self._services:
            if service.matches(ask) and (answer := service.answer(ask)) is not None:
                return answer
        for front in self._fronts:
            if front.serves(ask) and ask.method in ("GET", "HEAD"):
                return await front.answer(ask)
        if self._fetcher.serves(ask):
            return await self._fetcher.answer(ask)
        return await self._runtimes.answer(ask) or self._downloads.answer(ask)
