"""What handlers do with the store: in a thread, in one transaction, and what it refuses as HTTP has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from anyio.to_thread import run_sync
from sqlalchemy.orm import Session

from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.errors import UsageError
from package_hunter.store import places

T = TypeVar("T")


async def read(service: Service, look: Callable[[Session], T]) -> T:
    """What ``look`` finds; ApiError, StoreError."""

    def run() -> T:
        with service.store.read() as session, told():
            return look(session)

    return await run_sync(run)


async def write(service: Service, change: Callable[[Session], T]) -> T:
    """What ``change`` gives, once it is committed; rights are looked up anew after it. ApiError, StoreError."""

    def run() -> T:
        with service.store.write() as session:
            service.store.lock(session, "access")  # two that take the same name, say
            with told():
                return change(session)

    done = await run_sync(run)
    service.accesses.forget()
    return done


async def add(service: Service, change: Callable[[Session], T]) -> T:
    """The same for what changes nobody's rights and takes nobody's name: nobody waits for it."""

    def run() -> T:
        with service.store.write() as session, told():
            return change(session)

    return await run_sync(run)


@contextmanager
def told() -> Iterator[None]:
    """What the store refuses, as HTTP has it."""
    try:
        yield
    except places.MissingError as error:
        raise ApiError(404, error.message, "") from error
    except places.TakenError as error:
        raise ApiError(409, error.message, "") from error
    except UsageError as error:
        raise ApiError(400, error.message, error.advice) from error


def as_time(ms: int) -> datetime:
    """A stored time as answers have it."""
    return datetime.fromtimestamp(ms / 1000, UTC)
