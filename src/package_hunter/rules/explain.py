"""A rule for somebody who never saw Falco."""

from __future__ import annotations

import textwrap

from package_hunter.model.fields import FieldSpec
from package_hunter.rules.ast import All, AnyOf, Check, FieldRef, MacroRef, Node, Not, walk
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.model import Rule
from package_hunter.rules.operands import field_spec, fields_of

WIDTH = 110


def explain(rule: Rule) -> str:
    """What the rule looks for, when, and what its fields mean: plain text of several lines."""
    lines = [f"{rule.name} ({rule.priority}{'' if rule.enabled else ', switched off'})", ""]
    lines += [*textwrap.wrap(" ".join(rule.desc.split()), WIDTH), ""]
    lines += textwrap.wrap("It looks at: " + _events(rule), WIDTH, subsequent_indent="  ")
    tree = rule.node.explain()
    if isinstance(rule.node, All | AnyOf):
        lines.append(f"It matches where {tree.pop(0).removeprefix('- ')}")
    else:
        lines.append("It matches where:")
        tree = ["  " + line for line in tree]
    for line in tree:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        lines += textwrap.wrap(
            line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    lines += ["", "The fields in brackets"]
    for name, spec in sorted(_fields(rule).items()):
        if name == "evt.num":
            continue  # the way to say "never"
        text = f"  {name}: {spec.doc}"
        lines += textwrap.wrap(
            text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
    lines += [
        "",
        "What an alert says",
        *textwrap.wrap(rule.output, WIDTH, initial_indent="  ", subsequent_indent="  "),
    ]
    if rule.tags:
        lines += ["", "Tags: " + ", ".join(rule.tags)]
    return "\n".join(lines)


def brief(rule: Rule, most: int = 500) -> str:
    """The condition as one English sentence of at most ``most`` characters; macros stay names."""
    text = _sentence(rule.node)
    text = text[1:-1] if text.startswith("(") and _is_wrapped(text) else text
    return text if len(text) <= most else f"{text[: most - 2].rsplit(' ', 1)[0]} …"


def _sentence(node: Node) -> str:
    if isinstance(node, MacroRef):
        return f"“{node.name.replace('_', ' ')}”"
    if isinstance(node, Not):
        return f"not {_sentence(node.part)}"
    parts = node.children()
    if not parts:
        return " ".join(line.strip().removeprefix("- ") for line in node.explain())
    joined = (" or " if isinstance(node, AnyOf) else " and ").join(map(_sentence, parts))
    return f"({joined})" if len(parts) > 1 else joined


def _is_wrapped(text: str) -> bool:
    """Whether the first parenthesis is closed by the last."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def event_type_names(rule: Rule, most: int = 12) -> list[str]:
    """Names of the events that the rule is tried on; a last item says how many more there are."""
    names = sorted(name for name, numbers in event_names().items() if numbers & rule.types and name != "NA")
    if len(names) > most:
        return [*names[:most], f"and {len(names) - most} more"]
    return names


def _events(rule: Rule) -> str:
    names = sorted(name for name, numbers in event_names().items() if numbers & rule.types)
    if len(names) > 100:
        return "every event (no system call is named)."
    return ", ".join(event_type_names(rule, 30)) + "."


def _fields(rule: Rule) -> dict[str, FieldSpec]:
    found: dict[str, FieldSpec] = {}
    for node in walk(rule.node):
        if isinstance(node, Check):
            refs: list[FieldRef] = [*fields_of(node.left), *fields_of(node.right)]
            for ref in refs:
                found.setdefault(ref.name, field_spec(ref))
    return found
