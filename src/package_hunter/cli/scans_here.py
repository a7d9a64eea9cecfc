"""Scans of the store of this machine, as `package-hunter scans` shows and changes them without a server's address."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from package_hunter import queue
from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.api.scan_act_routes import rejudge_info
from package_hunter.api.scan_schemas import KeptFileInfo, ScanQuery
from package_hunter.api.schemas import ScanInfo
from package_hunter.api.transactions import as_time
from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.inventory import rejudge_asked
from package_hunter.model.depth import DepthName
from package_hunter.model.priority import Priority
from package_hunter.queue import acts
from package_hunter.queue.acts import Again
from package_hunter.storage import handed_out
from package_hunter.storage.base import Kind
from package_hunter.store import deletion, places, scan_events, scan_list, scans
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.artefacts import of_scan
from package_hunter.store.collection import remove_unwanted
from package_hunter.store.database import Store
from package_hunter.store.deletion import Deletion
from package_hunter.store.models import Scan
from package_hunter.store.scans import UNFINISHED

Json = dict[str, Any]
T = TypeVar("T")
KINDS = {"recordings": Kind.RECORDING, "dropped": Kind.DROPPED}
_CHUNK, _LOOK_SECONDS = 1 << 20, 0.5


class LocalScans:
    """What can be done with scans; answers have the API's form. UsageError where it cannot."""

    def __init__(self, config: Settings, store: Store) -> None:
        self._store, self._queue = store, queue.make(config, store)

    def list(self, asked: Mapping[str, Any]) -> Json:
        """A page."""
        query = ScanQuery.model_validate(dict(asked))

        def look(session: Session) -> Json:
            view = EVERYTHING
            if query.project is not None:
                view = view.only(places.project_at(session, EVERYTHING, query.project).id)
            page = scan_list.page(session, view, query.filters(), query.limit, query.before)
            return {"scans": [_info(scan) for scan in page.rows], "next": page.next}

        return self._read(look)

    def show(self, scan: str) -> Json:
        """How it stands."""
        return self._read(lambda session: _info(_scan(session, scan)))

    def cancel(self, scan: str, why: str) -> Json:
        """End it."""

        def change(session: Session) -> Json:
            found = _scan(session, scan)
            acts.cancel(session, self._queue, command_line(), found, why)
            return _info(found)

        return self._write(change)

    def rescan(self, scan: str, depth: str | None, priority: str) -> Json:
        """The same once more."""
        asked = Again(None if depth is None else DepthName(depth), _priority(priority))

        def change(session: Session) -> Json:
            return _info(acts.rescan(session, self._queue, command_line(), _scan(session, scan), asked))

        return self._write(change)

    def rejudge(self, scan: str) -> Json:
        """Have its recording judged by the rules of now; a server does it."""

        def change(session: Session) -> Json:
            row = rejudge_asked.ask(session, command_line(), _scan(session, scan))
            return rejudge_info(row).model_dump(mode="json")

        return self._write(change)

    def rerun(self, scan: str, priority: str) -> Json:
        """Let a dead letter wait again."""

        def change(session: Session) -> Json:
            found = _scan(session, scan)
            acts.rerun(session, self._queue, command_line(), found, _priority(priority))
            return _info(found)

        return self._write(change)

    def dead(self, limit: int) -> Json:
        """The dead letters."""
        found = self._read(
            lambda session: [_info(one) for one in self._queue.dead(session, EVERYTHING, limit)]
        )
        return {"scans": found, "next": None}

    def delete(self, scan: str, why: str, force: bool) -> None:
        """Delete it."""
        asked, key = Deletion(why, force), _key(scan)
        gone = self._write(lambda s: deletion.delete_scan(s, EVERYTHING, command_line(), key, asked))
        remove_unwanted(self._store, gone)

    def files(self, scan: str, kind: str) -> Json:
        """What is kept of it: ``recordings`` or ``dropped``."""
        rows = self._read(lambda session: of_scan(session, _scan(session, scan).id, KINDS[kind]))
        return {"items": [_file(row) for row in rows]}

    def fetch(self, scan: str, kind: str, digest: str, to: Path, recipient: str | None) -> None:
        """One of them, into a new file: a dropped one sealed."""

        def look(session: Session) -> ArtefactRef:
            found = _scan(session, scan)
            rows = of_scan(session, found.id, KINDS[kind])
            row = next((row for row in rows if row.digest == digest), None)
            if row is None:
                raise UsageError("This scan has no such file.", "The list says which it has.")
            if kind == "dropped":
                acts.fetch(session, command_line(), found, digest, recipient)
            else:
                acts.fetched(session, command_line(), found, digest, "recording.fetch")
            return row

        row = self._write(look)
        with ExitStack() as stack:
            source = stack.enter_context(self._store.artefacts.open(KINDS[kind], digest, row.size))
            if kind == "recordings":
                pieces: Iterator[bytes] = iter(lambda: source.read(_CHUNK), b"")
            elif recipient is not None:
                pieces = iter([handed_out.for_reader(source, recipient)])
            else:
                pieces = handed_out.zipped(source, row.size, digest)
            _write_new(to, pieces)

    def events(self, scan: str) -> Iterator[Json]:
        """What is told of it until it ends, as a server's stream has it."""
        seq, told, key = 0, "", _key(scan)
        while True:
            with self._store.read() as session:
                found = _scan(session, scan)
                said = scan_events.after(session, key, seq)
            for event in said:
                seq = event.seq
                data = {"at": as_time(event.at).isoformat(), "text": event.text}
                yield {"event": event.kind, "id": str(event.seq), "data": data}
            if found.status != told:
                told = found.status
                yield {"event": "status", "id": "", "data": {"status": told}}
            if told not in UNFINISHED and not said:
                yield {"event": "end", "id": "", "data": _info(found)}
                return
            if not said:
                time.sleep(_LOOK_SECONDS)

    def _read(self, look: Callable[[Session], T]) -> T:
        with self._store.read() as session:
            return look(session)

    def _write(self, change: Callable[[Session], T]) -> T:
        with self._store.write() as session:
            return change(session)


def _info(scan: Scan) -> Json:
    return ScanInfo.of(scan).model_dump(mode="json")


def _file(row: ArtefactRef) -> Json:
    found = KeptFileInfo(digest=row.digest, name=row.name, size=row.size, created=as_time(row.created))
    return found.model_dump(mode="json")


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise UsageError(
            f"{text[:64]!r} is no id of a scan.", "package-hunter scans list shows them."
        ) from None


def _scan(session: Session, text: str) -> Scan:
    found = scans.get(session, EVERYTHING, _key(text))
    if found is None:
        raise UsageError("There is no scan of this id.", "package-hunter scans list shows them.")
    return found


def _priority(word: str) -> Priority:
    return next(one for one in Priority if one.word == word)


def _write_new(to: Path, pieces: Iterator[bytes]) -> None:
    try:
        file = to.open("xb")
    except OSError as error:
        raise UsageError(f"{to} cannot be written ({error.strerror}).", "Give another file.") from error
    try:
        with file:
            for piece in pieces:
                file.write(piece)
    except BaseException:
        to.unlink(missing_ok=True)  # half a file is none
        raise
