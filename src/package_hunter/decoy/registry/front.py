"""The gateway's side of the registries: judges each request, serves it from the cache or passes it on."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from package_hunter.decoy.record import Recorder, now
from package_hunter.decoy.registry import npm
from package_hunter.decoy.registry.allow import Allowed
from package_hunter.decoy.registry.cache import Metadata, PendingArtefact, RegistryCache, best_digest
from package_hunter.decoy.registry.client import UpstreamClient
from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.spec import GatewaySpec
from package_hunter.decoy.web import Answer, Ask, json_answer
from package_hunter.model.observation import DecoyMark, Fetched
from package_hunter.model.registry import RegistryAllow

_FRESH_SECONDS = 300.0
_KEPT_HEADERS = ("content-type", "content-encoding", "etag", "last-modified", "vary")
_SELF = npm.NpmPath("packument", "npm")
_NOT_FOUND = '{"error":"Not found"}'


class Unreachable(Exception):
    """The upstream did not answer and the cache does not hold it."""

    status = 503


class Offline(Unreachable):
    """The cache does not hold it, and nobody else may be asked."""

    status = 403  # package managers try again, for minutes, on 503


class Registry:
    """What every ecosystem's front shares: cache, upstream clients, the allowed set, marks."""

    def __init__(self, spec: GatewaySpec, cache: RegistryCache, record: Recorder) -> None:
        self.spec = spec
        self.cache = cache
        self.record = record
        self.allowed = {name: Allowed(name) for name in ("npm", "pypi", "gem")}
        self.clients = {u.url: UpstreamClient(u) for u in spec.upstreams}
        self._learning: set[asyncio.Future[Any]] = set()
        # told of each host that an index keeps its files at
        self.on_file_host: Callable[[str], None] = lambda host: None

    def allow(self, allow: RegistryAllow) -> None:
        self.allowed[allow.ecosystem].add(allow)

    async def known(self, check: Callable[[], bool]) -> bool:
        """Whether ``check`` holds, now or after what is being learnt has been learnt."""
        while not check():
            pending = [f for f in self._learning if not f.done()]
            if not pending:
                return check()
            await asyncio.wait(pending)
        return True

    def mark(self, kind: str, ask: Ask, detail: str) -> None:
        """Note a request worth a finding."""
        evidence = {"method": ask.method, "url": ask.url[:2000]}
        self.record(
            "mark", DecoyMark(now(), kind, detail, ask.peer.destination, ask.peer.peer_port, None, evidence)
        )

    def refused(self, ask: Ask, error: Unreachable) -> None:
        """Note that something allowed could not be had."""
        self.record.count_cut("registry_unreachable")
        why = str(error)
        self.record("fetched", Fetched(now(), ask.url[:2000], error.status, 0, "", why, ask.peer.peer_port))

    def stood_in(self, ask: Ask, url: str) -> None:
        """Note that a registry's file goes out for one at a stranger's address, of the same digest."""
        what = Fetched(now(), ask.url[:2000], 200, 0, "", "", ask.peer.peer_port, stood_in=host_of(url))
        self.record("fetched", what)

    async def metadata(
        self,
        client: UpstreamClient,
        path: str,
        headers: dict[str, str],
        variant: str,
        teach: Callable[[bytes], dict[str, Any]],
    ) -> Metadata:
        """A metadata answer, from the cache while it is fresh; raises Unreachable."""
        url = urljoin(client.upstream.url, path)
        cached = self.cache.metadata(client.upstream.url, path, variant)
        if cached and (self.spec.offline or time.time() - cached.validated < _FRESH_SECONDS):
            return cached
        if self.spec.offline:
            raise Offline("it is not in the cache, and this scan is offline")
        asked = {k: v for k, v in headers.items() if k in ("accept", "accept-encoding")}
        if cached and cached.etag:
            asked["if-none-match"] = cached.etag
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._learning.add(done)
        try:
            return await self._fetch_metadata(client, url, asked, cached, (path, variant), teach)
        except httpx.HTTPError as error:
            if cached:
                return cached
            raise Unreachable(f"{urlsplit(url).hostname} did not answer: {type(error).__name__}") from error
        finally:
            done.set_result(None)
            self._learning.discard(done)

    async def _fetch_metadata(
        self,
        client: UpstreamClient,
        url: str,
        asked: dict[str, str],
        cached: Metadata | None,
        key: tuple[str, str],
        teach: Callable[[bytes], dict[str, Any]],
    ) -> Metadata:
        async with client.get(url, asked) as response:
            if response.status_code == 304 and cached:
                cached.validated = time.time()
                self.cache.store_metadata(client.upstream.url, *key, cached)
                return cached
            body = await self._read(response, self.spec.limits.metadata_bytes)
            kept = tuple((k, v) for k, v in response.headers.items() if k in _KEPT_HEADERS)
            entry = Metadata(response.status_code, kept, body, response.headers.get("etag"), time.time())
        if entry.status == 200:
            plain = unpacked(body, dict(kept).get("content-encoding", ""), self.spec.limits.metadata_bytes)
            try:
                entry.lesson = await asyncio.get_running_loop().run_in_executor(None, teach, plain)
            except ValueError:
                return entry
            self.cache.store_metadata(client.upstream.url, *key, entry)
        return entry

    @staticmethod
    async def _read(response: httpx.Response, limit: int) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > limit:
                raise Unreachable(f"an answer of {response.url.host} is larger than {limit} bytes")
            parts.append(part)
        return b"".join(parts)

    async def artefact(self, client: UpstreamClient, url: str, sri: str, ask: Ask, label: str) -> Answer:
        """An artefact whose digest is known, from the cache or streamed through."""
        digest = best_digest(sri)
        if digest is not None:
            held = self.cache.artefact(client.upstream.url, *digest)
            if held is not None:
                return Answer(200, held, (), "application/octet-stream", registry=True)
        if self.spec.offline:
            raise Offline("it is not in the cache, and this scan is offline")
        if ask.method == "HEAD":
            async with client.get(url, {}, "HEAD") as head:
                return Answer(head.status_code, b"", (), "application/octet-stream", registry=True)
        pending = self.cache.begin_artefact(client.upstream.url, *digest) if digest else None
        started: asyncio.Future[tuple[int, str | None]] = asyncio.get_running_loop().create_future()
        stream = self._stream(client, url, pending, started, ask, label)
        first = await anext(stream, b"")
        status, length = await started
        return Answer(
            status,
            _rest(first, stream),
            (),
            "application/octet-stream",
            registry=True,
            length=int(length) if length and length.isdigit() else None,
        )

    async def _stream(
        self,
        client: UpstreamClient,
        url: str,
        pending: PendingArtefact | None,
        started: asyncio.Future[tuple[int, str | None]],
        ask: Ask,
        label: str,
    ) -> AsyncIterator[bytes]:
        size = 0
        try:
            async with client.get(url, {"accept-encoding": "identity"}) as response:
                started.set_result((response.status_code, response.headers.get("content-length")))
                async for part in response.aiter_raw():
                    size += len(part)
                    if size > self.spec.limits.artefact_bytes:
                        raise Unreachable(f"{label} is larger than {self.spec.limits.artefact_bytes} bytes")
                    if pending:
                        pending.write(part)
                    yield part
                if response.status_code == 200 and pending and not pending.commit():
                    self.mark(
                        "integrity_mismatch", ask, f"{label} is not what its registry or lock file says"
                    )
        except httpx.HTTPError as error:
            raise Unreachable(f"{urlsplit(url).hostname} did not answer: {type(error).__name__}") from error
        finally:
            if pending:
                pending.abandon()

    async def close(self) -> None:
        for client in self.clients.values():
            await client.close()


