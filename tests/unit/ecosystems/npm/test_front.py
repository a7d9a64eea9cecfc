"""What of npm's registries is a channel, and what is told of strangers' hosts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from package_hunter.decoy.registry.allow import AllowList
from package_hunter.decoy.web import Answer, Ask, Peer
from package_hunter.ecosystems.npm.front import NpmFront
from package_hunter.model.registry import RegistryAllow

SRI = "sha512-" + "A" * 86 + "=="


class Shared:
    """Registry, without any upstream."""

    def __init__(self, allow: RegistryAllow) -> None:
        self.allowed = {"npm": AllowList("npm")}
        self.allowed["npm"].add(allow)
        self.clients: dict[str, Any] = {}
        self.marks: list[str] = []
        self.refusals: list[str] = []

    async def known(self, check: Any) -> bool:
        return bool(check())

    def mark(self, kind: str, ask: Ask, detail: str) -> None:
        self.marks.append(kind)

    def refused(self, ask: Ask, error: Exception) -> None:
        self.refusals.append(ask.url)


def _ask(shared: Shared, host: str, path: str) -> Answer:
    front = NpmFront(shared)  # type: ignore[arg-type]
    peer = Peer("198.18.0.1", 443, 40000, host, host, tls=True)
    return asyncio.run(front.answer(Ask("GET", path, host, {}, peer)))


@pytest.mark.parametrize(
    "path", ["/unheard-of", "/unheard-of/-/unheard-of-1.0.0.tgz", "/-/v1/search", "/a?x=secret"]
)
def test_what_the_manager_asks_for_in_vain_is_no_channel_and_later_it_is(path: str) -> None:
    shared = Shared(RegistryAllow("npm", frozenset({"a"}), manager_decides=True))
    shared.clients = {}
    assert _ask(shared, "registry.example", path).status in (403, 404)
    assert shared.marks == []
    shared.allowed["npm"].freeze()
    fresh = path.replace("unheard-of", "foreign")
    assert _ask(shared, "registry.example", fresh).status in (403, 404)
    assert shared.marks == (["registry_channel"] if "/-/foreign" not in fresh else [])


def test_a_strangers_host_is_told_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://stranger.example/left/-/left-1.0.0.tgz"
    allow = RegistryAllow("npm", frozenset({"left"}), True, {"left@1.0.0": SRI}, frozenset({url}), {url: SRI})
    shared = Shared(allow)
    assert _ask(shared, "stranger.example", "/left/-/left-1.0.0.tgz").status == 403
    assert shared.refusals == [url] and shared.marks == []
