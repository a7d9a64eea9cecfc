"""Questions to identity providers: off the event loop, few at a time, and what goes wrong as HTTP has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog
from anyio.to_thread import run_sync

from package_hunter.api.errors import ApiError, unavailable
from package_hunter.config import Settings
from package_hunter.identity.directory import Directory
from package_hunter.identity.errors import ProviderError, UntrustedError
from package_hunter.notices.guard import Guard, networks
from package_hunter.notices.outgoing import Outgoing

log = structlog.get_logger(__name__)
T = TypeVar("T")

_SETTING = "PACKAGE_HUNTER_IDENTITY_ALLOW"
_AT_ONCE = 4  # a provider that is slow keeps no more threads than these
_WAIT_SECONDS = 30.0


class Trust:
    """Of one server process."""

    def __init__(self, settings: Settings) -> None:
        guard = Guard(networks(settings.identity_allow, _SETTING), setting=_SETTING)
        self.directory = Directory(Outgoing(guard))
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, question: Callable[[Directory], T]) -> T:
        """What the question gives; ApiError 403 where somebody is not believed, 503 where a provider fails."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise unavailable("Too many sign-ins at once.", "Try again in a moment.", 5) from None
        try:
            return await run_sync(question, self.directory)
        except UntrustedError as error:
            log.warning("not believed", reason=error.message)
            raise ApiError(403, error.message, error.advice) from error
        except ProviderError as error:
            log.warning("identity provider failed", reason=error.message)
            raise unavailable(error.message, error.advice) from error
        finally:
            self._slots.release()
