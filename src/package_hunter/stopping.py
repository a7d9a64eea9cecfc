"""Breaking a scan off from outside, without leaving anything of it behind.

A signal's handler that raised at any moment would do so in the middle of clean-up too, or between a descriptor that was
just opened and the name that it gets: then a mount, a cgroup or a namespace stays. So a scan is broken off only where
it waits: each long wait stands in ``with breakable():``, and what was asked for elsewhere happens at the next one.

Handlers run in the main thread alone, and so do scans; nothing here is for other threads.
"""

from __future__ import annotations

from types import TracebackType


class ScanStopped(BaseException):
    """The scan was broken off from outside; the pipeline's own clean-up runs on its way up."""


class _State:
    asked = False  # somebody wants the scan to end
    waits = False  # it may end right here


_now = _State()


def begin() -> None:
    """A new scan: what was asked of the one before is forgotten."""
    _now.asked = _now.waits = False


def ask() -> None:
    """For a signal's handler: raise ScanStopped here where the scan waits, else let it be raised at its next wait."""
    _now.asked = True
    if _now.waits:
        _stop()


def asked() -> bool:
    """Whether the scan is to end and did not come to a wait yet."""
    return _now.asked


class breakable:
    """Where a scan may be broken off: nothing that must be given back may be taken inside."""

    def __enter__(self) -> None:
        self._before = _now.waits
        _now.waits = True
        if _now.asked:
            _stop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _now.waits = self._before


def _stop() -> None:
    _now.asked = _now.waits = False  # once only: the next would break the clean-up
    raise ScanStopped
