"""The gateway's registries come from the folders: one more folder with a front, and the gateway asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from package_hunter.decoy.record import NetworkRecorder
from package_hunter.decoy.registry.cache import RegistryCache
from package_hunter.decoy.registry.front import Front, Registry
from package_hunter.decoy.router import Router
from package_hunter.decoy.spec import GatewaySpec, Limits, Upstream
from package_hunter.decoy.web import Answer, Ask, Peer
from package_hunter.ecosystems import known
from package_hunter.ecosystems.gateway import fronts
from package_hunter.ecosystems.interface import HostSide
from package_hunter.ecosystems.registries import box_environment, discover
from package_hunter.model.ecosystem import BuiltIn, Facts
from package_hunter.model.registry import RegistryAllow
from tests.fixtures.made.interface import MadeEcosystem

_HOME = "https://bricks.example/"
_PEER = Peer("198.18.0.1", 443, 40_000, "bricks.example", "bricks.example", True)


class _Front:
    def __init__(self, shared: Registry) -> None:
        self._allowed = shared.allowed["made"]

    def serves(self, ask: Ask) -> bool:
        return ask.host == "bricks.example"

    async def answer(self, ask: Ask) -> Answer:
        return Answer(200 if self._allowed.name(ask.path.strip("/")) else 404)


class _Host(HostSide):
    def upstreams(self, cache_dir: Path | None, built_in: Any) -> list[Upstream]:
        return [Upstream("made", url) for url in built_in]

    def box_environment(self, upstreams: Any) -> dict[str, str]:
        return {"MAKER_HOME": upstreams[0].url} if upstreams else {}


class _WithRegistry(MadeEcosystem):
    facts: ClassVar[Facts] = replace(MadeEcosystem.facts, built_in=(BuiltIn(("usr/lib/maker",), "(.*)"),))

    def host(self) -> HostSide:
        return _Host()

    def front(self, shared: Registry) -> Front:
        return _Front(shared)


@pytest.fixture(autouse=True)
def _made() -> Iterator[None]:
    known.use((*known.ECOSYSTEMS, _WithRegistry))
    yield
    known.use()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Registry]:
    record = NetworkRecorder(tmp_path / "log", Limits())
    yield Registry(GatewaySpec("s", tmp_path, tmp_path), RegistryCache(tmp_path / "cache", 1 << 20), record)
    record.close()


@pytest.mark.parametrize(
    "host, path, status",
    [("bricks.example", "/one", 200), ("bricks.example", "/two", 404), ("elsewhere.example", "/one", 299)],
)
def test_the_router_asks_its_front(shared: Registry, host: str, path: str, status: int) -> None:
    async def downloads(_ask: Ask) -> Answer:
        return Answer(299)

    shared.allow(RegistryAllow("made", frozenset({"one"})))
    router = Router.__new__(Router)
    router._services, router._fronts = (), fronts(shared)
    router._over_https = cast(Any, SimpleNamespace(answer=lambda _ask: None))
    router._fetcher = cast(Any, SimpleNamespace(serves=lambda _ask: True, answer=downloads))
    answer = asyncio.run(router.answer(Ask("GET", path, host, {}, replace(_PEER))))
    assert answer.status == status


def test_its_front_is_the_last_of_the_list(shared: Registry) -> None:
    assert [type(one).__name__ for one in fronts(shared)] == ["NpmFront", "PypiFront", "GemFront", "_Front"]


def test_its_registries_are_found_and_named_in_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    known.use((_WithRegistry,))
    found = discover(built_in={"made": (_HOME,)})
    assert [(one.ecosystem, one.url) for one in found] == [("made", _HOME)]
    assert box_environment(found) == {"MAKER_HOME": _HOME}


def test_one_without_a_registry_has_none(shared: Registry) -> None:
    known.use((MadeEcosystem,))
    assert fronts(shared) == () and discover() == () and box_environment(()) == {}
