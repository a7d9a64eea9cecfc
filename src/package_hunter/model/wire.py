"""Values between our own processes, as bytes: JSON by their types, through pydantic.

What a process without rights says is checked by these types, and by nothing else before it is used.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

from package_hunter.model.text import all_well_formed

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")


@cache
def ready(kind: Any) -> TypeAdapter[Any]:
    """What writes and reads values of ``kind`` (a type): made now, for a process that can load nothing later."""
    return TypeAdapter(
        tuple[kind], config=_CONFIG
    )  # in a tuple: a dataclass would have its own config or none


def to_bytes(kind: Any, value: object) -> bytes:
    """A value as JSON, whatever text is in it."""
    adapter = ready(kind)
    try:
        return bytes(adapter.dump_json((value,)))
    except (PydanticSerializationError, UnicodeEncodeError):
        return bytes(adapter.dump_json((all_well_formed(value),)))


def from_bytes(kind: Any, data: bytes) -> Any:
    """The value back, without any of another type made to fit; ValueError where it is none."""
    try:
        return ready(kind).validate_json(data, strict=True)[0]
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def plain(kind: Any, value: object) -> Any:
    """A value as JSON values (dict, list, text, number): for commands that print it."""
    return ready(kind).dump_python((value,), mode="json")[0]
