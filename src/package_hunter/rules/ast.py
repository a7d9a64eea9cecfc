"""The parsed form of a condition. Each node can evaluate itself (the plain, slow form that the compiled one
is held against) and say in English what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from package_hunter.rules.english import say
from package_hunter.rules.operators import predicate

Lookup = Callable[["Operand"], Any]


@dataclass(frozen=True)
class FieldRef:
    """``proc.name``, ``proc.aname[2]``, ``evt.arg.flags``: as written, argument apart."""

    name: str
    arg: str | None = None

    def __str__(self) -> str:
        return self.name if self.arg is None else f"{self.name}[{self.arg}]"


@dataclass(frozen=True)
class Transformation:
    """``tolower(proc.name)``: a transformer over fields, other transformers and texts."""

    function: str
    arguments: tuple[Any, ...]
    arg: str | None = None

    def __str__(self) -> str:
        inner = ", ".join(f'"{a}"' if isinstance(a, str) else str(a) for a in self.arguments)
        return f"{self.function}({inner})" + (f"[{self.arg}]" if self.arg is not None else "")


Operand = FieldRef | Transformation


@dataclass(frozen=True)
class Literal:
    """A value as written; quoted ones are never names of lists."""

    text: str
    quoted: bool = False


class Node:
    """Any part of a condition."""

    def evaluate(self, get: Lookup) -> bool:
        """Whether the condition holds, given the value of each operand."""
        raise NotImplementedError

    def explain(self, depth: int = 0) -> list[str]:
        """Lines of an English tree."""
        raise NotImplementedError

    def children(self) -> tuple[Node, ...]:
        """The conditions that this one is made of."""
        return ()


@dataclass(frozen=True)
class All(Node):
    """``a and b``."""

    parts: tuple[Node, ...]

    def evaluate(self, get: Lookup) -> bool:
        return all(p.evaluate(get) for p in self.parts)

    def explain(self, depth: int = 0) -> list[str]:
        return _branch("all of these hold:", self.parts, depth)

    def children(self) -> tuple[Node, ...]:
        return self.parts


@dataclass(frozen=True)
class AnyOf(Node):
    """``a or b``."""

    parts: tuple[Node, ...]

    def evaluate(self, get: Lookup) -> bool:
        return any(p.evaluate(get) for p in self.parts)

    def explain(self, depth: int = 0) -> list[str]:
        return _branch("at least one of these holds:", self.parts, depth)

    def children(self) -> tuple[Node, ...]:
        return self.parts


@dataclass(frozen=True)
class Not(Node):
    """``not a``."""

    part: Node

    def evaluate(self, get: Lookup) -> bool:
        return not self.part.evaluate(get)

    def explain(self, depth: int = 0) -> list[str]:
        if isinstance(self.part, AnyOf):
            return _branch("none of these holds:", self.part.parts, depth)
        lines = self.part.explain(depth)
        return [lines[0].replace("- ", "- not " if "- “" in lines[0] else "- not: ", 1), *lines[1:]]

    def children(self) -> tuple[Node, ...]:
        return (self.part,)


@dataclass(frozen=True)
class MacroRef(Node):
    """A macro's name; ``body`` once it is resolved."""

    name: str
    body: Node | None = None

    def evaluate(self, get: Lookup) -> bool:
        assert self.body is not None, f"macro {self.name} was not resolved"
        return self.body.evaluate(get)

    def explain(self, depth: int = 0) -> list[str]:
        name = f"“{self.name.replace('_', ' ')}”"
        if self.holds_never():
            return [("  " * depth) + f"- {name}: nothing so far, a place for exceptions of your own"]
        if isinstance(self.body, Check):
            return [("  " * depth) + f"- {name}: {self.body.explain()[0].removeprefix('- ')}"]
        title = f"{name}, that is"
        if isinstance(self.body, All):
            return _branch(f"{title} all of these:", self.body.parts, depth)
        if isinstance(self.body, AnyOf):
            return _branch(f"{title} at least one of these:", self.body.parts, depth)
        return _branch(f"{title}:", self.children(), depth)

    def holds_never(self) -> bool:
        """Whether it stands for ``evt.num = 0``, as Falco's files say "never"."""
        if isinstance(self.body, MacroRef):
            return self.body.holds_never()
        body = self.body
        return isinstance(body, Check) and (str(body.left), body.op, [v.text for v in body.values]) == (
            *("evt.num", "="),
            ["0"],
        )

    def children(self) -> tuple[Node, ...]:
        return () if self.body is None else (self.body,)


