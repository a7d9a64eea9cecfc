"""First step of loading: entries of all files are gathered, later ones changing earlier ones, as text.
Nothing is resolved yet, so an append joins the text before it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from package_hunter.rules.advice import advise, offending
from package_hunter.rules.document import Item, Place
from package_hunter.rules.exception_forms import exception_problems
from package_hunter.rules.keys import (
    NEEDED,
    OVERRIDABLE,
    REPLACEABLE,
    PluginVersion,
    WrongKind,
    decode,
    plugin_choices,
    unknown_keys,
    version,
    whole_number,
)
from package_hunter.rules.model import Problem

APPENDABLE = {"rule": OVERRIDABLE, "macro": ("condition",), "list": ("items",)}
CHANGEABLE = {"rule": REPLACEABLE, "macro": ("condition",), "list": ("items",)}
APPENDED = {"rule": ("condition", "exceptions"), "macro": ("condition",), "list": ("items",)}  # append: true
ENGINE_VERSION = (0, 58, 0)  # the engine whose language this is


@dataclass
class Entry:
    """A rule, macro or list so far. ``seen`` and ``changed`` are places in the order of all entries."""

    kind: str
    name: str
    values: dict[str, Any]
    places: dict[str, Place]
    place: Place
    seen: int
    changed: int
    replaced: bool = False  # whether its exceptions came in through an override


@dataclass
class EntryCollection:
    """All entries by name, in the order of their first definition, and what was wrong."""

    rules: dict[str, Entry] = field(default_factory=dict)
    macros: dict[str, Entry] = field(default_factory=dict)
    lists: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    plugins: list[tuple[Place, list[PluginVersion]]] = field(default_factory=list)
    count: int = 0

    def error(self, code: str, place: Place, message: str, advice: str = "", text: str = "") -> None:
        """Note an error."""
        self._note("error", code, place, message, advice, text)

    def warn(self, code: str, place: Place, message: str, advice: str = "", text: str = "") -> None:
        """Note a warning."""
        self._note("warning", code, place, message, advice, text)

    def _note(self, severity: str, code: str, place: Place, message: str, advice: str, text: str) -> None:
        text = text or offending(message, place.raw)
        advice = advice or advise(code, text, self.macros)
        self.problems.append(Problem(severity, code, place, message, advice, text))

    def add(self, item: Item) -> None:
        """One top-level entry of a file."""
        self.count += 1
        for key, handle in _HEADERS.items():
            if key in item.values:
                handle(self, item)
                return
        for kind, table in (("list", self.lists), ("macro", self.macros), ("rule", self.rules)):
            if kind in item.values:
                self._add(kind, table, item)
                return
        key = next(iter(item.values), "")
        self.warn("unknown_item", item.place, f"The entry {key!r} is not known and was left out.", "", key)

    def _add(self, kind: str, table: dict[str, Entry], item: Item) -> None:
        name = item.values[kind]
        if not isinstance(name, str) or not name:
            self.error("name", item.place, f"This {kind} has no name.", f"Write '- {kind}: some name'.")
            return
        known = table.get(name)
        if not self._decode(kind, item, ("append", "override", *(("source",) if kind == "rule" else ()))):
            return
        for problem in unknown_keys(kind, item):
            self.warn(problem.code, problem.place, problem.message)
        override, append = item.values.get("override"), item.values.get("append", False)
        if "override" in item.values and not override:
            self.warn("override", item.at("override"), "'override' names no key, so it changes nothing.")
        if kind == "rule" and not self._same_source(name, known, item):
            return
        if override and append:
            self.error("override", item.at("append"), "'override' and 'append: true' exclude each other.")
        elif override:
            self._override(kind, name, table, item, override)
        elif append:
            self._appended(kind, name, known, item)
        elif kind == "rule" and not [k for k in NEEDED if k in item.values]:
            self._switch(name, known, item)
        else:
            self._define(kind, name, table, item)

    def _decode(self, kind: str, item: Item, read: tuple[str, ...]) -> bool:
        problems = decode(kind, item, read)
        for problem in problems:
            self.error(problem.code, problem.place, problem.message)
        return not problems

    def _same_source(self, name: str, known: Entry | None, item: Item) -> bool:
        source = _named_source(item)
        if known is None or not source or source == (known.values.get("source") or "syscall"):
            return True
        before = known.values.get("source") or "syscall"
        message = f"The rule {name!r} is for events of {before}; it cannot become one of {source}."
        self.error("other_source", item.at("source"), message, "", source)
        return False

    def _define(self, kind: str, name: str, table: dict[str, Entry], item: Item) -> None:
        keys = (*CHANGEABLE[kind], "source") if kind == "rule" else CHANGEABLE[kind]
        needed = NEEDED if kind == "rule" else CHANGEABLE[kind]
        missing = [k for k in needed if item.values.get(k) in (None, "")]
        if missing:
            self.error("missing", item.place, f"The {kind} {name!r} lacks {', '.join(missing)}.", "", name)
            return
        if kind == "rule" and item.values.get("source", "syscall") == "":
            self.error("key_kind", item.at("source"), f"'source' of the rule {name!r} is empty.", "", name)
            return
        if not self._decode(kind, item, keys) or not self._well_excepted(name, item, new=True):
            return
        known = table.get(name)
        seen = known.seen if known else self.count
        table[name] = Entry(kind, name, dict(item.values), dict(item.places), item.place, seen, self.count)

    def _switch(self, name: str, known: Entry | None, item: Item) -> None:
        """A rule with none of the keys that make one: it changes whether an earlier one is tried."""
        if "enabled" not in item.values:
            message = f"The rule {name!r} lacks {', '.join(NEEDED)}."
            self.error("missing", item.place, message, "", name)
        elif self._decode("rule", item, ("enabled",)):
            if known is None:
                self._missing("rule", name, item)
                return
            known.values["enabled"] = item.values["enabled"]

    def _missing(self, kind: str, name: str, item: Item) -> None:
        self.error(
            "unknown_target", item.place, f"There is no {kind} {name!r} to change.", "Define it before.", name
        )

    def _appended(self, kind: str, name: str, known: Entry | None, item: Item) -> None:
        self.warn(
            "deprecated_append", item.at("append"), "'append: true' is deprecated.",
            "Write override: {condition: append}.",
        )  # fmt: skip
        keys = [k for k in APPENDED[kind] if k in item.values]
        if not self._decode(kind, item, APPENDED[kind]):
            return
        if known is None:
            self._missing(kind, name, item)
        elif not keys:
            message = f"Nothing that can be appended to {kind} {name!r}."
            self.error("append", item.place, message, "Give a condition.")
        elif self._well_excepted(name, item, new=False, known=known):
            for key in keys:
                self._join(known, key, item)
            known.changed = self.count

    def _well_excepted(self, name: str, item: Item, new: bool, known: Entry | None = None) -> bool:
        before = known.values.get("exceptions") or [] if known else []
        fine = True
        for problem in exception_problems(name, item, before, appended=not new):
            fine &= problem.severity != "error"
            self._note(problem.severity, problem.code, problem.place, problem.message, "", problem.text)
        return fine

    def _join(self, known: Entry, key: str, item: Item) -> None:
        new, old = item.values[key], known.values.get(key)
        if key == "exceptions":
            known.values[key] = _join_exceptions(old or [], new or [])
        elif isinstance(new, list):
            known.values[key] = [*(old or []), *new]
        else:
            known.values[key] = f"{old} {new}" if old else new
        known.places.setdefault(key, item.at(key))

    def _override(
        self, kind: str, name: str, table: dict[str, Entry], item: Item, override: dict[str, Any]
    ) -> None:
        known = table.get(name)
        if not self._can_override(kind, item, override):
            return
        if not self._decode(kind, item, tuple(override)):
            return
        if known is None and kind != "rule" and "append" not in override.values():
            self._define(kind, name, table, item)
            return
        if known is None:
            self._missing(kind, name, item)
            return
        appended = override.get("exceptions") == "append"
        if "exceptions" in override and not self._well_excepted(name, item, not appended, known):
            return
        for key, how in override.items():
            if how == "append":
                self._join(known, key, item)
            else:
                known.values[key] = item.values[key]
                known.places[key] = item.at(key)
                known.replaced |= key == "exceptions"
        known.changed = self.count

    def _can_override(self, kind: str, item: Item, override: dict[str, Any]) -> bool:
        before = len(self.problems)
        for key, how in override.items():
            allowed = {"append": APPENDABLE, "replace": CHANGEABLE}.get(str(how), {}).get(kind, ())
            if key not in allowed:
                message = f"{key!r} of a {kind} cannot be overridden with {how!r}."
                self.error("override", item.at("override"), message)
            elif key not in item.values:
                message = f"'override' names {key!r}, but the entry does not have it."
                self.error("override", item.place, message)
        extra = [k for k in CHANGEABLE[kind] if k in item.values and k not in override]
        if extra:
            self.error("override", item.place, f"Not named under 'override': {', '.join(sorted(extra))}.")
        return len(self.problems) == before

    def engine_version(self, item: Item) -> None:
        """required_engine_version: a number (N means 0.N.0) or a version."""
        text = str(item.values["required_engine_version"])
        minor = whole_number(text)
        wanted = version(text) if minor is None else (0, minor, 0)
        if wanted is None:
            self.error(
                "engine_version", item.at("required_engine_version"), f"{text[:40]!r} is no engine version."
            )
            return
        if wanted > ENGINE_VERSION:
            self.error(
                "engine_version",
                item.at("required_engine_version"),
                f"The file needs engine version {text}; this is {'.'.join(map(str, ENGINE_VERSION))}.",
            )

    def plugin_versions(self, item: Item) -> None:
        """required_plugin_versions: the form is checked, and what is asked for is kept in ``plugins``."""
        wanted = item.values["required_plugin_versions"]
        place = item.at("required_plugin_versions")
        if not isinstance(wanted, list):
            self.error("plugin_versions", place, "required_plugin_versions is a list.")
            return
        for entry in wanted:
            try:
                self.plugins.append((place, plugin_choices(entry)))
            except WrongKind as error:
                self.error("plugin_versions", place, f"A required plugin {error}.")


def _named_source(item: Item) -> str:
    """The source that a rule's entry says its rule has; "" where it does not say."""
    given = str(item.values.get("source") or "")
    if item.values.get("override"):
        return given if "condition" in item.values["override"] else ""
    if item.values.get("append"):
        return given
    return (given or "syscall") if any(k in item.values for k in NEEDED) else ""


def _join_exceptions(old: list[Any], new: list[Any]) -> list[Any]:
    joined = [dict(e) for e in old]
    for exception in new:
        known = next((e for e in joined if e.get("name") == exception.get("name")), None)
        if known is None:
            joined.append(dict(exception))
        else:
            known["values"] = [*(known.get("values") or []), *(exception.get("values") or [])]
    return joined


_HEADERS: dict[str, Callable[[EntryCollection, Item], None]] = {
    "required_engine_version": EntryCollection.engine_version,
    "required_plugin_versions": EntryCollection.plugin_versions,
}
