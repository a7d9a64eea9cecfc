"""Which scan runs next, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from package_hunter.config import Settings
    from package_hunter.queue.base import Queue
    from package_hunter.store.database import Store


def make(config: Settings, store: Store) -> Queue:
    """The queue of this store. Each process makes its own."""
    from package_hunter.queue.local import LocalQueue  # late: most modules below need none of it

    return LocalQueue(store, config)
