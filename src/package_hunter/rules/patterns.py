"""Patterns of texts: regular expressions (RE2), globs, path prefixes. All run in time linear in the text,
whatever the pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import re2

REMEMBERED = 4096  # results kept for each pattern; names and command lines come again and again
REMEMBERED_CHARS = 2_000_000  # all texts of one memory together
_WILD = re.compile(r"[*?\[\\]")


class ValueProblem(ValueError):
    """A value or operator does not fit the field: a sentence."""


def regex_test(pattern: str, flags: str = "", posix: bool = False) -> Callable[[str], bool]:
    """Whether the whole of a text matches. ValueProblem where RE2 does not take the pattern."""
    options = re2.Options()
    options.posix_syntax = posix
    options.longest_match = posix
    options.log_errors = False
    options.max_mem = 8 << 20
    if not _is_text(pattern):
        raise ValueProblem(f"{pattern!r} holds half a character.")
    try:
        compiled: Any = re2.compile(flags + pattern, options=options)  # type: ignore[no-untyped-call]
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueProblem(f"{pattern!r} is no regular expression that RE2 takes: {said}") from None
    match = compiled.fullmatch

    def test(value: str) -> bool:
        try:
            return match(value) is not None
        except UnicodeEncodeError:  # JSON can say half a character, which is no UTF-8
            return match(value.encode("utf-8", "replace")) is not None

    return test


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def required_literal(pattern: str) -> str:
    """The longest text that every match holds, as far as a simple look tells; "" where none is sure."""
    best = run = ""
    depth = at = 0
    while at < len(pattern):
        piece, literal = _piece(pattern, at)
        at += len(piece)
        depth += (piece == "(") - (piece == ")")
        quantifier = pattern[at : at + 1]
        if piece == "|" and depth == 0:
            return ""
        if depth == 0 and literal and quantifier not in ("*", "?", "{"):
            run += literal
            best = max(best, run, key=len)
            run = "" if quantifier == "+" else run
        else:
            run = ""
    return best


def regex_start(pattern: str) -> str:
    """The text that every match begins with, as far as a simple look tells."""
    if not required_literal(pattern):
        return ""
    start, at = "", 0
    while at < len(pattern):
        piece, literal = _piece(pattern, at)
        at += len(piece)
        quantifier = pattern[at : at + 1]
        if not literal or quantifier in ("*", "?", "{"):
            break
        start += literal
        if quantifier == "+":
            break
    return start


def glob_start(pattern: str) -> str:
    """The text that everything begins with that a glob matches."""
    found = _WILD.search(pattern)
    return pattern[: found.start()] if found else pattern


def _piece(pattern: str, at: int) -> tuple[str, str]:
    """The next piece of a pattern, and the character that it stands for ("" for anything else)."""
    char = pattern[at]
    if char == "\\":
        follow = pattern[at + 1 : at + 2]
        return char + follow, "" if not follow or follow.isalnum() else follow
    if char != "[":
        return char, "" if char in "().*+?{}|^$" else char
    end = at + 1 + (pattern[at + 1 : at + 2] == "^")
    end += pattern[end : end + 1] == "]"
    while end < len(pattern) and pattern[end] != "]":
        named = pattern[end : end + 2] == "[:" and ":]" in pattern[end:]
        end = pattern.index(":]", end) + 2 if named else end + 1
    body = pattern[at + 1 : end]
    return pattern[at : end + 1], body if len(body) == 1 and body != "^" else ""


def remember(test: Callable[[str], bool]) -> Callable[[str], bool]:
    """The same test, with a bounded memory of what it said."""
    known: dict[str, bool] = {}
    get = known.get
    chars = 0

    def remembered(value: str) -> bool:
        nonlocal chars
        said = get(value)
        if said is None:
            chars += len(value)
            if len(known) >= REMEMBERED or chars > REMEMBERED_CHARS:
                known.clear()
                chars = len(value)
            said = known[value] = test(value)
        return said

    return remembered


def glob_regex(pattern: str, char: str = ".") -> str:
    """A glob as a regular expression: ``*`` and ``?`` cross slashes, sets work, no braces (fnmatch without
    flags, as Falco uses it)."""
    out, i = ["(?s:"], 0
    while i < len(pattern):
        here = pattern[i]
        i += 1
        if here == "*":
            out.append(f"{char}*")
        elif here == "?":
            out.append(char)
        elif here == "\\" and i < len(pattern):
            out.append(re.escape(pattern[i]))
            i += 1
        elif here == "[" and (end := pattern.find("]", i + 1 + (pattern[i : i + 1] in ("!", "^")))) > 0:
            body = pattern[i:end]
            negated = body[:1] in ("!", "^")
            body = body[1:] if negated else body
            out.append(
                ("[^" if negated else "[")
                + body.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
                + "]"
            )
            i = end + 1
        else:
            out.append(re.escape(here))
    return "".join(out) + ")"


def path_test(items: Sequence[str]) -> Callable[[str], bool]:
    """``pmatch``: whether a path is one of the items or lies below one, by whole components. Empty components
    do not count, so neither does the leading slash; ``*``, ``?`` and sets match within a component."""
    plain = [_components(item) for item in items if not _WILD.search(item)]
    wild = [_components(item) for item in items if _WILD.search(item)]
    if [] in plain:
        return lambda value: True
    tests: list[Callable[[str], Any]] = [
        regex_test("/*" + "/+".join(_component(p) for p in parts) + "(?:/(?s:.*))?") for parts in wild
    ]
    if plain:
        tests.insert(0, re.compile("/*" + _trie(plain) + r"(?:/|\Z)").match)
    if len(tests) == 1 and plain:
        match = tests[0]
        return lambda value: match(value) is not None
    return lambda value: any(test(value) for test in tests)


def has_wildcard(item: str) -> bool:
    """Whether an item of ``pmatch`` is a pattern."""
    return _WILD.search(item) is not None


def path_pattern(item: str, quote: Callable[[str], str]) -> str:
    """A regular expression for a path as ``pmatch`` compares it, without its end; ``quote`` makes a component
    one."""
    return "/*" + "/+".join(map(quote, _components(item)))


def _components(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _component(pattern: str) -> str:
    return glob_regex(pattern, "[^/]") if _WILD.search(pattern) else re.escape(pattern)


def _trie(paths: list[list[str]]) -> str:
    """A regular expression for any of these paths, which tries no common beginning twice."""
    below: dict[str, list[list[str]]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    choices = []
    for name, rests in below.items():
        tail = "" if any(not rest for rest in rests) else "/+" + _trie(rests)
        choices.append(re.escape(name) + tail)
    return "(?:" + "|".join(choices) + ")"
