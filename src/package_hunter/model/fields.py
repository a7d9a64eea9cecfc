"""Falco's filter fields: name, type, argument, meaning. The rule compiler and the enrichment share this list."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class FieldType(enum.StrEnum):
    """How a field's value compares and what an extractor gives (docs/architecture.md, Field values)."""

    STRING = "string"
    PATH = "path"  # a string; pmatch compares its components
    INT = "int"
    UINT = "uint"
    BOOL = "bool"
    BYTES = "bytes"
    IP = "ip"  # packed bytes, 4 or 16
    NET = "net"  # packed address, compared with networks
    PORT = "port"
    RELTIME = "reltime"  # ns
    ABSTIME = "abstime"  # ns since the epoch


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field. ``arg`` is ``none``, ``key`` or ``index``, with ``?`` behind it where it may be left out."""

    name: str
    type: FieldType
    doc: str
    is_list: bool = False
    arg: str = "none"
    filter_only: bool = False
    sided: bool = False  # a tuple of both ends: = means either, != means both
    unsupported: str = ""  # why a rule that needs it is refused


Extract = Callable[[Any], Any]


class FieldSource(Protocol):
    """Where the engine gets field values from: enrich.fields for events, a dict for `rules match`."""

    def extractor(self, name: str, arg: str | None) -> Extract:
        """The function that gives this field of an event; KeyError where the source does not have it."""
        ...
