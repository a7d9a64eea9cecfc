"""Who waits for news of scans: however many they are, one task asks the store for all of them, twice a second. A
follower holds a queue in memory; no thread, no connection to the database."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from anyio.to_thread import run_sync

from package_hunter.api.errors import too_many
from package_hunter.store import scan_events
from package_hunter.store.database import Store, StoreError
from package_hunter.store.request_tables import ScanEvent

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
_OF_ACCOUNT, _OF_ALL = 50, 400
_BATCH = 200
_UNREAD = 100  # pieces of news that wait for one follower


@dataclass(frozen=True, slots=True)
class News:
    """Of one scan: how it stands now, and what was said since."""

    status: str
    said: Sequence[ScanEvent] = ()


@dataclass(slots=True)
class _Watched:
    seq: int
    status: str = ""
    followers: set[asyncio.Queue[News | None]] = field(default_factory=set)

    def tell(self, news: News | None) -> None:
        for follower in self.followers:
            if follower.full():  # who reads so slowly is sent away, and comes back for what he missed
                follower.get_nowait()
                news = None
            follower.put_nowait(news)


class Feed:
    """Of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watched: dict[uuid.UUID, _Watched] = {}
        self._accounts: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @asynccontextmanager
    async def follow(
        self, scan_id: uuid.UUID, account: str, after: int
    ) -> AsyncIterator[asyncio.Queue[News | None]]:
        """News of the scan, from what follows ``after`` on; None: it is over here, ask again. ApiError 429."""
        if self._accounts[account] >= _OF_ACCOUNT or self._accounts.total() >= _OF_ALL:
            raise too_many(
                "Too many follow scans at this moment.",
                "Ask for the status, or end some.",
                10,
                "too-many-followers",
            )
        queue: asyncio.Queue[News | None] = asyncio.Queue(_UNREAD)
        watched = self._watched.setdefault(scan_id, _Watched(after))
        watched.followers.add(queue)
        self._accounts[account] += 1
        if self._closed:
            queue.put_nowait(None)
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask())
        try:
            yield queue
        finally:
            watched.followers.discard(queue)
            if not watched.followers:
                self._watched.pop(scan_id, None)
            self._accounts[account] -= 1
            if not self._accounts[account]:
                del self._accounts[account]

    def close(self) -> None:
        """The server stops: all followers are sent away."""
        self._closed = True
        for watched in self._watched.values():
            watched.tell(None)

    async def _ask(self) -> None:
        while self._watched and not self._closed:
            ids = list(self._watched)
            for start in range(0, len(ids), _BATCH):
                try:
                    await self._look(ids[start : start + _BATCH])
                except StoreError as error:
                    log.warning("no news of scans", error=str(error))
                except Exception:  # a fault of ours: who follows is not left waiting
                    log.exception("no news of scans")
                    for watched in self._watched.values():
                        watched.tell(None)
                    return
            await asyncio.sleep(TICK_SECONDS)

    async def _look(self, ids: list[uuid.UUID]) -> None:
        known = {key: (w.status, w.seq) for key in ids if (w := self._watched.get(key)) is not None}
        for key, news in (await run_sync(self._changed, known)).items():
            watched = self._watched.get(key)
            if watched is None:
                continue
            watched.status = news.status
            watched.seq = max([watched.seq, *(event.seq for event in news.said)])
            watched.tell(news)

    def _changed(self, known: dict[uuid.UUID, tuple[str, int]]) -> dict[uuid.UUID, News]:
        with self._store.read() as session:
            found = scan_events.standing(session, list(known))
            changed = {}
            for key, (status, seq) in found.items():
                if (status, seq) != known[key]:
                    changed[key] = News(status, scan_events.after(session, key, known[key][1]))
        gone = {key: News("") for key in known.keys() - found.keys()}  # deleted
        return changed | gone
