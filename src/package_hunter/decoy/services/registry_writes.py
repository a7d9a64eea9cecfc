"""Package registries, write side: publish, login, tokens. Answered as a real one would, passed on never."""

from __future__ import annotations

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.web import Answer, Ask, json_answer

_WRITES = ("PUT", "POST", "DELETE", "PATCH")


class RegistryWrites:
    """Every write to a registry that this host uses, and publishing by its form to any other."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._hosts = {host_of(url) for u in world.spec.upstreams for url in u.addresses}

    def matches(self, ask: Ask) -> bool:
        return ask.method in _WRITES and (ask.host in self._hosts or _publishes(ask))

    def answer(self, ask: Ask) -> Answer | None:
        path = ask.path
        if path.startswith("/-/npm/v1/security/"):
            return json_answer("{}")
        if path.startswith(("/-/npm/v1/tokens", "/-/npm/v1/oidc")):
            self._world.mark("registry_account", ask.peer, "asked for a new token", url=ask.url[:2000])
            key = self._world.steady.hex("npm token", 32)
            return json_answer(f'{{"token":"{self._world.secret("minted-npm-token")}","key":"{key}"}}', 201)
        if path.startswith(("/-/user/", "/-/v1/login")):
            self._world.mark("registry_account", ask.peer, "logged in", url=ask.url[:2000])
            token = self._world.secret("minted-npm-token")
            return json_answer(f'{{"ok":true,"id":"org.couchdb.user:dmeyer","token":"{token}"}}', 201)
        self._world.mark("registry_publish", ask.peer, f"{ask.method} {path[:200]}", url=ask.url[:2000])
        if path.endswith("/api/v1/gems"):
            return Answer(200, b"Successfully registered gem\n", type="text/plain")
        if b"file_upload" in ask.body[:65_536]:
            return Answer(200, b"", type="text/plain")
        return json_answer('{"ok":"created new entry","success":true}', 201)


def _publishes(ask: Ask) -> bool:
    """npm's publish document, PyPI's upload form, gem push."""
    if ask.method == "PUT" and b'"_attachments"' in ask.body and b'"versions"' in ask.body:
        return True
    if ask.method == "POST" and b'name=":action"' in ask.body and b"file_upload" in ask.body:
        return True
    return ask.method == "POST" and ask.path == "/api/v1/gems"