@dataclass(frozen=True)
class Check(Node):
    """``operand op values``. ``right`` is set where the right side is itself an operand (``val(…)``);
    ``modifier`` is "", ``oneof``, ``anyof`` or ``allof``. ``test`` and ``test_one`` are the typed predicates
    (operators.Tests), made when the condition is resolved."""

    left: Operand
    op: str
    values: tuple[Literal, ...] = ()
    right: Operand | None = None
    modifier: str = ""
    column: int = field(default=0, compare=False)
    test: Callable[[Any], bool] | None = field(default=None, compare=False, repr=False)
    test_one: Callable[[Any], bool] | None = field(default=None, compare=False, repr=False)

    def evaluate(self, get: Lookup) -> bool:
        value = get(self.left)
        if self.right is not None:
            return self.evaluate_both(value, get(self.right))
        assert self.test is not None, f"{self.left} was not resolved"
        return bool(self.test(value))

    def evaluate_both(self, left: Any, right: Any) -> bool:
        """The same for two values that are known only now (``val(…)``, a transformer on the right)."""
        return predicate(self.op)(left, right)

    def explain(self, depth: int = 0) -> list[str]:
        right = str(self.right) if self.right is not None else ""
        values = [v.text for v in self.values]
        return [("  " * depth) + "- " + say(str(self.left), self.op, values, right, self.modifier)]


@dataclass(frozen=True)
class Constant(Node):
    """Always or never; what is left of a condition once its event type is known."""

    value: bool

    def evaluate(self, get: Lookup) -> bool:
        return self.value

    def explain(self, depth: int = 0) -> list[str]:
        return [("  " * depth) + ("- always" if self.value else "- never")]


def _branch(title: str, parts: tuple[Node, ...], depth: int) -> list[str]:
    lines = [("  " * depth) + "- " + title]
    for part in parts:
        lines += part.explain(depth + 1)
    return lines


def walk(node: Node) -> list[Node]:
    """The node and all below it, macros' bodies too; without recursion."""
    found, todo = [], [node]
    while todo:
        current = todo.pop()
        found.append(current)
        todo.extend(current.children())
    return found


def render(node: Node) -> str:
    """The condition as text again (parsing it gives an equal node)."""
    if isinstance(node, All):
        return "(" + " and ".join(render(p) for p in node.parts) + ")"
    if isinstance(node, AnyOf):
        return "(" + " or ".join(render(p) for p in node.parts) + ")"
    if isinstance(node, Not):
        return f"not ({render(node.part)})"
    if isinstance(node, MacroRef):
        return node.name
    assert isinstance(node, Check)
    left = f"{node.left} {node.op}"
    if node.op == "exists":
        return left
    if node.right is not None:
        return f"{left} {node.right if isinstance(node.right, Transformation) else f'val({node.right})'}"
    values = [_quote(v) for v in node.values]
    if node.modifier or node.op in ("in", "intersects", "pmatch"):
        return f"{left} {node.modifier} ({', '.join(values)})"
    return f"{left} {values[0]}"


def _quote(value: Literal) -> str:
    if not value.quoted:
        return value.text
    text = value.text.replace("\\", "\\\\").replace('"', '\\"')
    for raw, escaped in (("\b", "\\b"), ("\f", "\\f"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(raw, escaped)
    return f'"{text}"'
