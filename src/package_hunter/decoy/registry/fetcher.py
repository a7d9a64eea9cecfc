"""Dependencies that lie outside of a registry: fetched truly from the hosts that a setting names, read-only;
from any other host refused in words, so that no decoy is ever taken for a dependency.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import httpx

from package_hunter.decoy.record import now
from package_hunter.decoy.registry.client import UpstreamClient
from package_hunter.decoy.registry.front import Registry
from package_hunter.decoy.spec import Upstream
from package_hunter.decoy.unwrap import Budget
from package_hunter.decoy.watch import Watch
from package_hunter.decoy.web import Answer, Ask
from package_hunter.model.observation import OutsideFetch

_GIT_READ = "application/x-git-upload-pack-request"
_BACK = ("content-type", "content-encoding", "etag", "last-modified", "location", "cache-control")
_SENT = (
    "accept",
    "accept-encoding",
    "range",
    "if-none-match",
    "git-protocol",
    "content-type",
    "content-encoding",
)
_SEARCHED = 4 << 20  # bytes that may come out of what is wrapped in an address or a body


class Fetcher:
    """Reads of the allowed hosts go out; a canary never does."""

    def __init__(self, shared: Registry, watch: Watch) -> None:
        self._shared, self._watch = shared, watch
        self._hosts = frozenset(host.lower() for host in shared.spec.fetch_hosts)
        # made now: a confined process cannot read the trusted certificates any more
        self._client = UpstreamClient(Upstream("fetch", "https://fetch.invalid/"), follow=False)

    def serves(self, ask: Ask) -> bool:
        """Whether it goes to an allowed host, or is a package manager's (or names what the tree names)."""
        if ask.host in self._hosts:
            return ask.method in ("GET", "HEAD") or _reads_git(ask)
        if ask.method not in ("GET", "HEAD"):
            return False
        named = any(allowed.url(ask.url) for allowed in self._shared.allowed.values())
        return named or ask.by_manager  # others who say that they are one get the same refusal, no decoy

    async def answer(self, ask: Ask) -> Answer:
        """What the host says, or a refusal."""
        if ask.host not in self._hosts:
            return self._refuse(ask, "its host is not among those that may be fetched from")
        if self._shared.spec.offline:
            return self._refuse(ask, "this scan is offline")
        if ask.cut or self._carries_secret(ask):
            return self._refuse(ask, "the request carries more than a read needs")
        try:
            return await self._fetch(ask)
        except httpx.HTTPError as error:
            return self._refuse(ask, f"its host did not answer ({type(error).__name__})")

    def _carries_secret(self, ask: Ask) -> bool:
        sent = (ask.target.encode("latin-1", "replace"), ask.body)
        return any(True for data in sent for _ in self._watch.searcher.deep(data, Budget(_SEARCHED)))

    def _refuse(self, ask: Ask, why: str) -> Answer:
        self._shared.record(
            "fetched", OutsideFetch(now(), ask.url[:2000], 403, 0, "", why, ask.peer.peer_port)
        )
        return Answer(403, f"Not fetched: {why}.\n".encode(), type="text/plain")

    async def _fetch(self, ask: Ask) -> Answer:
        sent = {name: value for name, value in ask.headers.items() if name in _SENT}
        stream = self._client.get(ask.url, sent, ask.method, ask.body or None)
        response = await stream.__aenter__()
        length = response.headers.get("content-length", "")
        return Answer(
            response.status_code,
            self._body(ask, stream, response),
            tuple((name, value) for name, value in response.headers.items() if name in _BACK),
            registry=True,
            length=int(length) if length.isdigit() else None,
        )

    async def _body(self, ask: Ask, stream: object, response: httpx.Response) -> AsyncIterator[bytes]:
        digest, size, whole = hashlib.sha256(), 0, ""
        limit = self._shared.spec.limits.artefact_bytes
        try:
            async for part in response.aiter_raw():
                size += len(part)
                if size > limit:
                    whole = f"it is larger than {limit} bytes"
                    raise EOFError(whole)
                digest.update(part)
                yield part
        except httpx.HTTPError as error:
            whole = f"its host broke off ({type(error).__name__})"
            raise EOFError(whole) from error
        finally:
            record = OutsideFetch(
                now(),
                ask.url[:2000],
                response.status_code,
                size,
                digest.hexdigest(),
                whole,
                ask.peer.peer_port,
            )
            self._shared.record("fetched", record)
            await stream.__aexit__(None, None, None)  # type: ignore[attr-defined]

    async def close(self) -> None:
        await self._client.close()


def _reads_git(ask: Ask) -> bool:
    """The second half of a clone or fetch over HTTP (gitprotocol-http): a POST that only reads."""
    wanted = ask.raw_path.endswith("/git-upload-pack") and ask.method == "POST"
    return wanted and ask.headers.get("content-type") == _GIT_READ
