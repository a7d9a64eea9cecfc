"""Falco's filter fields: name, type, argument, meaning. The rule compiler and the enrichment share this list.

A field is asked for by its catalogue name and its argument as text: ``evt.arg.flags`` is
````("evt.arg", "flags")``, ``evt.arg[0]`` is ``("evt.arg", "0")``, ``proc.aname[2]`` is
``("proc.aname", "2")``, and ``proc.aname`` has None.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from package_hunter.model.event import event_table


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
    no_rhs: bool = False  # not allowed in val()
    no_transformer: bool = False
    deprecated: bool = False


Extract = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Inline:
    """A field's value as Python text, for code that is made for one event type. ``ev`` is the event.

    ``needs`` are fields (or inner values of the source, whose names begin with ``#``) that come before: ``{a}``
    stands for the first one where the text is evaluated first, ``{A}`` after that; likewise b and c. ``names``
    are what else the text speaks of. ``keep``: worth a variable.
    """

    code: str
    needs: tuple[tuple[str, str | None], ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = True


class FieldSource(ABC):
    """Where the engine gets field values from: enrich.fields for events, a dict for `rules match`.

    Only ``extractor`` must be there; what the others tell lets the compiled rules ask less. ``number`` is an
    event type's (model/event.py).
    """

    constants: Mapping[str, Any] = {}  # fields with one value on every event (None: absent)

    @abstractmethod
    def extractor(self, name: str, arg: str | None) -> Extract:
        """The function that gives this field of an event; KeyError where the source does not have it."""

    def inline(self, name: str, arg: str | None, number: int) -> Inline | None:
        """The field as Python text for events of one type; None where its function has to be called."""
        return None

    def absent(self, name: str, arg: str | None, number: int) -> bool:
        """Whether no event of this type has the field."""
        return False

    def shape(self, number: int) -> Hashable:
        """Event types of one shape have the same answers to ``inline``."""
        return None


@cache
def field_catalogue() -> dict[str, FieldSpec]:
    """Name -> field, in the order of the docs. The text is ``fields.tsv``."""
    text = resources.files("package_hunter.model").joinpath("fields.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: _spec(*row) for row in rows}


def _spec(name: str, type_: str, arg: str, flags: str, doc: str) -> FieldSpec:
    marks = flags.split(",")
    why = next((m[3:].replace("_", " ") for m in marks if m.startswith("no=")), "")
    return FieldSpec(
        name,
        FieldType(type_),
        doc,
        is_list="list" in marks,
        arg=arg,
        filter_only="filter" in marks,
        sided="sided" in marks,
        unsupported=why,
        no_rhs="norhs" in marks,
        no_transformer="notr" in marks,
        deprecated="old" in marks,
    )


_SIGNED = ("errno", "fd", "fd32", "pid", "pid32", "int8", "int16", "int32", "int64")
_UNSIGNED = (
    *("uint8", "uint16", "uint32", "uint64", "uid", "gid", "mode", "syscallid", "sigtype", "port"),
    *("flags8", "flags16", "flags32", "enumflags8", "enumflags16", "enumflags32"),
)
# Parameter types of the event table (model/event.py) whose raw value is not text
_RAW_TYPES = {
    **dict.fromkeys(_SIGNED, FieldType.INT),
    **dict.fromkeys(_UNSIGNED, FieldType.UINT),
    "bool": FieldType.BOOL,
    "bytebuf": FieldType.BYTES,
    "reltime": FieldType.RELTIME,
    "abstime": FieldType.ABSTIME,
}


@cache
def raw_argument_type(name: str) -> FieldType | None:
    """The type of ``evt.rawarg.NAME`` (first event type with such an argument); None where none has it."""
    for info in event_table().values():
        for param in info.params:
            if param.name == name:
                return _RAW_TYPES.get(param.type, FieldType.STRING)
    return None
