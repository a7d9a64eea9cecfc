"""When tokens and sessions were used: noted apart from their requests, which need no store that can be written."""

from __future__ import annotations

import asyncio
import uuid

import structlog
from anyio.to_thread import run_sync

from package_hunter.store import sessions, tokens
from package_hunter.store.database import Store, StoreError

log = structlog.get_logger(__name__)


class Noting:
    """Collects, and writes what has come together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: set[str] = set()
        self._sessions: set[uuid.UUID] = set()
        self._writing: asyncio.Task[None] | None = None

    def token(self, value: str) -> None:
        """This token was used."""
        self._tokens.add(value)
        self._begin()

    def session(self, key: uuid.UUID) -> None:
        """This session was used."""
        self._sessions.add(key)
        self._begin()

    async def written(self) -> None:
        """Once all is written that came until now."""
        if self._writing is not None:
            await self._writing

    def _begin(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._tokens or self._sessions:
            values, self._tokens = self._tokens, set()
            keys, self._sessions = self._sessions, set()
            try:
                await run_sync(self._write, values, keys)
            except StoreError as error:
                log.warning("use of tokens and sessions not noted", error=str(error))

    def _write(self, values: set[str], keys: set[uuid.UUID]) -> None:
        with self._store.write() as session:
            for value in values:
                tokens.token_owner(session, value)
            for key in keys:
                sessions.note_seen(session, key)
