"""JSON of strangers: of bounded size, an object, without numbers that are none."""

from __future__ import annotations

import json
from typing import Any


def json_object(data: bytes | str) -> dict[str, Any]:
    """The object; ValueError."""
    try:
        found = json.loads(data, parse_constant=_refused)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 (one error for all that is wrong)
    return found


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no number")
