"""npm's registries of this host, by the package asked for; artefacts only as a packument or lock file named them."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from package_hunter.decoy.registry.cache import Metadata, best_digest
from package_hunter.decoy.registry.client import UpstreamClient
from package_hunter.decoy.registry.front import Registry, Unreachable
from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.web import Answer, Ask, json_answer
from package_hunter.ecosystems.npm import registry as npm

_SELF = npm.NpmPath("packument", "npm")
_NOT_FOUND = '{"error":"Not found"}'


class NpmFront:
    """npm's registries of this host, by name of the package asked for."""

    def __init__(self, shared: Registry) -> None:
        self._shared = shared
        self._allowed = shared.allowed["npm"]
        self._clients = [c for c in shared.clients.values() if c.upstream.ecosystem == "npm"]
        # host -> the path below which it is a registry: also under the registries' second names
        self._hosts = {
            host_of(url): urlsplit(url).path for c in self._clients for url in c.upstream.addresses
        }
        self._files: dict[str, tuple[UpstreamClient, str, str, str, str]] = {}  # host+path -> file facts
        self._by_file: dict[tuple[str, str], tuple[UpstreamClient, str, str, str, str]] = {}
        self._denied: set[str] = set()

    def serves(self, ask: Ask) -> bool:
        """Whether it goes to one of the host's npm registries, asks for what they named, or for what a lock
        file names in full in a registry's form. At a stranger's address the lock file must give its digest:
        else other bytes than the project installs might be answered, and scanned."""
        if ask.host in self._hosts or ask.host + ask.raw_path in self._files:
            return True
        proof = self._allowed.proof(ask.url)
        proven = proof is not None and best_digest(proof) is not None
        return proven and npm.read_path(ask.raw_path).kind == "tarball"

    def client_for(self, name: str) -> UpstreamClient | None:
        """The one upstream for this package: its scope's, else the default; never both."""
        scope = name.partition("/")[0] if name.startswith("@") else None
        for client in self._clients:
            if scope and scope in client.upstream.scopes:
                return client
        return next((c for c in self._clients if c.upstream.default), None)

    async def answer(self, ask: Ask) -> Answer:
        """The answer to a read; anything but reads of allowed packages is refused and noted."""
        base = self._hosts.get(ask.host, "").rstrip("/")
        raw = ask.raw_path
        below = raw[len(base) :] if raw.startswith(base + "/") else raw
        path = npm.read_path(below)
        try:
            if path.kind in ("packument", "version") and not self._allowed.url(ask.url):
                return await self._metadata(ask, path)
            if path.kind == "tarball" or ask.host + raw in self._files:
                return await self._tarball(ask, path)
        except Unreachable as error:
            self._shared.refused(ask, error)
            return json_answer(json.dumps({"error": str(error)}), error.status)
        return self._service(ask, path)

    async def _metadata(self, ask: Ask, path: npm.NpmPath) -> Answer:
        if path == _SELF and not self._allowed.name("npm"):
            return json_answer(
                _NOT_FOUND, 404
            )  # npm asks for news of itself: no channel, nobody's dependency
        if ask.query or not await self._shared.known(lambda: self._allowed.name(path.name)):
            return self._deny(ask, path.name)
        client = self.client_for(path.name)
        if client is None:
            return json_answer(_NOT_FOUND, 404)
        entry = await self._packument(client, path, ask)
        if ask.method == "HEAD":
            return Answer(entry.status, b"", entry.headers, registry=True)
        return Answer(entry.status, entry.body, entry.headers, "application/json", registry=True)

    async def _packument(self, client: UpstreamClient, path: npm.NpmPath, ask: Ask) -> Metadata:
        asked = {k: v for k, v in ask.headers.items() if k in ("accept", "accept-encoding")}
        below = quote(path.name, safe="@!~*'()").replace("/", "%2f")
        if path.kind == "version":
            below += "/" + quote(path.item, safe="")
        entry = await self._shared.metadata(client, below, asked, npm.variant(ask.headers), npm.lesson)
        self._allowed.learn(entry.lesson.get("names", ()), path.name)
        for where, (version, sri, url) in entry.lesson.get("files", {}).items():
            host = urlsplit(url).hostname or ""
            facts = (client, path.name, version, sri, url)
            self._files[host + where] = self._by_file[path.name, where.rpartition("/")[2]] = facts
        return entry

    async def _tarball(self, ask: Ask, path: npm.NpmPath) -> Answer:
        known = self._files.get(ask.host + ask.raw_path)
        stands_in = ask.host not in self._hosts and known is None
        if known is None and await self._shared.known(lambda: self._allowed.name(path.name)):
            client = self.client_for(path.name)
            if client is not None:  # a lock file named it: learn its digest first
                await self._packument(client, npm.NpmPath("packument", path.name), _plain_ask(ask))
            known = self._files.get(ask.host + ask.raw_path) or self._by_file.get((path.name, path.item))
        if known is None and stands_in:
            return self._not_the_strangers(ask)
        if known is None or ask.query:
            return self._deny(ask, path.name or ask.raw_path)
        client, name, version, sri, url = known
        if not self._allowed.version(name, version):
            return self._deny(ask, f"{name}@{version}")
        stands_in = stands_in and ask.host + ask.raw_path not in self._files
        locked = self._allowed.proof(ask.url) if stands_in else self._allowed.integrity(name, version)
        if stands_in and (locked is None or _differs(locked, sri)):
            return self._not_the_strangers(ask)
        if locked and sri and best_digest(locked) and _differs(locked, sri):
            what = f"the registry's digest of {name}@{version} is not the lock file's"
            self._shared.mark("integrity_mismatch", ask, what)
            return json_answer(json.dumps({"error": what}), 409)  # no byte of it: npm would try for minutes
        if stands_in:
            self._shared.stood_in(ask, url)
        self._allowed.served(name, version, locked or sri)
        return await self._shared.artefact(client, url, locked or sri, ask, f"{name}@{version}")

    def _not_the_strangers(self, ask: Ask) -> Answer:
        error = Unreachable("what the lock file says of it is not what the registry has under its name")
        self._shared.refused(ask, error)
        return json_answer(json.dumps({"error": str(error)}), 403)

    def _deny(self, ask: Ask, what: str) -> Answer:
        if self._allowed.deciding:
            return json_answer(_NOT_FOUND, 404)  # the manager itself: it wants what there is not
        if what not in self._denied and len(self._denied) < 1000:
            self._denied.add(what)
            self._shared.mark(
                "registry_channel", ask, f"asked for {what[:214]}, which no dependency of this project names"
            )
        return json_answer(_NOT_FOUND, 404)

    def _service(self, ask: Ask, path: npm.NpmPath) -> Answer:
        where = path.item
        if where == "/-/ping":
            return json_answer("{}")
        if where == "/-/whoami":
            self._shared.mark("registry_account", ask, "asked whose token this is")
            return json_answer('{"username":"devops-ci"}')
        if where.startswith("/-/npm/v1/security/"):
            return json_answer("{}")
        if where.startswith(("/-/npm/v1/keys", "/-/npm/v1/attestations", "/-/npm/v1/binary-mirrors")):
            return json_answer(_NOT_FOUND, 404)
        return self._deny(ask, where)


def _plain_ask(ask: Ask) -> Ask:
    headers = {"accept": "application/vnd.npm.install-v1+json", "accept-encoding": "gzip"}
    return Ask("GET", ask.target, ask.host, headers, ask.peer)


def _differs(one: str, other: str) -> bool:
    a, b = best_digest(one), best_digest(other)
    return a is not None and b is not None and a[0] == b[0] and a[1] != b[1]