async def _rest(first: bytes, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for part in stream:
        yield part


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """``body`` without its content-encoding, at most ``limit`` bytes; ValueError where it cannot be."""
    if not encoding or encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise ValueError(f"unexpected encoding {encoding}")
    unzip = zlib.decompressobj(31)
    try:
        plain = unzip.decompress(body, limit)
    except zlib.error as error:
        raise ValueError("broken gzip") from error
    if unzip.unconsumed_tail:
        raise ValueError("too large")
    return plain


class NpmFront:
    """npm's registries of this host, by name of the package asked for."""

    ecosystem = "npm"

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
        self._allowed.learn(entry.lesson.get("names", ()))
        for where, (version, sri, url) in entry.lesson.get("files", {}).items():
            host = urlsplit(url).hostname or ""
            facts = (client, path.name, version, sri, url)
            self._files[host + where] = self._by_file[path.name, where.rpartition("/")[2]] = facts
        return entry

    async def _tarball(self, ask: Ask, path: npm.NpmPath) -> Answer:
        known = self._files.get(ask.host + ask.raw_path)
        if known is None and await self._shared.known(lambda: self._allowed.name(path.name)):
            client = self.client_for(path.name)
            if client is not None:  # a lock file named it: learn its digest first
                await self._packument(client, npm.NpmPath("packument", path.name), _plain_ask(ask))
            known = self._files.get(ask.host + ask.raw_path) or self._by_file.get((path.name, path.item))
        if known is None or ask.query:
            return self._deny(ask, path.name or ask.raw_path)
        client, name, version, sri, url = known
        if not self._allowed.version(name, version):
            return self._deny(ask, f"{name}@{version}")
        stands_in = ask.host not in self._hosts and ask.host + ask.raw_path not in self._files
        locked = self._allowed.proof(ask.url) if stands_in else self._allowed.integrity(name, version)
        if stands_in and (locked is None or _differs(locked, sri)):
            return self._not_the_strangers(ask)
        if locked and sri and best_digest(locked) and _differs(locked, sri):
            what = f"the registry's digest of {name}@{version} is not the lock file's"
            self._shared.mark("integrity_mismatch", ask, what)
            return json_answer(json.dumps({"error": what}), 409)  # no byte of it: npm would try for minutes
        if stands_in:
            self._shared.stood_in(ask, url)
        return await self._shared.artefact(client, url, locked or sri, ask, f"{name}@{version}")

    def _not_the_strangers(self, ask: Ask) -> Answer:
        error = Unreachable("what the lock file says of it is not what the registry has under its name")
        self._shared.refused(ask, error)
        return json_answer(json.dumps({"error": str(error)}), 403)

    def _deny(self, ask: Ask, what: str) -> Answer:
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
