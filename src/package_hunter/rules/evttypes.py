"""On which event types a condition can be true."""

from __future__ import annotations

from package_hunter.model.event import event_table
from package_hunter.rules.ast import All, AnyOf, Check, Constant, FieldRef, MacroRef, Node, Not

GENERIC = (0, 1)  # event numbers that all system calls without parameters of their own share
_NAMES: dict[str, frozenset[int]] = {}


def event_names() -> dict[str, frozenset[int]]:
    """Event name (``openat``) -> the numbers of all its event types."""
    if not _NAMES:
        found: dict[str, set[int]] = {}
        for number, info in event_table().items():
            found.setdefault(info.name, set()).add(number)
        _NAMES.update({name: frozenset(numbers) for name, numbers in found.items()})
    return _NAMES


def all_types() -> frozenset[int]:
    """Every event number."""
    return frozenset(event_table())


def event_types(
    node: Node, memo: dict[int, tuple[frozenset[int], frozenset[int]]] | None = None
) -> frozenset[int]:
    """The event numbers on which a resolved condition can be true."""
    return _types(node, {} if memo is None else memo)[0]


def _types(
    node: Node, memo: dict[int, tuple[frozenset[int], frozenset[int]]]
) -> tuple[frozenset[int], frozenset[int]]:
    """(types on which it may be true, types on which it may be false)."""
    known = memo.get(id(node))
    if known is not None:
        return known
    everything = all_types()
    result = (everything, everything)
    if isinstance(node, All):
        parts = [_types(p, memo) for p in node.parts]
        result = frozenset.intersection(*(p[0] for p in parts)), frozenset.union(*(p[1] for p in parts))
    elif isinstance(node, AnyOf):
        parts = [_types(p, memo) for p in node.parts]
        result = frozenset.union(*(p[0] for p in parts)), frozenset.intersection(*(p[1] for p in parts))
    elif isinstance(node, Not):
        true, false = _types(node.part, memo)
        result = false, true
    elif isinstance(node, MacroRef) and node.body is not None:
        result = _types(node.body, memo)
    elif isinstance(node, Constant):
        result = (everything, frozenset()) if node.value else (frozenset(), everything)
    elif isinstance(node, Check) and isinstance(node.left, FieldRef) and node.left.name == "evt.type":
        result = _check_types(node, everything)
    memo[id(node)] = result
    return result


def _check_types(node: Check, everything: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    if node.op not in ("=", "!=", "in") or node.right is not None or node.modifier:
        return everything, everything
    generic = frozenset(GENERIC)
    named: set[int] = set()
    surely: set[int] = set()
    for value in node.values:
        numbers = event_names().get(value.text, generic)
        named |= numbers
        surely |= numbers - generic  # a generic event has one of many names: it may be this one or another
    yes, no = frozenset(named), everything - frozenset(surely)
    return (no, yes) if node.op == "!=" else (yes, no)
