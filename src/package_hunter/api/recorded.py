"""What is asked of the recordings that a server keeps: as far as the time goes, one asker after the other."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from package_hunter.acting import acting_as_ourselves
from package_hunter.api.service import Service
from package_hunter.errors import HunterError, RuleFileError
from package_hunter.queue import recordings

SECONDS = 10.0
"""For all recordings of one question (`PACKAGE_HUNTER_IMPACT_SECONDS`, where that is less)."""
ONE_AT_A_TIME = asyncio.Semaphore(1)
"""It costs processor time, whoever asks."""
_BYTES_A_SECOND = 4 << 20  # of a recording, by far less than a replay reads: what is larger would not fit
T = TypeVar("T")


class Recorded:
    """Recordings of scans, read one after the other until the time is over."""

    def __init__(self, service: Service, sizes: Mapping[uuid.UUID, int]) -> None:
        """``sizes``: `recordings.sizes` of the scans."""
        self._store, self._sizes = service.store, sizes
        self._settings = recordings.where(service.settings)
        self._end = time.monotonic() + min(SECONDS, service.settings.impact_seconds)

    @property
    def are_kept(self) -> bool:
        """Whether this server keeps any."""
        return self._settings is not None

    def fits(self, scan: uuid.UUID) -> bool:
        """Whether there is time for the recordings of a scan."""
        left = self._end - time.monotonic()
        return left > 0 and self._sizes.get(scan, 0) <= left * _BYTES_A_SECOND

    def ask(self, scan: uuid.UUID, question: Callable[[list[Path]], T]) -> T | None:
        """What ``question`` says of a scan's recordings; None where they do not fit the time, are lost or damaged.
        RuleFileError is the asker's, and goes on."""
        if self._settings is None or not self.fits(scan):
            return None
        try:
            with acting_as_ourselves(), recordings.fetched(self._store, self._settings, scan) as files:
                return question(files)
        except RuleFileError:
            raise
        except HunterError:
            return None
