"""Which scan runs next, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from package_hunter.config import Settings
    from package_hunter.queue.base import Queue
    from package_hunter.store.database import Store


def make(config: Settings, store: Store) -> Queue:
    """The queue of this store: on SQLite its own, on PostgreSQL procrastinate's. Each process makes its own."""
    if not store.is_sqlite:
        from package_hunter.queue.procrastinate import ProcrastinateQueue  # needs the extra `postgres`

        return ProcrastinateQueue(store, config)
    from package_hunter.queue.local import LocalQueue

    return LocalQueue(store, config)
