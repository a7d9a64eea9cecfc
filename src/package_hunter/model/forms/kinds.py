"""What the forms are made of: text, times, numbers, and how a form stands for a value of the model.

Where a form has a value's fields one for one, under other names or in another order, pydantic writes and reads the
value itself by it (``As``). Where it has others, the form is a value of its own, made ``of`` the model's and giving it
back as ``value`` (``Via``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import FailFast, Field, WithJsonSchema
from pydantic.annotated_handlers import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

from package_hunter.model.plain import clean
from package_hunter.model.text import all_well_formed, well_formed
from package_hunter.model.times import from_rfc3339, rfc3339

T = TypeVar("T")
_MOST = (1 << 128) - 1
TIME = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z$",
    "description": "RFC 3339, UTC, nanoseconds.",
}


def _number(value: int) -> int:
    return value if -_MOST <= value <= _MOST else _MOST if value > 0 else -_MOST


def _seconds(value: float) -> Any:
    return value if math.isfinite(value) else str(value)


class Kind:
    """Marks a type with what pydantic is to do with it: checked as ``core`` and then made by ``read``, written by
    ``write``, told in the JSON Schema as ``told``. (The same as pydantic's own marks for this,
    without their looking into each function, once for each field.)"""

    def __init__(
        self,
        core: CoreSchema,
        write: Callable[[Any], Any],
        read: Callable[[Any], Any] | None = None,
        told: dict[str, Any] | None = None,
    ) -> None:
        made: Any = core if read is None else cs.no_info_after_validator_function(read, core)
        made["serialization"] = cs.plain_serializer_function_ser_schema(write)
        self._core, self._told = made, told

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """See pydantic."""
        made: CoreSchema = self._core.copy()
        return made

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """See pydantic."""
        return handler(core) if self._told is None else dict(self._told)


_COUNT = {"type": "integer", "minimum": 0}
Text = Annotated[str, Kind(cs.str_schema(), well_formed, well_formed)]
Time = Annotated[int, Kind(cs.str_schema(), rfc3339, from_rfc3339, TIME)]
Number = Annotated[int, Kind(cs.int_schema(), _number)]  # of more than 128 bits: the nearest that has no more
Count = Annotated[int, Kind(cs.int_schema(), _number, told=_COUNT)]
Seconds = Annotated[float, Kind(cs.float_schema(), _seconds, told={"type": "number", "minimum": 0})]
Facts = Annotated[  # values that rules and decoys noted: any JSON
    dict[str, Any], Kind(cs.dict_schema(cs.str_schema()), clean, all_well_formed, {"type": "object"})
]
Counts = Annotated[
    dict[str, int],
    Kind(
        cs.dict_schema(cs.str_schema(), cs.int_schema()),
        clean,
        all_well_formed,
        {"type": "object", "additionalProperties": _COUNT},
    ),
]
Many = Annotated[tuple[T, ...], FailFast()]
Hidden = Annotated[T, Field(exclude=True), SkipJsonSchema()]
"""A field of the model that the form leaves out: give it the value that is read back."""


def one_of(*words: str) -> WithJsonSchema:
    """Marks text of which the contract names the words. (They are not checked when a report is read: a later minor
    version may know more.)"""
    return WithJsonSchema({"enum": [str(word) for word in words]})


def like(pattern: str) -> WithJsonSchema:
    """Marks text of which the contract gives the pattern (not checked when a report is read)."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


def form(cls: type[T]) -> type[T]:
    """Marks a class as a form for ``As``: only its fields count, it has no instances."""
    return dataclass(init=False, repr=False, eq=False, match_args=False, kw_only=True)(cls)


class As:
    """``Annotated[Model, As(Form)]``: values of Model (a dataclass with slots), written and read by Form, which has
    each of its fields, under the field's own name or ``Field(alias=...)``, in the order of the JSON keys."""

    def __init__(self, shape: type[Any]) -> None:
        self._shape = shape

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """The form's schema, making and taking the model's class."""
        has, wants = ({f.name for f in fields(cls)} for cls in (self._shape, source))
        if has != wants:
            raise TypeError(f"{self._shape.__name__} is no form of {source.__name__}: {sorted(has ^ wants)}")
        schema = handler.generate_schema(self._shape)
        inner: Any = handler.resolve_ref_schema(schema)
        inner["cls"], inner["slots"] = source, True
        for field in inner["schema"]["fields"]:
            if field.get("serialization_exclude"):
                field["init"] = (
                    False  # what the form leaves out is not taken out of a stranger's report, either
                )
        return schema


class ValueForm(Protocol):
    """A form that is a value of its own."""

    @classmethod
    def of(cls, value: Any, /) -> Any:
        """The form of a model's value."""
        ...

    def value(self) -> Any:
        """The model's value that it is the form of."""
        ...


class Via:
    """``Annotated[Model, Via(Form)]``: values of Model, written as ``Form.of(value)``, read as ``form.value()``."""

    def __init__(self, shape: type[ValueForm]) -> None:
        self._shape = shape

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The form's schema, with the step from and to the model."""
        shape = self._shape

        def write(value: Any, inner: Callable[[Any], Any]) -> Any:
            return inner(shape.of(value))

        return cs.no_info_after_validator_function(
            shape.value,
            handler.generate_schema(shape),
            serialization=cs.wrap_serializer_function_ser_schema(write),
        )
