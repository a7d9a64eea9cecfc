"""The deliverer: tells what the outbox holds, at least once, each notice under one id.

A process of its own. A delivery is put off before it is tried, so one whose process dies is tried again; what fails is
tried again at growing distances, and given up (*dead*) after the last: visible, and taken up again by hand.
"""

from __future__ import annotations

import signal
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.notices import destinations, outbox, secrecy
from package_hunter.notices.guard import Guard, RefusedError, networks
from package_hunter.notices.issues import IssueBook, NoBook
from package_hunter.notices.kinds import SENDERS
from package_hunter.notices.kinds.base import NotDeliveredError, Tools
from package_hunter.notices.outgoing import Outgoing
from package_hunter.notices.smtp import mail_server
from package_hunter.notices.spread import spread, waits
from package_hunter.notices.wording import Message
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.notice_tables import DeliveryRow, DestinationRow, NoticeRow

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
LEASE_MS = 300_000
"""So long a delivery that is being tried is nobody else's: longer than all requests that one can need."""
DELAYS_MS = (5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000)
"""Between two tries, as Standard Webhooks proposes: about 28 hours in all."""
_AT_ONCE = 4
_KEPT_MS = 90 * 86_400_000
_MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery that was taken up: its ``attempts`` say whose result counts."""

    id: uuid.UUID
    attempts: int
    destination: DestinationRow
    notice: NoticeRow
    place: str


class Deliverer:
    """Makes and tries deliveries. Made while the key can be read; used after rights were given up."""

    def __init__(self, store: Store, settings: Settings, outgoing: Outgoing | None = None) -> None:
        self._store, self._settings = store, settings
        self._key: X25519PrivateKey = secrecy.private_key(settings)
        self._mine = f"{secrecy.key_name(self._key.public_key())}:"
        self._mail = mail_server(settings)
        self._outgoing = outgoing or Outgoing(Guard(networks(settings.notices_allow)))
        self._base = settings.public_url.rstrip("/")

    def spread(self) -> int:
        """Make the deliveries of all notices that have none; of how many. StoreError."""
        with self._store.read() as session:  # an idle deliverer takes no write lock
            if not waits(session):
                return 0
        total = 0
        while True:
            with self._store.write() as session:
                self._store.lock(session, "notices:spread")
                done = spread(session)
            if not done:
                return total
            total += done

    def claim(self, busy: frozenset[uuid.UUID] = frozenset(), only: uuid.UUID | None = None) -> Task | None:
        """The delivery that has waited longest, of a destination that is not busy; None where none is due."""
        query = self._due(busy, only)
        with self._store.read() as session:
            if session.scalar(query.limit(1)) is None:
                return None
        with self._store.write() as session:
            row = session.scalar(query.limit(1).with_for_update(skip_locked=True, of=DeliveryRow))
            if row is None:
                return None
            if row.attempts > len(DELAYS_MS):  # each time the process that tried it died
                row.state, row.error = "dead", "No try of it came to its end."
                return None
            row.attempts, row.tried, row.due = row.attempts + 1, now_ms(), now_ms() + LEASE_MS
            notice = session.get_one(NoticeRow, row.notice_id)
            destination = session.get_one(DestinationRow, row.destination_id)
            return Task(row.id, row.attempts, destination, notice, _path(session, notice))

    def _due(self, busy: frozenset[uuid.UUID], only: uuid.UUID | None) -> Select[DeliveryRow]:
        query = (
            select(DeliveryRow)
            .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
            .where(
                DeliveryRow.state == "waiting",
                DeliveryRow.due <= now_ms(),
                or_(DestinationRow.secret.is_(None), DestinationRow.secret.startswith(self._mine)),
            )
            .order_by(DeliveryRow.due)
        )
        if busy:
            query = query.where(DeliveryRow.destination_id.not_in(busy))
        return query if only is None else query.where(DeliveryRow.id == only)

    def deliver(self, task: Task) -> str | None:
        """Try it, and keep how it went; what went wrong, None where it was taken. StoreError."""
        problem: NotDeliveredError | None = None
        try:
            self._tell(task)
        except NotDeliveredError as error:
            problem = error
        except StoreError:
            raise
        except RefusedError as error:
            problem = NotDeliveredError(str(error), final=error.final)
        except HunterError as error:
            problem = NotDeliveredError(str(error))
        except Exception as error:
            log.exception("delivery failed", delivery=str(task.id))
            problem = NotDeliveredError(f"The deliverer itself failed ({type(error).__name__}).")
        with self._store.write() as session:
            row = session.get(DeliveryRow, task.id, with_for_update=True)
            if row is not None and row.attempts == task.attempts and row.state == "waiting":
                _note(row, problem)
        return None if problem is None else problem.message

    def _tell(self, task: Task) -> None:
        row, notice = task.destination, task.notice
        if row.removed is not None:
            raise NotDeliveredError("The destination was removed.", final=True)
        settings = destinations.opened(row, self._key)
        told = outbox.read(notice)
        when = datetime.fromtimestamp(notice.time / 1000, UTC)
        message = Message(
            f"msg_{notice.id.hex}",
            outbox.Event(notice.event),
            when,
            task.place,
            told,
            f"{self._base}{told.look}" if told.look else "",
        )
        SENDERS[settings.kind](message, settings, Tools(self._outgoing, self._mail, self._book(task, told)))

    def _book(self, task: Task, told: outbox.Notice) -> IssueBook | NoBook:
        project = task.notice.project_id
        if told.fingerprint is None or project is None:
            return NoBook()
        return IssueBook(self._store, task.destination.id, project, told.fingerprint[:128], task.notice.time)

    def prune(self) -> None:
        """Forget what was told long ago. What is told once stays, so that it is."""
        old = now_ms() - _KEPT_MS
        with self._store.write() as session:
            taken = select(NoticeRow.id).where(NoticeRow.spread < old)
            session.execute(
                delete(DeliveryRow).where(DeliveryRow.state == "delivered", DeliveryRow.notice_id.in_(taken))
            )
            left = select(DeliveryRow.notice_id)
            session.execute(
                delete(NoticeRow).where(
                    NoticeRow.spread < old, NoticeRow.once.is_(None), NoticeRow.id.not_in(left)
                )
            )


def _path(session: Session, notice: NoticeRow) -> str:
    if notice.project_id is not None:
        return session.scalar(select(Project.path).where(Project.id == notice.project_id)) or ""
    if notice.group_id is not None:
        return session.scalar(select(Group.path).where(Group.id == notice.group_id)) or ""
    return ""


def _note(row: DeliveryRow, problem: NotDeliveredError | None) -> None:
    if problem is None:
        row.state, row.error = "delivered", None
        return
    row.error = problem.message[:_MAX_ERROR]
    if problem.final or row.attempts > len(DELAYS_MS):
        row.state = "dead"
        log.warning("delivery given up", delivery=str(row.id), error=row.error)
    else:
        row.due = now_ms() + max(_delay(row), problem.after)


def _delay(row: DeliveryRow) -> int:
    """The distance to the next try, up to a tenth longer: so that all do not come back at once."""
    base = DELAYS_MS[row.attempts - 1]
    return base + base * (row.id.int % 100) // 1000


class Running:
    """Deliveries that are tried at the same time, one of each destination: a slow place keeps only itself waiting."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="deliver")
        self._busy: dict[uuid.UUID, Future[str | None]] = {}

    def step(self) -> bool:
        """Take up what is due, as far as there is room; whether anything was. StoreError."""
        self._collect()
        self._deliverer.spread()
        some = False
        while len(self._busy) < _AT_ONCE:
            task = self._deliverer.claim(frozenset(self._busy))
            if task is None:
                break
            some = True
            self._busy[task.destination.id] = self._pool.submit(self._deliverer.deliver, task)
        return some

    def _collect(self) -> None:
        for key, done in list(self._busy.items()):
            if done.done():
                del self._busy[key]
                if (error := done.exception()) is not None:
                    log.error("delivery not noted", error=str(error))

    def close(self) -> None:
        """Wait for what is being tried."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def run(deliverer: Deliverer) -> int:
    """Deliver until told to stop; the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running = Running(deliverer)
    rounds = 0
    while not stop.is_set():
        try:
            some = running.step()
            if rounds % 3_600 == 0:
                deliverer.prune()
        except StoreError as error:
            some = False
            log.exception("notices not delivered", error=str(error))
        rounds += 1
        stop.wait(0.1 if some else EVERY_SECONDS)
    running.close()
    return 0
