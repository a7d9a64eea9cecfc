"""Fields and transformers of conditions: whether they exist, and of which type they are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from package_hunter.model.event import event_table
from package_hunter.model.fields import FieldSpec, FieldType, field_catalogue, raw_argument_type
from package_hunter.rules.ast import FieldRef, Operand, Transformation
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.operators import TEXTS


class ResolveError(ValueError):
    """A condition that cannot work: ``code`` for programs, a sentence for people."""

    def __init__(self, code: str, message: str, text: str = "", column: int = 0, advice: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.text, self.column, self.advice = code, message, text, column, advice


def field_spec(ref: FieldRef) -> FieldSpec:
    """What the catalogue says of a field. ResolveError where there is none or its argument is wrong."""
    spec = field_catalogue().get(ref.name)
    if spec is None:
        raise ResolveError("unknown_field", f"There is no field {ref}.", str(ref))
    if spec.arg == "none" and ref.arg is not None:
        raise ResolveError("field_argument", f"{ref.name} takes no argument.", str(ref))
    if spec.arg in ("key", "index") and ref.arg is None:
        raise ResolveError("field_argument", f"{ref.name} needs an argument, as in {ref.name}[…].", str(ref))
    if spec.arg.startswith("index") and ref.arg is not None and not ref.arg.lstrip("-").isdigit():
        raise ResolveError("field_argument", f"{ref.name}[…] takes a number, not {ref.arg!r}.", str(ref))
    if ref.name == "evt.abspath" and ref.arg not in (None, "src", "dst"):
        raise ResolveError("field_argument", "evt.abspath takes src or dst, as in evt.abspath.src.", str(ref))
    if ref.name == "evt.type.is" and not _is_position(ref.arg or "") and ref.arg not in event_names():
        raise ResolveError("unknown_field", f"There is no event type {ref.arg!r}.", str(ref))
    if ref.name in ("evt.arg", "evt.rawarg") and ref.arg is not None:
        if ref.arg not in argument_names() and not _is_position(ref.arg):
            raise _unknown_argument(ref, ref.arg)
        if ref.name == "evt.rawarg":
            spec = replace(spec, type=raw_argument_type(ref.arg) or FieldType.STRING)
    return spec


def _unknown_argument(ref: FieldRef, arg: str) -> ResolveError:
    """Falco takes the longest name that an argument begins with; what is left makes a field that does not exist."""
    longer = any(arg.startswith(name) for name in argument_names())
    code, text = ("unknown_field", str(ref)) if longer else ("unknown_argument", arg)
    return ResolveError(code, f"No event has an argument {arg!r}.", text)


@cache
def argument_names() -> frozenset[str]:
    """The name of every argument that some event has."""
    return frozenset(param.name for info in event_table().values() for param in info.params)


def _is_position(arg: str) -> bool:
    return arg.lstrip("-").isascii() and arg.lstrip("-").isdigit()


def operand_spec(operand: Operand) -> FieldSpec:
    """The type of a field or transformer. ResolveError where a transformer does not fit its arguments."""
    if isinstance(operand, FieldRef):
        return field_spec(operand)
    types = [_argument_type(operand, argument) for argument in operand.arguments]
    name = operand.function
    if name not in ("join", "concat", "getopt"):
        kind, is_list = _simple(operand, types)
    else:
        kind, is_list = _of_several(operand, types)
    if operand.arg is not None and name != "getopt":
        raise ResolveError("transformer", f"{name}() takes no argument in brackets.", str(operand))
    return FieldSpec(str(operand), kind, "", is_list=is_list)


def _argument_type(operand: Transformation, argument: Any) -> tuple[FieldType, bool]:
    if isinstance(argument, str):
        return FieldType.STRING, False
    if isinstance(argument, tuple):
        for item in argument:
            _argument_type(operand, item)
        return FieldType.STRING, True
    spec = operand_spec(argument)
    if spec.no_transformer:
        raise ResolveError("transformer", f"{argument} takes no transformer.", str(operand))
    return spec.type, spec.is_list


def _simple(operand: Transformation, types: list[tuple[FieldType, bool]]) -> tuple[FieldType, bool]:
    name = operand.function
    if len(types) != 1 or isinstance(operand.arguments[0], str | tuple):
        raise ResolveError("transformer", f"{name}() takes one field.", str(operand))
    kind, is_list = types[0]
    fits = (*TEXTS, FieldType.BYTES) if name in ("b64", "len") else TEXTS
    if kind not in fits and not (name == "len" and is_list):
        raise ResolveError(
            "transformer", f"{name}() does not work on a field of type {kind.value}.", str(operand)
        )
    return (FieldType.UINT, False) if name == "len" else (kind, is_list)


def _of_several(operand: Transformation, types: list[tuple[FieldType, bool]]) -> tuple[FieldType, bool]:
    lists = [is_list for _, is_list in types]
    texts = all(kind in TEXTS for kind, _ in types)
    wanted = {
        "join": ([False, True], "a separator and a list"),
        "getopt": ([True, False], "a list of arguments and a text of option letters"),
        "concat": ([False] * max(2, len(types)), "two or more texts"),
    }[operand.function]
    if lists != wanted[0] or not texts:
        raise ResolveError("transformer", f"{operand.function}() takes {wanted[1]}.", str(operand))
    if operand.arg is not None and len(operand.arg) != 1:
        raise ResolveError("transformer", "getopt()[…] takes one option letter.", str(operand))
    return FieldType.STRING, operand.function == "getopt" and operand.arg is None


def fields_of(operand: Any) -> list[FieldRef]:
    """Every field that an operand reads."""
    if isinstance(operand, FieldRef):
        return [operand]
    if isinstance(operand, Transformation):
        return [f for a in operand.arguments for f in fields_of(a)]
    if isinstance(operand, tuple):
        return [f for a in operand for f in fields_of(a)]
    return []
