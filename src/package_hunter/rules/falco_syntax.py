"""Falco 0.43's reading of a condition: stricter than ours about blanks, names of lists and operators.

Facts from falcosecurity/libs 0.23 (userspace/libsinsp/filter/parser.h and what a real Falco was seen to refuse).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_DEPTH = 100
_BLANK = re.compile(r"[ \t\b\r\n]*")
_NOT = re.compile(r"not\s+", re.ASCII)
_NAME = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*")
_FIELD = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*(?:\.[a-zA-Z]+[a-zA-Z0-9_]*)+")
_ARGUMENT = re.compile(r"[^\]\[\"'\s]+", re.ASCII)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?")
_BARE = re.compile(r"[^()\"'\s=,]+", re.ASCII)
_TRANSFORMER = re.compile(r"(?:tolower|toupper|b64|basename|len)\(")
_OPERATOR = re.compile(
    r"<=|<|>=|>|==|=|!=|(?:glob|iglob|contains|icontains|bcontains|startswith|bstartswith|endswith|regex)"
    r"|intersects|in|pmatch|exists"
)
_NUMERIC = ("<", "<=", ">", ">=")
_SYMBOLS = (*_NUMERIC, "=", "==", "!=")
_LISTS = ("intersects", "in", "pmatch")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "/": "/", " ": "\\"}


class FalcoRefuses(ValueError):
    """Falco refuses this: a sentence, and where in the condition."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.message, self.at = message, at


@dataclass(frozen=True)
class Operand:
    """A field with its argument, and the transformers around it, the innermost first."""

    name: str
    arg: str | None = None
    transformers: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = self.name if self.arg is None else f"{self.name}[{self.arg}]"
        for transformer in self.transformers:
            text = f"{transformer}({text})"
        return text


@dataclass(frozen=True)
class Comparison:
    """``left op values``, or ``left op right`` where a field stands on the right side."""

    left: Operand
    op: str
    values: tuple[str, ...] = ()
    right: Operand | None = None
    at: int = 0


@dataclass
class Reading:
    """What a condition is made of: its comparisons and the macros that it names with their places."""

    comparisons: list[Comparison] = field(default_factory=list)
    macros: list[tuple[str, int]] = field(default_factory=list)


