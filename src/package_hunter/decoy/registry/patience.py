"""Asking a registry again that does not answer: here, so that no package manager in the box has to wait for minutes;
and once it is down, nobody waits for it a second time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

T = TypeVar("T")
_PAUSE_SECONDS = 0.7  # before a registry is asked again; twice that before the last time
_TRIES = 3
_DOWN_SECONDS = 30.0  # that a registry counts as down, once it was asked so often


class Silent(Exception):
    """The host did not answer, however often it was asked; the text says so, with its name."""


class Failed(httpx.HTTPError):
    """An answer that only says that the server cannot do its work."""


def failed(response: httpx.Response) -> None:
    """Raises Failed for an error of the server's own (500 and above)."""
    if response.status_code >= 500:
        raise Failed(f"status {response.status_code}")


class Patience:
    """Which hosts are down, until when."""

    def __init__(self) -> None:
        self._down: dict[str, tuple[float, str]] = {}

    async def asked(self, url: str, ask: Callable[[], Awaitable[T]]) -> T:
        """What ``ask`` gives, tried up to three times while it ends in httpx's errors. Raises Silent."""
        host = urlsplit(url).netloc
        until, why = self._down.get(host, (0.0, ""))
        if time.monotonic() < until:
            raise Silent(why)
        tries = 0
        while True:
            tries += 1
            try:
                return await ask()
            except httpx.HTTPError as error:
                if tries == _TRIES:
                    raise self._is_down(host, error) from error
                await asyncio.sleep(_PAUSE_SECONDS * tries)

    def _is_down(self, host: str, error: httpx.HTTPError) -> Silent:
        what = (
            f"answered with {error}"
            if isinstance(error, Failed)
            else f"did not answer: {type(error).__name__}"
        )
        why = f"{host.rsplit('@', 1)[-1]} {what}"
        if not isinstance(error, Failed):  # a server may fail at one path and serve others
            self._down[host] = (time.monotonic() + _DOWN_SECONDS, why)
        return Silent(why)
