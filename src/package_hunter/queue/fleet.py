"""All workers together: who is there, what each can, and which are to take no more.

A worker registers under a name that no other has, had or will have (`queue.identity`), and says now and then that it is
alive (`Queue.seen`). One that ends in order takes its row along; one that falls silent is *lost*, and its scans run
elsewhere once their leases end.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.queue.capabilities import FORM, Capabilities
from package_hunter.store import history
from package_hunter.store.database import Store, now_ms
from package_hunter.store.history import Change
from package_hunter.store.models import JobRow, WorkerRow
from package_hunter.store.worker_states import State, lost_before, state_of

_MAX_WORKERS = 1_000


@dataclass(frozen=True, slots=True)
class Member:
    """One worker. Times in ms since the epoch; what an older version did not register is None. ``runs``: ids of the
    scans that it holds; ``free``: how many more it would take now; ``lacks``: a sentence, why it cannot scan."""

    name: str
    state: State
    seen: int
    started: int | None
    version: str | None
    engine: str | None
    kernel: str | None
    machine: str | None
    image: str | None
    rules: str | None
    ecosystems: tuple[str, ...]
    can: tuple[str, ...]
    slots: int
    free: int
    runs: tuple[uuid.UUID, ...]
    lacks: str | None
    drain: int | None
    give_back: int | None


def listed(session: Session, config: Settings) -> Sequence[Member]:
    """Every worker that is known of, by its name; those that fell silent for a week are forgotten."""
    rows: Sequence[WorkerRow | None] = session.scalars(
        select(WorkerRow).order_by(WorkerRow.name).limit(_MAX_WORKERS)
    ).all()
    held = session.execute(select(JobRow.worker, JobRow.scan_id).where(JobRow.lease.is_not(None))).all()
    runs: dict[str, list[uuid.UUID]] = {}
    for worker, scan_id in held:
        if worker is not None and scan_id is not None:
            runs.setdefault(worker, []).append(scan_id)
    return [_member(row, tuple(runs.get(row.name, ())), config) for row in rows if row is not None]


def found(session: Session, config: Settings, name: str) -> Member:
    """The worker of this name, or of whose name this is the end and no other's; UsageError."""
    every = listed(session, config)
    fits = [one for one in every if one.name == name] or [one for one in every if one.name.endswith(name)]
    if not name or len(fits) != 1:
        what = "more than one worker" if fits else "no worker"
        raise UsageError(f"There is {what} of the name {name[:200]!r}.", "package-hunter workers list")
    return fits[0]


def drain(
    session: Session, worker: Member, by: Actor, why: str | None = None, seconds: float | None = None
) -> None:
    """Let a worker take no more. What it runs goes on to its end, or is given back after so many ``seconds``."""
    now = now_ms()
    give_back = None if seconds is None else now + int(seconds * 1000)
    _set(session, worker, by, why, "worker.drain", (worker.drain or now, give_back))


def resume(session: Session, worker: Member, by: Actor, why: str | None = None) -> None:
    """Let it take scans again."""
    _set(session, worker, by, why, "worker.resume", (None, None))


def _set(
    session: Session,
    worker: Member,
    by: Actor,
    why: str | None,
    action: str,
    wanted: tuple[int | None, int | None],
) -> None:
    if worker.started is None:
        raise UsageError(
            f"The worker {worker.name} is of a version that cannot be told so.", "Send it SIGTERM, once."
        )
    values = dict(zip(("drain", "give_back"), wanted, strict=True))
    session.execute(update(WorkerRow).where(WorkerRow.name == worker.name).values(**values))
    before = {"drain": worker.drain, "give_back": worker.give_back}
    history.record(session, by, Change(action, worker.name, before, dict(values), why))


def _member(row: WorkerRow, runs: tuple[uuid.UUID, ...], config: Settings) -> Member:
    can = tuple((row.can or "").split())
    slots = row.slots or 1
    state = state_of(row, bool(runs), lost_before(now_ms(), config.lease_seconds))
    return Member(
        name=row.name,
        state=state,
        seen=row.seen,
        started=row.started,
        version=row.version,
        engine=row.engine,
        kernel=row.kernel,
        machine=row.machine,
        image=row.image,
        rules=row.rules,
        ecosystems=tuple(word.partition(":")[2] for word in can if word.startswith("ecosystem:")),
        can=can,
        slots=slots,
        free=max(0, slots - len(runs)) if state in (State.IDLE, State.BUSY) else 0,
        runs=runs,
        lacks=row.lacks,
        drain=row.drain,
        give_back=row.give_back,
    )


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker was told from afar: take no more; give back at this time (ms since the epoch) what it runs."""

    drain: bool = False
    give_back: int | None = None


class Membership:
    """A worker's own row."""

    def __init__(self, store: Store, name: str, capabilities: Capabilities) -> None:
        self._store, self._name, self._capabilities = store, name, capabilities
        self._started = now_ms()

    @property
    def can(self) -> frozenset[str]:
        """The needs that it meets."""
        return self._capabilities.can

    def register(self) -> None:
        """Say what it can."""
        can = self._capabilities
        with self._store.write() as session:
            session.merge(
                WorkerRow(
                    name=self._name,
                    seen=now_ms(),
                    form=FORM,
                    started=self._started,
                    version=can.version[:64],
                    engine=can.engine[:16],
                    kernel=can.kernel[:128],
                    machine=can.machine[:32],
                    image=can.image,
                    rules=can.rules,
                    can=" ".join(sorted(can.can)),
                    slots=can.slots,
                )
            )

    def orders(self) -> Orders:
        """What it was told."""
        with self._store.peek() as connection:
            row = connection.execute(
                select(WorkerRow.drain, WorkerRow.give_back).where(WorkerRow.name == self._name)
            ).first()
        return Orders() if row is None else Orders(row[0] is not None, row[1])

    def leave(self) -> None:
        """It ends in order, and is no lost one."""
        with self._store.write() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == self._name))
