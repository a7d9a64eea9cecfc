"""What routes have in common: a transaction, off the event loop, and what the store refuses as HTTP has it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from fastapi import Request
from sqlalchemy.orm import Session

from package_hunter.api import idempotency
from package_hunter.api.allowed import unknown
from package_hunter.api.errors import ApiError
from package_hunter.api.schemas import Problem
from package_hunter.api.service import Service
from package_hunter.errors import UsageError
from package_hunter.package_url import UnscannableError
from package_hunter.store import places
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.members import Place
from package_hunter.triage.states import NeedsProposalError

T = TypeVar("T")
PlaceOf = Callable[[Session, Request], Place]
"""Of a route: which place it is about."""
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
    """What a look into the store gives."""

    def run() -> T:
        with service.store.read() as session, told():
            return look(session)

    return await run_sync(run)


async def write(service: Service, change: Callable[[Session], T]) -> T:
    """What a change of the store gives, once it is committed; all that is remembered of accounts is then
    looked up again."""

    def run() -> T:
        with service.store.write() as session:
            service.store.lock(session, "access")  # two that take the same name, say
            with told():
                made = change(session)
            idempotency.mark(session)
            return made

    done = await run_sync(run)
    service.accesses.forget()
    service.auth.forget()
    return done


async def add(service: Service, change: Callable[[Session], T]) -> T:
    """The same for what changes nobody's rights and takes nobody's name: nobody waits for it."""

    def run() -> T:
        with service.store.write() as session:
            with told():
                made = change(session)
            idempotency.mark(session)
            return made

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
    except NeedsProposalError as error:
        raise ApiError(403, error.message, error.advice) from error
    except UnscannableError as error:
        raise ApiError(400, error.message, error.advice, kind="not-scannable") from error
    except UsageError as error:
        raise ApiError(400, error.message, error.advice) from error


def project_place(session: Session, request: Request) -> Place:
    """The project of the path; ApiError 404."""
    return Place(project=project_of(session, request.state.place))


def group_place(session: Session, request: Request) -> Place:
    """The group of the path; ApiError 404."""
    found = session.get(Group, request.state.place)
    if found is None:
        raise unknown("group")
    return Place(group=found)


def everywhere(_session: Session, _request: Request) -> Place:
    """Of routes that are about all."""
    return Place()


def project_of(session: Session, key: uuid.UUID) -> Project:
    """The project of this id; ApiError 404."""
    found = session.get(Project, key)
    if found is None:
        raise unknown("project")
    return found


def as_time(ms: int) -> datetime:
    """Of milliseconds since the epoch."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def maybe_time(ms: int | None) -> datetime | None:
    """The same, where there is one."""
    return None if ms is None else as_time(ms)
