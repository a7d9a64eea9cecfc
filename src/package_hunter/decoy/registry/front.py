"""The gateway's side of the registries: judges each request, serves it from the cache or passes it on."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpx

from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.decoy.registry.allow import AllowList
from package_hunter.decoy.registry.cache import Metadata, PendingArtefact, RegistryCache, best_digest
from package_hunter.decoy.registry.client import UpstreamClient
from package_hunter.decoy.registry.patience import Patience, Silent, failed
from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.spec import GatewaySpec
from package_hunter.decoy.web import Answer, Ask
from package_hunter.model.ecosystem import known
from package_hunter.model.observation import DecoyMark, OutsideFetch
from package_hunter.model.registry import RegistryAllow

_FRESH_SECONDS = 300.0
_KEPT_HEADERS = ("content-type", "content-encoding", "etag", "last-modified", "vary")


class Unreachable(Exception):
    """The upstream did not answer and the cache does not hold it."""

    status = 503


class Offline(Unreachable):
    """The cache does not hold it, and nobody else may be asked."""

    status = 403  # package managers try again, for minutes, on 503


class Down(Unreachable):
    """The upstream did not answer, or only with an error of its own, as often as it was asked."""

    status = 403  # it was asked again here: nobody in the box has to wait and try


class Front(Protocol):
    """What an ecosystem's folder gives: its registries as the box sees them, read side."""

    def serves(self, ask: Ask) -> bool:
        """Whether this request is for one of them."""

    async def answer(self, ask: Ask) -> Answer:
        """The answer to a read; anything but reads of allowed packages is refused and noted."""


class Registry:
    """What every ecosystem's front shares: cache, upstream clients, the allowed set, marks."""

    def __init__(self, spec: GatewaySpec, cache: RegistryCache, record: NetworkRecorder) -> None:
        self.spec = spec
        self.cache = cache
        self.record = record
        self.allowed = {one.name: AllowList(one.name) for one in known()}
        self.clients = {u.url: UpstreamClient(u) for u in spec.upstreams}
        self._learning: set[asyncio.Future[Any]] = set()
        self.patience = Patience()
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
        why, status = str(error), OutsideFetch.DOWN if isinstance(error, Down) else error.status
        self.record("fetched", OutsideFetch(now(), ask.url[:2000], status, 0, "", why, ask.peer.peer_port))

    def stood_in(self, ask: Ask, url: str) -> None:
        """Note that a registry's file goes out for one at a stranger's address, of the same digest."""
        what = OutsideFetch(now(), ask.url[:2000], 200, 0, "", "", ask.peer.peer_port, stood_in=host_of(url))
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
            return await self.patience.asked(
                url, lambda: self._fetch_metadata(client, url, asked, cached, (path, variant), teach)
            )
        except Silent as error:
            if cached:
                return cached
            raise Down(str(error)) from error
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
            failed(response)
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
            return await self._head(client, url)
        try:
            return await self.patience.asked(url, lambda: self._begun(client, url, digest, ask, label))
        except Silent as error:
            raise Down(str(error)) from error

    async def _head(self, client: UpstreamClient, url: str) -> Answer:
        try:
            async with client.get(url, {}, "HEAD") as head:
                return Answer(head.status_code, b"", (), "application/octet-stream", registry=True)
        except httpx.HTTPError as error:
            raise Down(f"{urlsplit(url).hostname} did not answer: {type(error).__name__}") from error

    async def _begun(
        self, client: UpstreamClient, url: str, digest: tuple[str, str] | None, ask: Ask, label: str
    ) -> Answer:
        """The answer once its first bytes are there; the rest is streamed."""
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
        size, last = 0, b""
        try:
            async with client.get(url, {"accept-encoding": "identity"}) as response:
                failed(response)
                started.set_result((response.status_code, response.headers.get("content-length")))
                async for part in response.aiter_raw():
                    size += len(part)
                    if size > self.spec.limits.artefact_bytes:
                        raise Unreachable(f"{label} is larger than {self.spec.limits.artefact_bytes} bytes")
                    if pending:
                        pending.write(part)
                    if last:
                        yield last
                    last = part
                if response.status_code == 200 and pending and not pending.commit():
                    self.mark(
                        "integrity_mismatch", ask, f"{label} is not what its registry or lock file says"
                    )
                if last:
                    yield last  # goes out when all is judged: the scan may end with it
        except httpx.HTTPError as error:
            if not started.done():
                raise  # nothing of it is out yet: it is asked for again
            raise Unreachable(f"{urlsplit(url).hostname} broke off: {type(error).__name__}") from error
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
