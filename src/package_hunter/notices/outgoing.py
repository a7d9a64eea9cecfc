"""HTTP to a place that a user named: only to addresses that `guard` lets through, without redirects or proxies, within
one deadline, and reading no more of the answer than is needed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore

from package_hunter import __version__
from package_hunter.errors import HunterError
from package_hunter.notices.guard import Guard, RefusedError

SECONDS = 20.0
"""For one request, from the name's resolution to the answer's last byte."""
MAX_ANSWER = 1 << 20
_CHUNK = 16 << 10


class NoAnswerError(HunterError):
    """Nothing usable came back; the sentence names no address and no secret."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. ``url`` is absolute, checked by `places.parts`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is cut after `MAX_ANSWER` bytes; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outgoing:
    """Sends requests."""

    def __init__(self, guard: Guard, context: ssl.SSLContext | None = None, seconds: float = SECONDS) -> None:
        self._guard = guard
        self._context = context or ssl.create_default_context()
        self._seconds = seconds

    def send(self, asked: Asked) -> Answer:
        """The answer, whatever its status; NoAnswerError, RefusedError."""
        headers = {
            "User-Agent": f"package-hunter/{__version__}",
            "Accept-Encoding": "identity",
            "Connection": "close",
        } | dict(asked.headers)
        wire = _Wire(self._guard, time.monotonic() + self._seconds, asked.url.startswith("https://"))
        try:
            with httpcore.ConnectionPool(
                ssl_context=self._context, network_backend=wire, max_connections=1, http2=False
            ) as pool:
                request = {"method": asked.method, "url": asked.url, "content": asked.body}
                with pool.stream(headers=headers, **request) as got:  # type: ignore[arg-type]
                    return Answer(got.status, _headers(got), _body(got))
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise NoAnswerError(f"There was no whole answer within {self._seconds:g} s.") from error
        except ssl.SSLError as error:
            raise NoAnswerError("Its certificate does not hold, or it speaks no TLS.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise NoAnswerError(_words(error)) from error


def _words(error: Exception) -> str:
    if isinstance(error, httpcore.ConnectError) and "CERTIFICATE" in str(error):
        return "Its certificate does not hold."
    if isinstance(error, httpcore.ConnectError | OSError):
        return "There was no connection."
    return "It broke the connection off, or answered something that is no HTTP."


def _headers(got: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in got.headers}


def _body(got: httpcore.Response) -> bytes:
    kept = bytearray()
    for chunk in got.iter_stream():
        kept += chunk
        if len(kept) > MAX_ANSWER:
            break
    return bytes(kept[:MAX_ANSWER])


class _Wire(httpcore.NetworkBackend):
    """Connects to addresses that were looked at, and to no others."""

    def __init__(self, guard: Guard, end: float, secure: bool) -> None:
        self._guard, self._end, self._secure = guard, end, secure
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """See NetworkBackend."""
        try:
            addresses = self._guard.addresses(host, port, self._secure)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name has no address") from error
        problem: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                made = self._real.connect_tcp(address, port, _left(self._end), local_address, socket_options)
                return _Timed(made, self._end)
            except httpcore.ConnectError as error:
                problem = error
        raise problem


class _Timed(httpcore.NetworkStream):
    """A stream that ends with the request's deadline, however slowly it is fed."""

    def __init__(self, inner: httpcore.NetworkStream, end: float) -> None:
        self._inner, self._end = inner, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See NetworkStream."""
        return self._inner.read(min(max_bytes, _CHUNK), _left(self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See NetworkStream."""
        for start in range(0, len(buffer), _CHUNK):
            self._inner.write(buffer[start : start + _CHUNK], _left(self._end))

    def close(self) -> None:
        """See NetworkStream."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """See NetworkStream. The certificate is asked for by the name, not by the address."""
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, _left(self._end)), self._end)

    def get_extra_info(self, info: str) -> Any:
        """See NetworkStream."""
        return self._inner.get_extra_info(info)


def _left(end: float) -> float:
    """Seconds until then; TimeoutError where there are none."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


__all__ = ["Answer", "Asked", "NoAnswerError", "Outgoing", "RefusedError"]
