"""What the probe may leave out: path prefixes that rules demand of files that are opened only for reading."""

from __future__ import annotations

from collections.abc import Iterable

from package_hunter.rules.ast import All, AnyOf, Check, FieldRef, MacroRef, Node, Not
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.model import Rule

OPENS = ("open", "openat", "openat2")
_PATHS = ("fd.name", "fs.path.name", "evt.arg.name", "fd.directory", "evt.abspath")
_WRITES = ("evt.is_open_write", "evt.is_open_create", "evt.is_open_exec")
Prefixes = frozenset[str] | None  # None: any path


def open_prefixes(rules: Iterable[Rule]) -> tuple[str, ...] | None:
    """The prefixes of all paths whose opening for reading any rule can match; None where one takes any path.

    Opens that may write, and those that failed, are never to be left out.
    """
    opens = frozenset().union(*(event_names()[n] for n in OPENS))
    found: set[str] = set()
    for rule in rules:
        if not rule.types & opens:
            continue
        needed = _needed(rule.node, {})
        if needed is None:
            return None
        found |= needed
    return tuple(sorted(p for p in found if not any(p != q and p.startswith(q) for q in found)))


def _needed(node: Node, memo: dict[int, Prefixes]) -> Prefixes:
    if id(node) not in memo:
        memo[id(node)] = _work_out(node, memo)
    return memo[id(node)]


def _work_out(node: Node, memo: dict[int, Prefixes]) -> Prefixes:
    if isinstance(node, MacroRef) and node.body is not None:
        return _needed(node.body, memo)
    if isinstance(node, All):
        known = [p for part in node.parts if (p := _needed(part, memo)) is not None]
        return min(known, key=len) if known else None
    if isinstance(node, AnyOf):
        each = [_needed(part, memo) for part in node.parts]
        return (
            None if any(e is None for e in each) else frozenset().union(*(e for e in each if e is not None))
        )
    if (
        isinstance(node, Check)
        and isinstance(node.left, FieldRef)
        and not node.modifier
        and node.right is None
    ):
        return _of_check(node, str(node.left.name) + (f".{node.left.arg}" if node.left.arg else ""))
    if isinstance(node, Not):
        return None
    return None


def _of_check(check: Check, name: str) -> Prefixes:
    texts = [v.text for v in check.values]
    if name in _WRITES and check.op == "=" and texts == ["true"]:
        return frozenset()  # only opens that write, which are reported anyway
    if name == "evt.type" and check.op in ("=", "in") and not set(texts) & set(OPENS):
        return frozenset()
    if name not in _PATHS:
        return None
    if check.op in ("=", "in", "startswith") and all(t.startswith("/") for t in texts):
        return frozenset(texts)
    if check.op == "pmatch" and not any(c in t for t in texts for c in "*?["):
        return frozenset("/" + t.lstrip("/") for t in texts)
    return None
