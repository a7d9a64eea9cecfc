"""A stored report as a value: a large one has a hundred thousand processes."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager

from package_hunter.api.errors import ApiError
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json


@contextmanager
def uncollected() -> Iterator[None]:
    """While hundreds of thousands of values are made, none of them garbage: to look through them for some, again and
    again, takes as long as all the rest. Of the whole process, for a second at most."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def parsed(body: bytes) -> Report:
    """Of its JSON text; ApiError 503."""
    try:
        with uncollected():
            return from_json(json.loads(body))
    except (ValueError, RecursionError) as error:
        advice = "Scan again, or restore the artefacts from a backup."
        raise ApiError(503, "The report of this scan cannot be read.", advice) from error
