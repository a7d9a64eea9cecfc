"""Failed logins for the history: one entry a minute for each account and address, with their number."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from anyio.to_thread import run_sync

from package_hunter.access.actor import Actor
from package_hunter.store import history, members
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.history import Change

log = structlog.get_logger(__name__)

MINUTE = 60.0
_MAX_KEYS = 1_000
_OTHERS = ("(others)", "(others)")


@dataclass(slots=True)
class _Count:
    first: int
    last: int
    number: int = 0


class FailedLogins:
    """Counts in memory, and writes beside the requests: a login waits for no store that can be written."""

    def __init__(self, store: Store, seconds: float = MINUTE) -> None:
        self._store, self._seconds = store, seconds
        self._counts: dict[tuple[str, str], _Count] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, name: str | None, address: str) -> None:
        """A login as ``name`` (None: by a token) failed. At most a thousand pairs a minute are told apart."""
        key = ("(a token)" if name is None else name, address)
        if key not in self._counts and len(self._counts) >= _MAX_KEYS:
            key = _OTHERS
        count = self._counts.setdefault(key, _Count(now_ms(), now_ms()))
        count.number += 1
        count.last = now_ms()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._later())

    async def _later(self) -> None:
        await asyncio.sleep(self._seconds)
        await self.flush()

    async def flush(self) -> None:
        """Write what was counted; what the store does not take is in the log alone."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            await run_sync(self._write, counts)
        except StoreError as error:
            log.warning("failed logins not in the history", error=str(error), logins=len(counts))

    def _write(self, counts: dict[tuple[str, str], _Count]) -> None:
        with self._store.write() as session:
            for (name, address), count in counts.items():
                # a name that is nobody's may be a password that was typed into the wrong field
                known = name.startswith("(") or members.account(session, name) is not None
                after = {"count": count.number, "first": count.first, "last": count.last}
                what = name if known else "(nobody's name)"
                history.record(session, Actor("anonymous", address), Change("login.fail", what, after=after))
