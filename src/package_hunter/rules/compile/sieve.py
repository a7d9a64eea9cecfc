"""Many questions to one text, answered together: which of hundreds of words, beginnings, ends and parts it has.

A rule set asks a path or a command line several dozen questions on every event. Here each question is a bit;
RE2 answers all of them in one walk over the text, and texts that come again are remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

from package_hunter.rules.ast import Check, FieldRef, Operand
from package_hunter.rules.compile.graph import is_many
from package_hunter.rules.operands import operand_spec
from package_hunter.rules.operators import TEXTS, text_test
from package_hunter.rules.patterns import (
    REMEMBERED,
    REMEMBERED_CHARS,
    has_wildcard,
    path_pattern,
    required_literal,
)

MAX_PATTERN_BYTES = 200_000  # of one field: at most 20 MB of automaton
MAX_MEMORY = 64 << 20
PERHAPS = ("regex", "glob")  # a sieve only tells where such a test cannot hold
_SPECIAL = re.compile(r"\[.*|\\.|[*?\[\]\\]", re.DOTALL)  # after a bracket nothing of a glob is sure
_OPS = ("=", "in", "startswith", "endswith", "contains", "icontains", "pmatch", *PERHAPS)


class Sieve(dict[str | None, int]):
    """``sieve[text]`` has a bit set for each question that is answered with yes; None answers none."""

    def __init__(self) -> None:
        super().__init__({None: 0})
        self._bits: dict[tuple[str, tuple[str, ...]], int] = {}
        self._words: dict[str, int] = {}
        self._patterns: dict[str, int] = {}
        self._bytes = self._chars = 0
        self._tests: list[tuple[int, str, Callable[[str], bool]]] = []  # bit, a text that has it, the test
        self._masks: list[int] = []
        self._find: Callable[[bytes], list[int]] | None = None
        self._slow = False

    def bit(self, check: Check) -> int | None:
        """The bit of a test (see ``fits``); None where there is no room for another."""
        op, texts = check.op, tuple(v.text for v in check.values)
        if op in PERHAPS:
            op, texts = "contains", (_held(op, texts[0]),)
        op = "=" if op == "in" else op
        known = self._bits.get((op, texts))
        if known is not None:
            return known
        patterns = [] if op == "=" else [_pattern(op, text) for text in texts]
        self._bytes += sum(map(len, patterns))
        if self._bytes > MAX_PATTERN_BYTES:
            return None
        bit = self._bits[op, texts] = 1 << len(self._bits)
        for pattern in patterns:
            self._patterns[pattern] = self._patterns.get(pattern, 0) | bit
        if patterns:
            self._tests.append((bit, texts[0], text_test(op, texts)))
        else:
            for text in texts:
                self._words[text] = self._words.get(text, 0) | bit
        self._find = None
        self._forget()
        return bit

    def __missing__(self, text: str) -> int:
        bits = self._words.get(text, 0) | self._search(text)
        self._chars += len(text)
        if len(self) > REMEMBERED or self._chars > REMEMBERED_CHARS:
            self._forget()
            self._chars = len(text)
        self[text] = bits
        return bits

    def prepare(self) -> None:
        """Compiles the patterns now, so that the first event need not wait for it."""
        if self._find is None and self._patterns:
            self._compile()

    def _forget(self) -> None:
        self.clear()
        self[None] = 0

    def _search(self, text: str) -> int:
        if self._find is None:
            self._compile()
        bits = 0
        if not self._patterns:
            return 0
        if self._slow:
            for bit, _, test in self._tests:
                bits |= bit if test(text) else 0
            return bits
        for hit in self._find(text.encode("utf-8", "surrogatepass")):  # type: ignore[misc]
            bits |= self._masks[hit]
        return bits

    def _compile(self) -> None:
        """RE2 says nothing where it runs out of memory, so it is tried on a text of each test."""
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # byte by byte: UTF-8 in, UTF-8 in the patterns
        options.never_capture = True
        options.log_errors = False
        options.max_mem = MAX_MEMORY
        found: Any = re2.Set.SearchSet(options)  # type: ignore[no-untyped-call]
        self._masks = list(self._patterns.values())
        self._find, self._slow = found._set.Match, True  # the method around it would only encode again
        try:
            for pattern in self._patterns:
                found.Add(pattern)
            found.Compile()
        except re2.error:
            return
        self._slow = False
        self._slow = not all(self._search(text) & bit for bit, text, _ in self._tests)


class Sieves(dict[Operand, Sieve]):
    """One sieve a field."""

    def __missing__(self, operand: Operand) -> Sieve:
        made = self[operand] = Sieve()
        return made


def fits(check: Check) -> bool:
    """Whether a sieve can answer a test (with "no" or "perhaps" only, for some operators)."""
    if check.op not in _OPS or check.modifier or check.right is not None or not check.values:
        return False
    if not isinstance(check.left, FieldRef) or is_many(check.left):
        return False
    if operand_spec(check.left).type not in TEXTS:
        return False
    texts = [v.text for v in check.values]
    if check.op in PERHAPS:
        return bool(_held(check.op, texts[0]))
    if check.op == "pmatch":
        return all(t.strip("/") and not has_wildcard(t) for t in texts)
    if check.op == "icontains":
        return texts[0].isascii() and bool(texts[0])
    return check.op in ("=", "in") or all(texts)


def weight(check: Check) -> int:
    """What a test costs by itself, as far as a sieve can save it."""
    return 3 if check.op in ("regex", "glob", "icontains", "pmatch") else 1


def _held(op: str, pattern: str) -> str:
    """A text that everything holds that a pattern matches; "" where none is sure."""
    return required_literal(pattern) if op == "regex" else max(_SPECIAL.split(pattern), key=len)


def _pattern(op: str, text: str) -> str:
    if op == "startswith":
        return r"\A" + _bytes(text)
    if op == "endswith":
        return _bytes(text) + r"\z"
    if op == "contains":
        return _bytes(text)
    if op == "icontains":
        return f"(?i:{_bytes(text)})"
    return r"\A" + path_pattern(text, _bytes) + r"(?:/|\z)"


def _bytes(text: str) -> str:
    """A text as a pattern for its UTF-8 bytes."""
    data = text.encode("utf-8", "surrogatepass")
    return "".join(chr(b) if b < 128 and chr(b).isalnum() else f"\\x{b:02x}" for b in data)
