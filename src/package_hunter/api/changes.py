"""Reading and writing of accounts, places and roles, and how what the store refuses is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from sqlalchemy.orm import Session

from package_hunter.api.errors import ApiError
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.errors import UsageError
from package_hunter.store import places

T = TypeVar("T")
WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The JSON is wrong, or names what cannot be."},
    401: {"model": Problem, "description": "No credentials, or wrong ones."},
    403: {"model": Problem, "description": "The account has not the permission."},
    404: {"model": Problem, "description": "There is none, or none that the account can see."},
    409: {"model": Problem, "description": "There is one of that name already."},
    429: {"model": Problem, "description": "Too many failed logins; see the header Retry-After."},
    503: {"model": Problem, "description": "The store is full, busy or gone."},
}
"""What any of these routes may answer beside what was asked for."""


async def read(service: Service, look: Callable[[Session], T]) -> T:
    """What ``look`` finds; ApiError."""

    def run() -> T:
        with service.store.read() as session, _told():
            return look(session)

    return await run_sync(run)


async def write(service: Service, change: Callable[[Session], T]) -> T:
    """What ``change`` gives, once it is committed; ApiError. All that is remembered of accounts is looked up again."""

    def run() -> T:
        with service.store.write() as session:
            service.store.lock(session, "access")  # two that take the same name, say
            with _told():
                return change(session)

    done = await run_sync(run)
    service.accesses.forget()
    service.auth.forget()
    return done


@contextmanager
def _told() -> Iterator[None]:
    """What the store refuses, as HTTP has it."""
    try:
        yield
    except places.MissingError as error:
        raise ApiError(404, error.message, "") from error
    except places.TakenError as error:
        raise ApiError(409, error.message, "") from error
    except UsageError as error:
        raise ApiError(400, error.message, error.advice) from error


def time_of(ms: int) -> datetime:
    """Milliseconds since the epoch as a time."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def maybe_time(ms: int | None) -> datetime | None:
    """The same, where there is one."""
    return None if ms is None else time_of(ms)
