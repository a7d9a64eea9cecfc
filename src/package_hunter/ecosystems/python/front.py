"""pip's indexes of this host, by the package asked for; artefacts only as an index page named them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urljoin, urlsplit

from package_hunter.decoy.registry.allow import normal_name
from package_hunter.decoy.registry.client import UpstreamClient
from package_hunter.decoy.registry.front import Registry, Unreachable
from package_hunter.decoy.second_names import asked_of, host_of
from package_hunter.decoy.web import Answer, Ask
from package_hunter.ecosystems.python.registry import artefact_names, metadata_lesson, page_lesson

_LEARN_BYTES = 128 << 20  # an artefact larger than this teaches no dependencies
_FRESH = ("cache-control", "max-age=600, public")  # as an index says: a page is asked for once in a scan
_JSON = "application/vnd.pypi.simple.v1+json"


class PypiFront:
    """Index pages and the files that they name."""

    def __init__(self, shared: Registry) -> None:
        self._shared = shared
        self._allowed = shared.allowed["pypi"]
        self._clients = [c for c in shared.clients.values() if c.upstream.ecosystem == "pypi"]
        self._upstreams = tuple(c.upstream for c in self._clients)
        self._hosts = {host_of(url) for one in self._upstreams for url in one.addresses}
        self._files: dict[str, tuple[UpstreamClient, str, str]] = {}  # host+path -> client, SRI, URL

    def _index(self, ask: Ask) -> UpstreamClient | None:
        for client in self._clients:
            parts = urlsplit(client.upstream.url)
            if parts.hostname == ask.host and (ask.raw_path + "/").startswith(parts.path):
                return client
        return None

    def serves(self, ask: Ask) -> bool:
        """Whether it goes to an index, or to a host that an index keeps its files at."""
        return ask.host in self._hosts

    async def answer(self, ask: Ask) -> Answer:
        """The answer to a read."""
        try:
            file = self._files.get(ask.host + ask.raw_path.removesuffix(".metadata"))
            if file is not None and not ask.query:
                return await self._file(ask, *file)
            client = self._index(ask)
            if client is not None:
                return await self._page(ask, client)
            if (other := asked_of(self._upstreams, ask, ask.host)) is not None:
                return await self._moved(*other)
        except Unreachable as error:
            self._shared.refused(ask, error)
            return Answer(error.status, str(error).encode(), type="text/plain")
        return self._deny(ask, ask.raw_path)

    async def _moved(self, place: str, ask: Ask) -> Answer:
        """Judged as if it had been asked of the index itself, and sent there: links that a page gives relative to
        itself are right only there."""
        answer = await self.answer(ask)
        if answer.status >= 400:
            return answer
        return Answer(302, b"", (("location", place),), "text/plain", registry=True)

    def _deny(self, ask: Ask, what: str) -> Answer:
        self._shared.mark(
            "registry_channel", ask, f"asked for {what[:214]}, which no dependency of this project names"
        )
        return Answer(404, b"Not Found", type="text/plain")

    async def _page(self, ask: Ask, client: UpstreamClient) -> Answer:
        base = urlsplit(client.upstream.url).path
        name = ask.path[len(base) :].strip("/")
        if "/" in name or ask.query or not await self._shared.known(lambda: self._allowed.name(name)):
            return self._deny(ask, name)
        path = normal_name("pypi", name) + "/"
        form = "json" if _JSON in ask.headers.get("accept", "") else "html"
        kind = f"{form}+gzip" if "gzip" in ask.headers.get("accept-encoding", "") else form
        url = urljoin(client.upstream.url, path)
        entry = await self._shared.metadata(
            client, path, dict(ask.headers), kind, lambda page: page_lesson(page, url)
        )
        for found, sri in entry.lesson.get("files", {}).items():
            parts = urlsplit(found)
            self._files[f"{parts.hostname}{parts.path}"] = (client, sri, found)
            if parts.hostname and parts.hostname not in self._hosts:
                self._hosts.add(parts.hostname)
                self._shared.on_file_host(parts.hostname)
        body = b"" if ask.method == "HEAD" else entry.body
        return Answer(entry.status, body, (*entry.headers, _FRESH), registry=True)

    async def _file(self, ask: Ask, client: UpstreamClient, sri: str, url: str) -> Answer:
        if ask.raw_path.endswith(".metadata"):
            entry = await self._shared.metadata(client, url + ".metadata", {}, "metadata", metadata_lesson)
            self._allowed.learn(entry.lesson.get("names", ()))
            return Answer(entry.status, entry.body, entry.headers, registry=True)
        answer = await self._shared.artefact(client, url, sri, ask, url.rpartition("/")[2])
        # what a wheel needs is asked for at once, where the package manager is alone: nothing is to be learnt
        alone = self._allowed.deciding and url.endswith(".whl")
        if ask.method == "HEAD" or answer.status != 200 or alone:
            return answer
        if isinstance(answer.body, bytes):
            self._allowed.learn(artefact_names(answer.body))
        elif isinstance(answer.body, AsyncIterator):
            answer.body = self._learning(answer.body)
        else:
            self._allowed.learn(artefact_names(answer.body.read(_LEARN_BYTES)))
            answer.body.seek(0)
        return answer

    async def _learning(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass an artefact on; before its last piece goes out, what it depends on may be asked for."""
        held, size, last = [], 0, b""
        async for part in body:
            if last:
                yield last
            last = part
            size += len(part)
            if size <= _LEARN_BYTES:
                held.append(part)
        if size <= _LEARN_BYTES:
            names = await asyncio.get_running_loop().run_in_executor(None, artefact_names, b"".join(held))
            self._allowed.learn(names)
        if last:
            yield last
