"""The sealer: every second it chains and signs the entries that were written. A process of its own, so that who takes
over the API's cannot sign."""

from __future__ import annotations

import signal
import threading

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from package_hunter.audit import keys
from package_hunter.audit.chain import START, Seal, digest, sign
from package_hunter.config import Settings
from package_hunter.store.database import Store, StoreError, now_ms
from package_hunter.store.history_tables import HistoryRow, SealRow, UnsealedRow

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
_BATCH = 500


class Sealer:
    """Seals what waits."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._key = keys.signing_key(settings)
        self._name = keys.key_name(self._key.public_key())

    def seal(self) -> int:
        """Seal all that waits; how many those were. StoreError."""
        number = 0
        while (done := self._seal_some()) > 0:
            number += done
        return number

    def _seal_some(self) -> int:
        with self._store.read() as session:  # an idle sealer takes no write lock
            if session.scalar(select(UnsealedRow.entry_id).limit(1)) is None:
                return 0
        with self._store.write() as session:
            self._store.lock(session, "history:seal")
            made = self._chain(session)
            session.execute(delete(UnsealedRow).where(UnsealedRow.entry_id.in_([s.entry_id for s in made])))
        if made:
            last = made[-1]
            kept = {"position": last.position, "digest": last.digest}
            keys.note_head(self._settings, kept | {"signature": last.signature, "key": last.key})
        return len(made)

    def _chain(self, session: Session) -> list[SealRow]:
        """One seal after the other, from the last one on."""
        last = session.scalar(select(SealRow).order_by(SealRow.position.desc()).limit(1))
        position, previous = (0, START) if last is None else (last.position, last.digest)
        query = select(HistoryRow).join(UnsealedRow, UnsealedRow.entry_id == HistoryRow.id)
        made = []
        for row in session.scalars(query.order_by(HistoryRow.id).limit(_BATCH)):
            position += 1
            previous = digest(row, Seal(position, previous))
            made.append(
                SealRow(
                    position=position,
                    entry_id=row.id,
                    digest=previous,
                    signature=sign(self._key, previous),
                    key=self._name,
                    sealed=now_ms(),
                )
            )
        session.add_all(made)
        session.flush()
        return made


def run(store: Store, settings: Settings) -> int:
    """Seal until told to stop; the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sealer = Sealer(store, settings)
    while not stop.is_set():
        try:
            sealer.seal()
        except StoreError as error:
            log.exception("history not sealed", error=str(error))
        stop.wait(EVERY_SECONDS)
    return 0


def oldest_unsealed(session: Session) -> int | None:
    """Since when (ms since the epoch) an entry waits for its seal; None: none does."""
    return session.scalar(select(func.min(UnsealedRow.time)))