def read_condition(text: str) -> Reading:
    """Read a condition as Falco does. FalcoRefuses where it does not take it."""
    reader = _Reader(text.split("\0")[0])
    reader.any_of()
    if reader.at < len(reader.text):
        raise reader.refuses("expects `and`, `or` or the end")
    return reader.found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.found = Reading()

    def refuses(self, wants: str) -> FalcoRefuses:
        here = self.text[self.at : self.at + 30] or "the end"
        return FalcoRefuses(f"Falco {wants} at {here!r}", self.at)

    def blank(self) -> bool:
        found = _BLANK.match(self.text, self.at)
        assert found is not None
        before, self.at = self.at, found.end()
        return self.at > before

    def word(self, literal: str) -> bool:
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def token(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None or not found.group():
            return None
        self.at = found.end()
        return found.group()

    def any_of(self) -> None:
        self.joined("or", lambda: self.joined("and", self.negated))

    def joined(self, word: str, part: Callable[[], None]) -> None:
        self.blank()
        part()
        self.blank()
        while self.word(word):
            if self.blank():
                part()
            elif self.word("("):
                self.bracketed()
            else:
                raise self.refuses(f"expects a blank or ( behind `{word}`")
            self.blank()

    def negated(self) -> None:
        self.blank()
        while self.token(_NOT):
            pass
        if self.word("not("):
            self.bracketed()
        else:
            self.check()

    def bracketed(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FalcoRefuses("The condition with its lists is nested too deeply", self.at)
        self.any_of()
        if not self.word(")"):
            raise self.refuses("expects )")
        self.depth -= 1

    def check(self) -> None:
        self.blank()
        if self.word("("):
            self.bracketed()
            return
        start = self.at
        left = self.operand()
        if left is not None:
            self.comparison(left, start)
            return
        name = self.token(_NAME)
        if name is None:
            raise self.refuses("expects a (, a comparison or a macro")
        self.found.macros.append((name, start))

    def operand(self) -> Operand | None:
        """A field, or transformers around one; None where neither stands there."""
        around: list[str] = []
        while transformer := self.token(_TRANSFORMER):
            around.append(transformer[:-1])
            self.blank()
        name = self.token(_FIELD)
        if name is None:
            if around:
                raise self.refuses("expects a field within the transformer")
            return None
        arg = self.argument()
        for _ in around:
            self.blank()
            if not self.word(")"):
                raise self.refuses("expects a ) behind the transformer")
        return Operand(name, arg, tuple(reversed(around)))

    def argument(self) -> str | None:
        if not self.word("["):
            return None
        arg = self.quoted()
        if arg is None:
            arg = self.token(_ARGUMENT)
        if arg is None or not self.word("]"):
            raise self.refuses("expects a field's argument and ]")
        return arg

    def comparison(self, left: Operand, start: int) -> None:
        self.blank()
        op = self.token(_OPERATOR)
        if op is None:
            raise self.refuses("expects an operator (such as =, in, contains or exists)")
        spaced = self.blank()
        if op == "exists":
            self.found.comparisons.append(Comparison(left, op, at=start))
            return
        if not spaced and op not in (*_SYMBOLS, *_LISTS):
            raise self.refuses(f"expects a blank behind `{op}`")
        right = self.right_operand()
        if right is not None:
            self.found.comparisons.append(Comparison(left, op, right=right, at=start))
            return
        values = self.list_values() if op in _LISTS else (self.value(op),)
        self.found.comparisons.append(Comparison(left, op, values, at=start))

    def right_operand(self) -> Operand | None:
        if not self.word("val("):
            return self.operand() if _TRANSFORMER.match(self.text, self.at) else None
        self.blank()
        name = self.token(_FIELD)
        if name is None:
            raise self.refuses("expects a field within val()")
        arg = self.argument()
        self.blank()
        if not self.word(")"):
            raise self.refuses("expects a ) behind val(")
        return Operand(name, arg)

    def value(self, op: str) -> str:
        if op in _NUMERIC:
            number = self.token(_NUMBER)
            if number is None:
                raise self.refuses(f"expects a number behind `{op}`")
            return number
        return self.text_value()

    def text_value(self) -> str:
        self.blank()
        value = self.quoted()
        if value is None:
            value = self.token(_BARE)
        if value is None:
            raise self.refuses("expects a value")
        return value

    def list_values(self) -> tuple[str, ...]:
        if not self.word("("):
            name = self.token(_NAME)
            if name is None:
                raise self.refuses("expects a list in brackets")
            return (name,)
        self.blank()
        if self.word(")"):
            return ()
        values = [self.text_value()]
        self.blank()
        while self.word(","):
            values.append(self.text_value())
            self.blank()
        if not self.word(")"):
            raise self.refuses("expects , or ) in the list")
        return tuple(values)

    def quoted(self) -> str | None:
        quote = self.text[self.at : self.at + 1]
        if quote not in ("'", '"'):
            return None
        end = self.at + 1
        while True:
            end = self.text.find(quote, end)
            if end < 0:
                return None
            if self.text[end - 1] != "\\":
                break
            end += 1
        body = self.text[self.at + 1 : end]
        start, self.at = self.at, end + 1
        return _unescaped(body, quote, start)


def _unescaped(body: str, quote: str, at: int) -> str:
    out, i = [], 0
    while i < len(body):
        char, i = body[i], i + 1
        if char != "\\":
            out.append(char)
            continue
        follow, i = body[i : i + 1], i + 1
        if follow not in _ESCAPES and follow != quote:
            raise FalcoRefuses(f"Falco 0.43 knows no escape \\{follow} within {quote}", at)
        out.append(_ESCAPES.get(follow, follow))
    return "".join(out)
