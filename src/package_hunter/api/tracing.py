"""What a scan's trace begins with: the request that submitted it. Nothing is kept where no traces are sent."""

from __future__ import annotations

import time
from contextvars import ContextVar

from package_hunter.watching.steps import Accepted, parent_of

_MAX_HEADER = 128
_request: ContextVar[tuple[int, str] | None] = ContextVar("request", default=None)


def begin(headers: dict[bytes, bytes]) -> None:
    """A request comes in: note when, and which span of its sender's it is part of (``traceparent``)."""
    said = headers.get(b"traceparent", b"")[:_MAX_HEADER].decode("latin-1")
    _request.set((time.time_ns(), parent_of(said)))


def accepted() -> Accepted | None:
    """The scan of this request is stored now; None where no traces are sent."""
    found = _request.get()
    return None if found is None else Accepted(found[0], max(found[0], time.time_ns()), found[1])
