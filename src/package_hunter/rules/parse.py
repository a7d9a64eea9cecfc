"""Text to condition tree. Errors carry line and column within the condition, and what was expected."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, VisitError

from package_hunter.rules.ast import All, AnyOf, Check, FieldRef, Literal, MacroRef, Node, Not, Transformation

MAX_CONDITION_BYTES = 1 << 18
MAX_DEPTH = 100
DOTTED = ("evt.arg", "evt.rawarg", "evt.type.is", "evt.abspath", "thread.cgroup")  # argument behind a dot


class ConditionError(ValueError):
    """A condition that cannot be read: a sentence, and where (1-based line and column in the condition)."""

    def __init__(self, message: str, line: int = 1, column: int = 1, text: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.text = message, line, column, text


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "/": "/", " ": "\\"}


def unquote(token: str) -> str:
    """The text of a quoted string. ConditionError on an escape that Falco does not know."""
    quote, body = token[0], token[1:-1]
    if "\\" not in body:
        return body
    out, i = [], 0
    while i < len(body):
        char = body[i]
        if char != "\\":
            out.append(char)
            i += 1
            continue
        follow = body[i + 1] if i + 1 < len(body) else ""
        if follow in _ESCAPES:
            out.append(_ESCAPES[follow])
        elif follow == quote:
            out.append(quote)
        elif follow == "x" and re.fullmatch(r"[0-9a-fA-F]{2}", body[i + 2 : i + 4]):
            out.append(chr(int(body[i + 2 : i + 4], 16)))
            i += 2
        else:
            raise ConditionError(
                f"There is no escape \\{follow} in a quoted string; write \\\\ for a backslash.", text=token
            )
        i += 2
    return "".join(out)


def field_ref(name: str, arg: str | None) -> FieldRef:
    """``evt.arg.flags`` and ``evt.arg[flags]`` are the same, and likewise for the others of ``DOTTED``."""
    if arg is not None and arg[:1] in "\"'":
        arg = arg[1:-1]
    if arg is None:
        for prefix in DOTTED:
            if name.startswith(f"{prefix}."):
                return FieldRef(prefix, name[len(prefix) + 1 :])
    return FieldRef(name, arg)


@v_args(inline=True)
class _Build(Transformer[Token, Node]):
    def start(self, node: Node) -> Node:
        return node

    def any_of(self, *parts: Any) -> Node:
        kept = tuple(p for p in parts if isinstance(p, Node))
        return kept[0] if len(kept) == 1 else AnyOf(kept)

    def all_of(self, *parts: Any) -> Node:
        kept = tuple(p for p in parts if isinstance(p, Node))
        return kept[0] if len(kept) == 1 else All(kept)

    def negated(self, _: Token, node: Node) -> Node:
        return Not(node)

    def group(self, node: Node) -> Node:
        return node

    def macro(self, name: Token) -> Node:
        return MacroRef(str(name))

    def left(self, operand: Any) -> Any:
        return operand

    def field(self, name: Token, arg: Token | None = None) -> FieldRef:
        return field_ref(str(name), None if arg is None else str(arg))

    def transformer(self, function: Token, *arguments: Any) -> Transformation:
        arg = None
        if arguments and isinstance(arguments[-1], Token):
            arg = str(arguments[-1])
            arguments = arguments[:-1]
        return Transformation(str(function), tuple(arguments), arg)

    def text(self, token: Token) -> str:
        return unquote(token) if token[0] in "\"'" else str(token)

    def tlist(self, *items: Any) -> tuple[Any, ...]:
        return tuple(items)

    def val(self, _: Token, ref: FieldRef) -> FieldRef:
        return ref

    def quoted(self, token: Token) -> Literal:
        return Literal(unquote(token), quoted=True)

    def bare(self, token: Token) -> Literal:
        return Literal(str(token))

    def items(self, *values: Literal) -> tuple[Literal, ...]:
        return tuple(values)

    def named(self, token: Token) -> tuple[Literal, ...]:
        return (Literal(str(token)),)

    def exists(self, left: Any, op: Token) -> Node:
        return Check(left, "exists", column=op.column or 0)

    def compare(self, left: Any, op: Token, right: Any) -> Node:
        name = "=" if op == "==" else str(op)
        if isinstance(right, Literal):
            return Check(left, name, (right,), column=op.column or 0)
        return Check(left, name, (), right, column=op.column or 0)

    def compare_modified(self, left: Any, op: Token, modifier: Token, values: tuple[Literal, ...]) -> Node:
        name = "=" if op == "==" else str(op)
        return Check(left, name, values, modifier=str(modifier), column=op.column or 0)

    def compare_list(self, left: Any, op: Token, values: tuple[Literal, ...]) -> Node:
        return Check(left, str(op), values, column=op.column or 0)


@cache
def _parser() -> Lark:
    grammar = resources.files("package_hunter.rules").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        grammar, parser="lalr", lexer="contextual", propagate_positions=False, maybe_placeholders=False
    )


_EXPECTED = {
    "FIELD": "a field", "NAME": "a macro", "BARE": "a value", "QUOTED": "a quoted value", "LPAR": "(",
    "RPAR": ")", "STR_OP": "an operator", "LIST_OP": "in", "AND": "and", "OR": "or", "$END": "the end",
}  # fmt: skip


def parse_condition(text: str) -> Node:
    """The tree of a condition. ConditionError where it cannot be read or breaks a limit."""
    if len(text) > MAX_CONDITION_BYTES:
        raise ConditionError(f"The condition is longer than {MAX_CONDITION_BYTES} characters.")
    _check_depth(text)
    try:
        return _Build().transform(_parser().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, ConditionError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _explain(error, text) from None


def _check_depth(text: str) -> None:
    """Nesting is bounded before anything recursive sees the text."""
    depth = deepest = 0
    for char in re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", text, flags=re.S):
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    nots = max((len(m.group().split()) for m in re.finditer(r"(?:\bnot\s+)+", text)), default=0)
    if deepest > MAX_DEPTH or nots > MAX_DEPTH:
        raise ConditionError(f"The condition is nested deeper than {MAX_DEPTH} levels.")


def _explain(error: UnexpectedInput, text: str) -> ConditionError:
    line, column = max(error.line, 1), max(error.column, 1)
    if isinstance(error, UnexpectedEOF) or getattr(getattr(error, "token", None), "type", "") == "$END":
        lines = text.splitlines() or [""]
        return ConditionError(
            "The condition ends too early: something is missing.", len(lines), len(lines[-1]) + 1
        )
    names = (
        getattr(error, "expected", None) or getattr(error, "accepts", None) or getattr(error, "allowed", None)
    )
    wanted = sorted({_EXPECTED[n] for n in names or () if n in _EXPECTED})
    found = str(getattr(error, "token", "")) or text[getattr(error, "pos_in_stream", 0) or 0 :][:20]
    if isinstance(error, UnexpectedCharacters):
        found = text[error.pos_in_stream :][:20]
    hope = f" Expected {' or '.join(wanted)} there." if wanted else ""
    return ConditionError(f"Cannot read the condition at {found!r}.{hope}", line, column, found)
