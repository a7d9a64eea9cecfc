"""gem's sources of this host: index pages of allowed gems, and the gems that those name."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from package_hunter.decoy.registry.client import UpstreamClient
from package_hunter.decoy.registry.front import Registry, Unreachable
from package_hunter.decoy.second_names import asked_of
from package_hunter.decoy.web import Answer, Ask
from package_hunter.ecosystems.ruby import registry as gems
from package_hunter.ecosystems.ruby.registry import GemPath

_ACCEPT = {"accept-encoding": "gzip"}


class NoIndex(Unreachable):
    """A gem that may well be in the tree, which this source does not tell."""

    status = 403


class GemFront:
    """The compact index and the older one, read side."""

    def __init__(self, shared: Registry) -> None:
        self._shared = shared
        self._allowed = shared.allowed["gem"]
        self._clients = [c for c in shared.clients.values() if c.upstream.ecosystem == "gem"]
        self._upstreams = tuple(c.upstream for c in self._clients)
        self._files: dict[
            tuple[str, str], tuple[str, str, str]
        ] = {}  # source, full name -> name, version, SRI
        self._read: set[tuple[str, str]] = set()  # source, name: whose info was read
        self._denied: set[str] = set()
        self._without_index: set[str] = set()  # sources that have no compact index

    def _source(self, ask: Ask) -> UpstreamClient | None:
        # gem and bundler ask a well-known source's index at "index." before its name
        for host in (ask.host, ask.host.removeprefix("index.")):
            for client in self._clients:
                parts = urlsplit(client.upstream.url)
                if parts.hostname == host and (ask.raw_path + "/").startswith(parts.path):
                    return client
        return None

    def serves(self, ask: Ask) -> bool:
        """Whether it goes to a source."""
        return self._source(ask) is not None or self._other(ask) is not None

    def _other(self, ask: Ask) -> Ask | None:
        """The same, asked of a source of the host's, if this went to a second name of that."""
        hosts = (ask.host, ask.host.removeprefix("index."))
        found = (asked_of(self._upstreams, ask, host) for host in hosts)
        return next((other[1] for other in found if other is not None), None)

    async def answer(self, ask: Ask) -> Answer:
        """The answer to a read."""
        client = self._source(ask)
        if client is None:
            other = self._other(ask)
            return await self.answer(other) if other is not None else _not_found()
        base = urlsplit(client.upstream.url).path
        path = gems.read_path("/" + ask.path[len(base) :])
        try:
            if path.item == "/api/v1/dependencies" and self._all_allowed(ask.query):
                return _not_found()  # an older way, which bundler tries: the compact index says the same
            if ask.query:
                return self._deny(ask, ask.target)
            if path.kind == "root":
                return Answer(200, b"", type="text/html; charset=utf-8")
            if path.kind == "whole":
                return await self._whole(ask, client, path.item)
            if path.kind == "info":
                return await self._info(ask, client, path.item)
            if path.kind in ("gem", "quick"):
                return await self._file(ask, client, path)
        except Unreachable as error:
            self._shared.refused(ask, error)
            return Answer(error.status, str(error).encode(), type="text/plain")
        return self._deny(ask, ask.raw_path)

    async def _whole(self, ask: Ask, client: UpstreamClient, path: str) -> Answer:
        entry = await self._shared.metadata(client, path[1:], _accepts(ask), _form(ask), gems.no_lesson)
        if path == "/versions" and entry.status == 404:
            self._without_index.add(client.upstream.url)
        return Answer(
            entry.status,
            b"" if ask.method == "HEAD" else entry.body,
            entry.headers,
            "text/plain",
            registry=True,
        )

    async def _info(self, ask: Ask, client: UpstreamClient, name: str) -> Answer:
        if name == "bundler" and not self._allowed.name(name):
            return _not_found()  # bundler asks for news of itself: no channel, nobody's dependency
        if not await self._shared.known(lambda: self._allowed.name(name)):
            return self._deny(ask, name)
        headers, form = _accepts(ask), _form(ask)
        entry = await self._shared.metadata(
            client, f"info/{quote(name)}", headers, form, lambda text: gems.info_lesson(name, text)
        )
        self._read.add((client.upstream.url, name))
        self._allowed.learn(entry.lesson.get("names", ()))
        for full, (version, sri) in entry.lesson.get("files", {}).items():
            self._files[client.upstream.url, full] = (name, version, sri)
        body = b"" if ask.method == "HEAD" else entry.body
        return Answer(entry.status, body, entry.headers, "text/plain", registry=True)

    async def _known(self, ask: Ask, client: UpstreamClient, full: str) -> tuple[str, str, str] | None:
        """Name, version and digest of a gem by its file's name, from its index page (read now, where it was
        not asked for)."""
        for name in gems.names_of(full):
            if (client.upstream.url, full) in self._files:
                break
            if (client.upstream.url, name) not in self._read and self._allowed.name(name):
                plain = Ask("GET", ask.target, ask.host, _ACCEPT, ask.peer)
                await self._info(plain, client, name)
        found = self._files.get((client.upstream.url, full))
        if found is None:  # a source without a compact index: the name has to do
            guess = next((name for name in gems.names_of(full) if self._allowed.name(name)), None)
            return (guess, full[len(guess) + 1 :], "") if guess else None
        return found

    async def _file(self, ask: Ask, client: UpstreamClient, path: GemPath) -> Answer:
        known = await self._known(ask, client, path.item)
        if known is None and client.upstream.url in self._without_index:
            raise NoIndex("its source has no compact index, so who depends on it is not known")
        if known is None or not self._allowed.version(known[0], known[1]):
            return self._deny(ask, path.item)
        name, version, sri = known
        if path.kind == "quick":
            where = f"quick/Marshal.4.8/{quote(path.item)}.gemspec.rz"
            entry = await self._shared.metadata(client, where, {}, "quick", gems.no_lesson)
            return Answer(entry.status, entry.body, (), "application/octet-stream", registry=True)
        url = urljoin(client.upstream.url, f"gems/{quote(path.item)}.gem")
        locked = self._allowed.integrity(name, version)
        self._allowed.served(name, version, locked or sri)
        return await self._shared.artefact(client, url, locked or sri, ask, f"{name}@{version}")

    def _all_allowed(self, query: str) -> bool:
        """Whether a query names gems of the tree only (or none)."""
        names = [name for pair in parse_qsl(query) for name in pair[1].split(",") if pair[0] == "gems"]
        return parse_qsl(query)[1:] == [] and all(map(self._allowed.name, names))

    def _deny(self, ask: Ask, what: str) -> Answer:
        if self._allowed.deciding:
            return _not_found()  # the manager itself: it wants what there is not
        if what not in self._denied and len(self._denied) < 1000:
            self._denied.add(what)
            self._shared.mark(
                "registry_channel", ask, f"asked for {what[:214]}, which no dependency of this project names"
            )
        return _not_found()


def _not_found() -> Answer:
    return Answer(404, b"This gem could not be found.", type="text/plain")


def _accepts(ask: Ask) -> dict[str, str]:
    return _ACCEPT if _form(ask) == "gzip" else {}


def _form(ask: Ask) -> str:
    return "gzip" if "gzip" in ask.headers.get("accept-encoding", "") else "plain"
