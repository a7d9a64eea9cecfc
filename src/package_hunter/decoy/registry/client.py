"""The upstream leg: the only place where the host's real credentials are used."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from package_hunter.decoy.spec import Upstream

_CONNECT_SECONDS = 15.0  # to an upstream
_QUIET_SECONDS = 60.0  # of an upstream that is asked
_KEPT_SECONDS = 60.0  # an idle connection to an upstream
_PASSED_ON = ("accept", "accept-encoding", "if-none-match", "range", "git-protocol")
_OF_BODY = ("content-type", "content-encoding")


class UpstreamClient:
    """One upstream registry, connections kept alive. Made before the process gives up its rights."""

    def __init__(self, upstream: Upstream, follow: bool = True) -> None:
        self.upstream = upstream
        parts = urlsplit(upstream.url)
        self.origin = (parts.scheme, parts.hostname, parts.port)
        self._client = httpx.AsyncClient(
            verify=_trust(upstream),
            proxy=upstream.proxy,
            trust_env=upstream.proxy is None,
            timeout=httpx.Timeout(_QUIET_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(
                max_connections=32, max_keepalive_connections=32, keepalive_expiry=_KEPT_SECONDS
            ),
            follow_redirects=follow,
            max_redirects=4,
            headers={"user-agent": "package-hunter"},
        )
        self._client.headers.pop("accept-encoding", None)

    @asynccontextmanager
    async def get(
        self, url: str, headers: dict[str, str], method: str = "GET", body: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """A read of ``url``; of the box's headers only those that say what form of answer it takes (and of a
        read that has a ``body`` what form that has)."""
        sent = {
            name: value
            for name, value in headers.items()
            if name in _PASSED_ON or (body and name in _OF_BODY)
        }
        parts = urlsplit(url)
        if self.upstream.auth and (parts.scheme, parts.hostname, parts.port) == self.origin:
            sent["authorization"] = self.upstream.auth  # httpx drops it where a redirect leaves this origin
        request = self._client.build_request(method, url, headers=sent, content=body)
        if "accept-encoding" not in sent:
            request.headers.pop("accept-encoding", None)
        response = await self._client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._client.aclose()


def _trust(upstream: Upstream) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=upstream.cafile)
    if not upstream.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
