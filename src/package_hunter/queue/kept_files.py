"""What a server keeps of a scan beside its report: recordings, and files that packages left in the boxes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from package_hunter.config import Settings
from package_hunter.errors import StoreError
from package_hunter.model.report import KeptFile, Report
from package_hunter.model.scan import Verdict
from package_hunter.queue import recordings
from package_hunter.storage.base import Kind
from package_hunter.storage.private import private
from package_hunter.store.artefacts import Claims
from package_hunter.store.database import Store

if TYPE_CHECKING:
    from package_hunter.pipeline.dropped import DroppedFiles

log = structlog.get_logger(__name__)

_FOUND = (Verdict.MALICIOUS, Verdict.SUSPICIOUS)
_PATIENCE_SECONDS = 600.0  # for an artefact store that is away; the lease is renewed meanwhile
_AGAIN_SECONDS = 2.0
T = TypeVar("T")


class Folder:
    """A private folder for one scan's files, gone at its end."""

    def __init__(self, settings: Settings, scan_id: uuid.UUID) -> None:
        self._settings, self._scan_id = settings, scan_id

    def __enter__(self) -> Folder:
        with ExitStack() as held:
            self.path = held.enter_context(private(self._settings, "scan-"))
            self._held = held.pop_all()
        self.recording = recordings.place_in(self.path, self._settings, str(self._scan_id))
        self.dropped = self._dropped()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _dropped(self) -> DroppedFiles | None:
        from package_hunter.pipeline.dropped import (
            DroppedFiles,  # late: the API process imports this file too
        )

        settings = self._settings
        if settings.dropped_files <= 0:
            return None
        folder = self.path / "dropped"
        folder.mkdir(mode=0o700)
        limits = (settings.dropped_files, settings.dropped_file_bytes, settings.dropped_bytes)
        return DroppedFiles(folder, *limits)

    def keep(self, store: Store, report: Report) -> Report:
        """The report, naming what was stored beside it: recordings, and dropped files where it found something. What is
        stored is claimed by the scan's id. StoreError, where the store stays away for long."""
        if report.known_from is not None:
            return report  # nothing was run; what the earlier scan has, this one has, too
        claims = Claims(store, self._scan_id)
        kept = _patiently(lambda: recordings.keep(claims, self.path))
        if report.verdict in _FOUND:
            kept += _patiently(lambda: self._keep_dropped(claims))
        return replace(report, kept=kept)

    def _keep_dropped(self, claims: Claims) -> tuple[KeptFile, ...]:
        from package_hunter.pipeline.dropped import dropped

        if self.dropped is None:
            return ()
        found = []
        for file in dropped(self.dropped):
            stored = claims.put(Kind.DROPPED, (self.dropped.folder / file.sha256).read_bytes())
            found.append(KeptFile(Kind.DROPPED.value, stored.digest, stored.size, file.path))
        return tuple(found)


def _patiently(act: Callable[[], T]) -> T:
    """What a scan showed is not given up because its store is away for a while."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return act()
        except StoreError as error:
            if time.monotonic() >= end:
                raise
            log.warning("files of a scan not stored yet", error=str(error))
            time.sleep(_AGAIN_SECONDS)
