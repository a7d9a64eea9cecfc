"""Rule files to a RuleSet: gathered, then macros, lists and exceptions put in, fields and values checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

from package_hunter.errors import RuleFileError
from package_hunter.model.fields import FieldSpec
from package_hunter.model.scales import priority_named
from package_hunter.rules.advice import ADVICE
from package_hunter.rules.ast import All, Check, Literal, MacroRef, Node, Not, walk
from package_hunter.rules.collect import Entry, EntryCollection
from package_hunter.rules.document import DocumentError, Place, read_file, read_items
from package_hunter.rules.evttypes import all_types, event_types
from package_hunter.rules.exception_forms import without_values
from package_hunter.rules.exceptions import exception_nodes, item_text
from package_hunter.rules.falco_check import falco_problems
from package_hunter.rules.model import Problem, Rule, RuleSet
from package_hunter.rules.operands import ResolveError, field_spec, fields_of
from package_hunter.rules.output import OutputError, deprecated_fields, unsupported_fields
from package_hunter.rules.overlap import Overlaps
from package_hunter.rules.parse import ConditionError, parse_condition
from package_hunter.rules.resolve import Resolver

MAX_LIST_ITEMS = 100_000
MAX_LIST_DEPTH = 50
CONTAINER_INFO = "%container.info"  # Falco once put two fields in its place and takes it still


def builtin_files() -> list[Path]:
    """Our own rule files, in the order of loading."""
    folder = Path(str(resources.files("package_hunter.rules").joinpath("builtin")))
    return sorted(p for p in folder.glob("*.yaml") if not p.name.endswith(".test.yaml"))


def load_rules(files: Sequence[Path] = (), builtin: bool = True) -> RuleSet:
    """The rules of the built-in files, then of ``files``, later ones changing earlier ones.

    Raises RuleFileError with every error found, each with its place.
    """
    ruleset = check_rules([*(builtin_files() if builtin else []), *files])
    if ruleset.errors:
        raise RuleFileError("\n".join(str(p) for p in ruleset.errors), "Mend the rule file and run it again.")
    return ruleset


def check_rules(files: Sequence[Path], for_falco: bool = False) -> RuleSet:
    """Load without raising: errors and warnings stand in ``problems``; with ``for_falco`` also what Falco 0.43
    refuses though it loads here."""
    texts = []
    problems = []
    for path in files:
        try:
            texts.append((str(path), read_file(path)))
        except OSError as error:
            place, what = Place(str(path), 1, 1), f"The file cannot be read: {error.strerror}."
            problems.append(Problem("error", "unreadable", place, what, ADVICE["unreadable"], str(path)))
    ruleset = load_texts(texts, for_falco)
    ruleset.problems[:0] = problems
    return ruleset


def load_texts(texts: Sequence[tuple[str, str]], for_falco: bool = False) -> RuleSet:
    """Load rule files given as (name, text); ``for_falco`` as in ``check_rules``."""
    collected = EntryCollection()
    for name, text in texts:
        try:
            for item in read_items(text, name):
                collected.add(item)
        except DocumentError as error:
            collected.error("yaml", error.place, error.message)
    linked = _Linker(collected).link()
    if for_falco:
        linked.problems += falco_problems(
            collected, {r.name: r.output for r in linked.rules}, set(linked.macros)
        )
    lines = {name: text.split("\n") for name, text in texts}
    linked.problems[:] = [p if p.text else replace(p, text=_line(p, lines)) for p in linked.problems]
    return linked


def _line(problem: Problem, lines: Mapping[str, Sequence[str]]) -> str:
    """The line of the file that a problem without a text of its own is about."""
    of_file = lines.get(problem.place.file, ())
    at = min(problem.place.line, len(of_file)) - 1
    return next((line.strip()[:160] for line in of_file[at::-1] if line.strip()), "(an empty file)")


def load_condition(condition: str, ruleset: RuleSet) -> RuleSet:
    """A set of one rule with this condition, which may use the macros and lists of ``ruleset``.

    Raises RuleFileError with line and column in the condition.
    """
    try:
        node = Resolver(ruleset.macros, ruleset.lists, ruleset.sizes).resolve(parse_condition(condition))
    except ConditionError as error:
        where = f"line {error.line}, column {error.column}"
        raise RuleFileError(f"The condition cannot be read ({where}): {error.message}") from None
    except ResolveError as error:
        raise RuleFileError(f"The condition cannot be used: {error.message}", error.advice) from None
    unsupported = _unsupported(node)
    if unsupported is not None:
        raise RuleFileError(f"{unsupported.name} is not supported: {unsupported.unsupported}.")
    place = Place("condition", 1, 1)
    rule = Rule(
        "condition", "", condition, "", "Debug", (), "syscall", True, place, 0, node, event_types(node)
    )  # fmt: skip
    return RuleSet([rule], ruleset.macros, ruleset.lists)


class _Linker:
    def __init__(self, collected: EntryCollection) -> None:
        self.got = collected
        self.out = RuleSet(problems=collected.problems)
        self.used: set[str] = set()
        self.memo: dict[int, tuple[frozenset[int], frozenset[int]]] = {}
        self.broken: dict[str, ResolveError] = {}

    def link(self) -> RuleSet:
        for name in self.got.lists:
            self._list(name, ())
        trees = {name: self._parse(e) for name, e in self.got.macros.items()}
        self._macros(trees)
        for entry in self.got.rules.values():
            self._rule(entry)
        self._overlaps()
        self._unused()
        return self.out

    def _list(self, name: str, above: tuple[str, ...]) -> tuple[Literal, ...]:
        known = self.out.lists.get(name)
        if known is not None:
            return known
        entry = self.got.lists[name]
        found: list[Literal] = []
        for item in entry.values["items"]:
            text, quoted = item_text(item)
            if not quoted and text in self.got.lists and text not in above and text != name:
                self.used.add(text)
                found += self._list(text, (*above, name)) if len(above) < MAX_LIST_DEPTH else ()
            else:
                found.append(Literal(text, quoted))
            if len(found) > MAX_LIST_ITEMS:
                message = f"The list {name!r} is longer than {MAX_LIST_ITEMS} items."
                self.got.error("too_large", entry.place, message, "Split it.", name)
                found = []
                break
        self.out.lists[name] = tuple(found)
        return self.out.lists[name]

    def _parse(self, entry: Entry) -> Node | None:
        text = entry.values["condition"]
        place = entry.places.get("condition", entry.place)
        if not text.strip():
            self.got.error("condition", entry.place, f"The {entry.kind} {entry.name!r} has no condition.")
            return None
        try:
            return parse_condition(text)
        except ConditionError as error:
            self.got.error(
                "syntax", _inside(place, text, error.line, error.column), error.message, "", error.text
            )
            return None

    def _macros(self, trees: dict[str, Node | None]) -> None:
        """Each macro after those that it names; it sees those first defined before its own last change."""
        done: set[str] = set()
        for name in trees:
            todo = [name]
            while todo:
                current = todo[-1]
                tree = trees[current]
                waiting = [] if tree is None or current in done else self._needs(current, tree, done, trees)
                loop = next((n for n in waiting if n in todo), None)
                if loop is not None:
                    entry = self.got.macros[current]
                    self.got.error(
                        "loop", entry.place, f"The macro {current!r} needs itself through {loop!r}.", "", loop
                    )
                    trees[current] = None
                elif waiting:
                    todo.append(waiting[0])
                    continue
                elif tree is not None and current not in done:
                    self._macro(self.got.macros[current], tree)
                done.add(current)
                todo.pop()

    def _needs(self, name: str, tree: Node, done: set[str], trees: dict[str, Node | None]) -> list[str]:
        named = (n.name for n in walk(tree) if isinstance(n, MacroRef))
        return [n for n in dict.fromkeys(named) if n in trees and n not in done and self._sees(name, n)]

    def _sees(self, name: str, other: str) -> bool:
        return self.got.macros[other].seen < self.got.macros[name].changed or name == other

    def _macro(self, entry: Entry, tree: Node) -> None:
        visible = {n: body for n, body in self.out.macros.items() if self._sees(entry.name, n)}
        resolver = Resolver(visible, self.out.lists, self.out.sizes)
        place = entry.places.get("condition", entry.place)
        try:
            self.out.macros[entry.name] = resolver.resolve(tree)
            self.out.sizes[entry.name] = (resolver.nodes, resolver.depth)
        except ResolveError as error:
            self.broken[entry.name] = error
            if error.code == "unknown_macro" and error.text in self.broken:
                self.broken[entry.name] = self.broken[error.text]
            elif (
                error.code == "unknown_macro"
                and error.text in self.got.macros
                and self._sees(entry.name, error.text)
            ):
                pass  # that macro's own error stands already
            elif error.code not in ("unknown_macro", "too_large"):
                message = f"The macro {entry.name!r} cannot be used: {error.message}"
                self.got.warn(error.code, place, message, "", error.text)
            else:
                advice = "Define it before its first use." if error.code == "unknown_macro" else ""
                self.got.error(error.code, place, error.message, advice, error.text)
        self.used |= resolver.used
        self._notes(entry, resolver)

    def _rule(self, entry: Entry) -> None:
        values = entry.values
        source = str(values.get("source") or "syscall")
        if source != "syscall":
            self.got.warn(
                "source",
                entry.place,
                f"The rule {entry.name!r} is for events of {source}, which do not exist here.",
            )
            return
        priority = priority_named(str(values["priority"]))
        if priority is None:
            self.got.error(
                "priority",
                entry.places["priority"],
                f"{values['priority']!r} is no priority.",
                "",
                str(values["priority"]),
            )
            return
        for problem in without_values(entry.name, entry.place, values.get("exceptions") or []):
            self.got.warn(problem.code, problem.place, problem.message, "", problem.text)
        tree = self._parse(entry)
        output = self._output(entry) if tree is not None else None
        if tree is None or output is None:
            return
        try:
            node = self._resolved(entry, tree)
        except ResolveError as error:
            self._failed(entry, error)
            return
        self._finish(entry, node, priority, output)

    def _resolved(self, entry: Entry, tree: Node) -> Node:
        exceptions = exception_nodes(entry)
        whole = All((tree, *(Not(e) for e in exceptions))) if exceptions else tree
        resolver = Resolver(self.out.macros, self.out.lists, self.out.sizes)
        node = resolver.resolve(whole)
        self.used |= resolver.used
        self._notes(entry, resolver)
        return node

    def _notes(self, entry: Entry, resolver: Resolver) -> None:
        place = entry.places.get("condition", entry.place)
        for (code, text), message in resolver.notes.items():
            self.got.warn(code, place, f"The {entry.kind} {entry.name!r}: {message}", "", text)

    def _failed(self, entry: Entry, error: ResolveError) -> None:
        place = entry.places.get("condition", entry.place)
        if error.code == "unknown_macro" and error.text in self.broken:
            error = self.broken[error.text]
        if error.code == "unknown_macro" and error.text in self.got.macros:
            return  # that macro's own error stands already
        if _is_unknown(error) and _may_be_skipped(entry):
            self.got.warn("skipped", place, f"The rule {entry.name!r} is left out: {error.message}")
        else:
            self.got.error(error.code, place, f"Rule {entry.name!r}: {error.message}", "", error.text)

    def _output(self, entry: Entry) -> str | None:
        """The rule's output as it can be filled; None where the rule has an error or is left out for it."""
        place = entry.places.get("output", entry.place)
        output = str(entry.values["output"])
        if CONTAINER_INFO in output:
            message = f"{CONTAINER_INFO} in the output of {entry.name!r} stands for nothing any more and was removed."
            self.got.warn("deprecated_output", place, message, "", CONTAINER_INFO)
            output = output.replace(CONTAINER_INFO, "")
        try:
            if not output.strip():
                raise OutputError(f"The output of {entry.name!r} is empty.")
            absent = unsupported_fields(output)
        except OutputError as error:
            if error.unknown_field and _may_be_skipped(entry):
                self.got.warn("skipped", place, f"The rule {entry.name!r} is left out: {error}")
            else:
                self.got.error("output", place, str(error))
            return None
        for spec in deprecated_fields(output):
            message = f"The output of {entry.name!r} shows {spec.name}, which is deprecated in Falco."
            self.got.warn("deprecated_field", place, message, "", spec.name)
        for spec in absent:
            message = f"The output of {entry.name!r} shows {spec.name} as <NA>: {spec.unsupported}."
            self.got.warn("unsupported_field", place, message, "", spec.name)
        return output

    def _finish(self, entry: Entry, node: Node, priority: str, output: str) -> None:
        values = entry.values
        place = entry.places.get("condition", entry.place)
        types = event_types(node, self.memo)
        unsupported = _unsupported(node)
        enabled = values.get("enabled") is not False
        if unsupported is not None:
            self.got.warn(
                "unsupported_field",
                place,
                f"The rule {entry.name!r} is switched off: {unsupported.name}: {unsupported.unsupported}.",
            )
            enabled = False
        if not types:
            self.got.warn(
                "never_true",
                place,
                f"The rule {entry.name!r} can never match: no event type fits its condition.",
            )
        elif len(types) >= len(all_types()) and values.get("warn_evttypes") is not False:
            self.got.warn(
                "no_event_types",
                place,
                f"The rule {entry.name!r} names no event type and is tried on every event.",
            )
        self.out.rules.append(
            Rule(
                entry.name, str(values["desc"]), str(values["condition"]), output, priority,
                tuple(sorted({str(t) for t in values.get("tags") or ()})), "syscall", enabled, entry.place,
                len(self.out.rules), node, types,
            )
        )  # fmt: skip

    def _overlaps(self) -> None:
        """Rules that never match, or never first."""
        looked = Overlaps()
        alive = []
        for rule in self.out.rules:
            place = self.got.rules[rule.name].places.get("condition", rule.place)
            if rule.types and looked.never(rule):
                message = f"The rule {rule.name!r} can never match: parts of it exclude each other, or a list is empty."
                self.got.warn("never_true", place, message, "", rule.name)
            elif rule.enabled and rule.types:
                alive.append(rule)
        for rule, earlier in looked.hidden(alive):
            message = (
                f"The rule {rule.name!r} is hidden where only the first match counts: {earlier.name!r} "
                f"({earlier.place}) comes before it and matches whatever it matches."
            )
            place = self.got.rules[rule.name].places.get("condition", rule.place)
            self.got.warn("shadowed", place, message, "", rule.name)

    def _unused(self) -> None:
        for kind, table in (("macro", self.got.macros), ("list", self.got.lists)):
            for name, entry in table.items():
                if name not in self.used:
                    self.got.warn(
                        f"unused_{kind}", entry.place, f"The {kind} {name!r} is used by nothing.", "", name
                    )


def _is_unknown(error: ResolveError) -> bool:
    """Whether an error is about a field or event type that does not exist; one with an argument in brackets that
    it does not take is none either."""
    bad_argument = error.code == "field_argument" and "[" in error.text
    return bad_argument or error.code in ("unknown_field", "unknown_event_type")


def _may_be_skipped(entry: Entry) -> bool:
    return entry.values.get("skip-if-unknown-filter") is True


def _inside(place: Place, text: str, line: int, column: int) -> Place:
    """The place in the file of a place in a condition."""
    lines = text.split("\n")
    return place.inside(text, sum(len(x) + 1 for x in lines[: line - 1]) + column - 1)


def _unsupported(node: Node) -> FieldSpec | None:
    for part in walk(node):
        if isinstance(part, Check):
            for ref in [*fields_of(part.left), *fields_of(part.right)]:
                spec = field_spec(ref)
                if spec.unsupported:
                    return spec
    return None
