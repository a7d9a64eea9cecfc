"""What every route needs, and the two acts that they share: taking a scan in, and looking one up."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import anyio
import structlog
from anyio.to_thread import run_sync
from fastapi import APIRouter
from sqlalchemy import Row
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.types import Scope

from package_hunter.access.permissions import Permission
from package_hunter.access.view import DRILL, Access, View
from package_hunter.api import idempotency, tracing
from package_hunter.api.allowed import Accesses, forbidden, unknown
from package_hunter.api.auth import Authenticator
from package_hunter.api.errors import ApiError, too_many, unavailable
from package_hunter.api.feed import Feed
from package_hunter.api.limits import Buckets, has_room
from package_hunter.api.lookups import Lookups
from package_hunter.api.pace import Pace
from package_hunter.api.permits import is_among_pages, is_page
from package_hunter.api.trust import Trust
from package_hunter.config import Settings
from package_hunter.governance.gate import forges, submitted
from package_hunter.governance.gate.submitted import Said
from package_hunter.queue import capabilities
from package_hunter.queue.base import Queue, Terms
from package_hunter.storage.incoming import Incoming
from package_hunter.store import archives, places, scans
from package_hunter.store.archives import Archives
from package_hunter.store.artefacts import Claims
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.models import Scan
from package_hunter.store.requests import Kept
from package_hunter.store.scans import NewScan
from package_hunter.store.secret_box import SecretBox
from package_hunter.watching import steps

log = structlog.get_logger(__name__)

_CACHED_ANSWERS_BYTES = 32 << 20
_WRITERS, _WRITER_SECONDS = 4, 10.0
_SUBMITS = (Permission.SCAN_SUBMIT, Permission.INVENTORY_SUBMIT)
_DISK_AT_ONCE = 16  # archives that are written at the same moment: threads are left to those who read


@dataclass(frozen=True, slots=True)
class Renderer:
    """A report format: its media type, and how it is made of the JSON form."""

    media_type: str
    render: Callable[[dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class _Further:
    """What is stored with a scan."""

    said: Said | None
    answer: Callable[[Scan], Kept] | None
    terms: Terms


class Pages(Protocol):
    """What stands on this API for people."""

    def routes(self, service: Service) -> Iterable[APIRouter]:
        """All of them; each has its rows in `page_permits.PAGES`."""

    def refusal(self, error: ApiError, scope: Scope) -> Response:
        """What somebody sees in place of a page."""


def _wants_page(scope: Scope) -> bool:
    """Whether people see the answer: of a page, and of what is none where a browser goes by itself."""
    path = scope["path"]
    if is_page(path):
        return True
    if path.startswith("/api/") or (path == "/" and scope["query_string"]):
        return False
    accepted = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accepted or (is_among_pages(path) and b"json" not in accepted)


class Service:
    """The parts of one server."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: Queue,
        renderers: Mapping[str, Renderer],
        pages: Pages | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.queue = queue
        self.renderers = dict(renderers)
        self.pages = pages
        self.uploads = Archives(settings, store)
        self.box = SecretBox(settings)
        self.auth = Authenticator(store, settings)
        self.trust = Trust(settings)
        self.accesses = Accesses(store, settings.credential_cache_seconds, settings.development)
        self.forges = forges.load(settings, secrets=False)
        self.pace = Pace(settings)
        self.feed = Feed(store)
        self.answers = ByteCache(_CACHED_ANSWERS_BYTES)
        self._lookups = Lookups(store)
        self.receiving: Counter[str] = Counter()  # uploads at this moment, by account
        self.incoming: Counter[str] = Counter()  # their bytes so far
        self.disk = asyncio.Semaphore(_DISK_AT_ONCE)
        self._writers = asyncio.Semaphore(_WRITERS)
        self._submissions = Buckets(settings.submissions_per_minute)

    def refusal(self, error: ApiError, scope: Scope) -> Response:
        """What is answered to a request that is refused: a page to who asked for one."""
        if self.pages is not None and _wants_page(scope):
            return self.pages.refusal(error, scope)
        return error.response(scope["path"])

    async def admit(self, principal: str) -> None:
        """Refuse a submission that could not be served: 429, 503."""
        wait = self._submissions.reserve(principal)
        if wait:
            raise too_many(
                "Too many submissions by this account.", "Spread them out.", wait, "too-many-submissions"
            )
        try:
            await run_sync(self._check_queue, principal)
        except (ApiError, StoreError):
            self._submissions.give_back(principal)
            raise

    def _check_queue(self, principal: str) -> None:
        with self.store.read() as session:
            self._check_room(session, principal)
            oldest = scans.oldest_waiting(session)
            seen = scans.worker_seen(session) or 0
        stalled_ms = self.settings.queue_stalled_seconds * 1000
        if oldest is not None and now_ms() - max(oldest, seen) > stalled_ms:
            advice = (
                "Start one: package-hunter worker. The scans that were accepted are safe and will run then."
            )
            raise unavailable("No worker is running, and scans wait.", advice, 60, "no-worker")

    def _check_room(self, session: Session, principal: str) -> None:
        waiting = scans.unfinished_by_account(session)
        if not has_room(self.settings.max_pending_scans, waiting, principal):
            total = sum(waiting.values())
            raise too_many(
                f"{total} scans are waiting already.",
                "Try again when some have finished.",
                30,
                "too-many-waiting",
            )

    async def waiting_bytes(self, principal: str) -> int:
        """The size of this account's archives that are kept for scans."""
        return await run_sync(self._waiting_bytes, principal)

    def _waiting_bytes(self, principal: str) -> int:
        with self.store.read() as session:
            return scans.unfinished_bytes(session, principal)

    async def accept(
        self,
        new: NewScan,
        upload: Incoming | None = None,
        said: Said | None = None,
        answer: Callable[[Scan], Kept] | None = None,
        terms: Terms | None = None,
    ) -> Scan:
        """Store and enqueue a scan, and with it its archive, what is said of its tree, and the ``answer`` for who sends
        the same request again, all or nothing; ApiError 429, StoreError.

        Few write at a time: a store that is locked must leave threads and connections to those who read.
        """
        further = _Further(said, answer, terms or Terms())
        if upload is None:
            return await self._write(new, None, further)
        async with self.disk:  # it may be long under way to an object store
            claims = await run_sync(self.uploads.keep, upload)
        try:
            return await self._write(new, claims, further)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await run_sync(self.uploads.forget, claims, upload)
            raise

    async def _write(self, new: NewScan, claims: Claims | None, further: _Further) -> Scan:
        try:
            async with asyncio.timeout(_WRITER_SECONDS):
                await self._writers.acquire()
        except TimeoutError:
            raise StoreError("The store is too busy to answer.", "Try again in a moment.") from None
        try:
            return await run_sync(self._accept, new, claims, further)
        finally:
            self._writers.release()

    def _accept(self, new: NewScan, claims: Claims | None, further: _Further) -> Scan:
        with self.store.write() as session:
            self.store.lock(session, f"submit:{new.submitter}")
            self._check_room(session, new.submitter)  # again: many may have been let in at once
            scan = scans.add(session, new)
            if claims is not None:
                archives.note(session, scan, claims)
            if further.said is not None:
                submitted.note(session, scan, further.said)
            terms = replace(further.terms, needs=capabilities.of_scan(scan))
            self.queue.enqueue(session, scan.id, terms)
            idempotency.mark(session, None if further.answer is None else further.answer(scan))
            if (accepted := tracing.accepted()) is not None:
                steps.note_accepted(session, scan.id, accepted)
        log.info("scan accepted", scan=str(scan.id), by=scan.submitter, sha256=scan.sha256, purl=scan.purl)
        return scan

    async def find(self, scan_id: str, view: View) -> Row[Any]:
        """The scan of this id; ApiError 404 where there is none that the view sees."""
        scan = await self._lookups.get(parse_id(scan_id))
        if scan is None or not view.sees(scan.project_id):
            raise unknown_scan()
        return scan

    async def report(self, scan_id: uuid.UUID, view: View) -> dict[str, Any] | None:
        """The scan's report, or None."""
        return await run_sync(self._report, scan_id, view)

    def _report(self, scan_id: uuid.UUID, view: View) -> dict[str, Any] | None:
        with self.store.read() as session:
            return scans.report(session, view, scan_id)

    async def target_project(
        self, access: Access, path: str | None, permission: Permission = Permission.SCAN_SUBMIT
    ) -> uuid.UUID:
        """The project that a request is about: the one named, else the account's own; ApiError 403, 404."""
        project = access.home if path is None else await self.project_at(access, path)
        if project == DRILL and permission in _SUBMITS:
            raise ApiError(403, "Only the standing drill submits here.", "See package-hunter drill.")
        if not access.may_in(project, permission):
            raise forbidden(permission)
        return project

    async def project_at(self, access: Access, path: str) -> uuid.UUID:
        """The project of this path, where the account can see it; ApiError 404."""
        return await run_sync(self._project_at, access.view(Permission.PROJECT_READ), path)

    def _project_at(self, view: View, path: str) -> uuid.UUID:
        with self.store.read() as session:
            try:
                return places.project_at(session, view, path).id
            except places.MissingError:
                raise unknown("project") from None


def parse_id(text: str) -> uuid.UUID:
    """The id; what is none is unknown (404), not an error of its own."""
    try:
        if len(text) == 36:
            return uuid.UUID(text)
    except ValueError:
        pass
    raise unknown_scan()


def unknown_scan() -> ApiError:
    """404."""
    return ApiError(
        404, "There is no scan of this id.", "It may be deleted, or lie where the account may not look."
    )


class ByteCache:
    """The answers used last, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._items: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The bytes kept for ``key``, or None."""
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def forget(self, key: str) -> None:
        """What was kept for ``key`` is no more."""
        self._size -= len(self._items.pop(key, b""))

    def put(self, key: str, value: bytes) -> None:
        """Keep ``value``, unless it is more than a quarter of all room."""
        self._size -= len(self._items.pop(key, b""))
        if len(value) > self._limit // 4:
            return
        self._size += len(value)
        self._items[key] = value
        while self._size > self._limit:
            self._size -= len(self._items.popitem(last=False)[1])
