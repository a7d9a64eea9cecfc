"""First step of loading: entries of all files are gathered, later ones changing earlier ones, as text.
Nothing is resolved yet, so an append joins the text before it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from package_hunter.rules.advice import advise, offending
from package_hunter.rules.document import Item, Place
from package_hunter.rules.model import Problem

APPENDABLE = {
    "rule": ("condition", "output", "desc", "tags", "exceptions"),
    "macro": ("condition",),
    "list": ("items",),
}
REPLACEABLE = {
    "rule": (
        *("condition", "output", "desc", "priority", "tags", "exceptions", "enabled", "warn_evttypes"),
        *("skip-if-unknown-filter", "capture", "capture_duration", "source"),
    ),
    "macro": ("condition",),
    "list": ("items",),
}
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


@dataclass
class Collected:
    """All entries by name, in the order of their first definition, and what was wrong."""

    rules: dict[str, Entry] = field(default_factory=dict)
    macros: dict[str, Entry] = field(default_factory=dict)
    lists: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
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
        for kind, table in (("rule", self.rules), ("macro", self.macros), ("list", self.lists)):
            if kind in item.values:
                self._add(kind, table, item)
                return
        for key, handle in _HEADERS.items():
            if key in item.values:
                handle(self, item)
                return
        key = next(iter(item.values), "")
        self.warn("unknown_item", item.place, f"The entry {key!r} is not known and was left out.", "", key)

    def _add(self, kind: str, table: dict[str, Entry], item: Item) -> None:
        name = item.values[kind]
        if not isinstance(name, str) or not name:
            self.error("name", item.place, f"This {kind} has no name.", f"Write '- {kind}: some name'.")
            return
        known = table.get(name)
        override = item.values.get("override")
        if override is not None:
            self._override(kind, name, known, item, override)
        elif item.values.get("append") is True:
            self.warn(
                "deprecated_append",
                item.at("append"),
                "'append: true' is deprecated.",
                "Write override: {condition: append}.",
            )
            self._append(kind, name, known, item, [k for k in APPENDABLE[kind] if k in item.values])
        elif known is not None and kind == "rule" and set(item.values) <= {"rule", "enabled"}:
            known.values["enabled"] = item.values.get("enabled")
            known.changed = self.count
        else:
            seen = known.seen if known else self.count
            table[name] = Entry(
                kind, name, dict(item.values), dict(item.places), item.place, seen, self.count
            )

    def _missing(self, kind: str, name: str, item: Item) -> None:
        self.error(
            "unknown_target", item.place, f"There is no {kind} {name!r} to change.", "Define it before.", name
        )

    def _append(self, kind: str, name: str, known: Entry | None, item: Item, keys: list[str]) -> None:
        if known is None:
            self._missing(kind, name, item)
            return
        if not [k for k in keys if k in ("condition", "exceptions", "items")]:
            self.error(
                "append", item.place, f"Nothing that can be appended to {kind} {name!r}.", "Give a condition."
            )
            return
        for key in keys:
            self._join(known, key, item)
        known.changed = self.count

    def _join(self, known: Entry, key: str, item: Item) -> None:
        new, old = item.values[key], known.values.get(key)
        if key == "exceptions":
            known.values[key] = _join_exceptions(old or [], new or [])
        elif isinstance(new, list):
            known.values[key] = [*(old or []), *new]
        else:
            known.values[key] = f"{old} {new}" if old else new
        known.places.setdefault(key, item.at(key))

    def _override(self, kind: str, name: str, known: Entry | None, item: Item, override: Any) -> None:
        if known is None:
            self._missing(kind, name, item)
            return
        if not isinstance(override, dict) or not override:
            self.error("override", item.at("override"), "'override' names keys, each with append or replace.")
            return
        for key, how in override.items():
            allowed = {"append": APPENDABLE, "replace": REPLACEABLE}.get(str(how), {}).get(kind, ())
            if key not in allowed:
                self.error(
                    "override", item.at("override"), f"{key!r} of a {kind} cannot be overridden with {how!r}."
                )
            elif key not in item.values:
                self.error(
                    "override", item.place, f"'override' names {key!r}, but the entry does not have it."
                )
            elif how == "append":
                self._join(known, key, item)
            else:
                known.values[key] = item.values[key]
                known.places[key] = item.at(key)
        extra = set(item.values) - set(override) - {kind, "override"}
        if extra:
            self.error("override", item.place, f"Not named under 'override': {', '.join(sorted(extra))}.")
        known.changed = self.count

    def engine_version(self, item: Item) -> None:
        """required_engine_version: a number (N means 0.N.0) or a version."""
        text = str(item.values["required_engine_version"])
        parts = text.split(".")
        if not all(p.isdigit() for p in parts) or len(parts) not in (1, 3):
            self.error(
                "engine_version", item.at("required_engine_version"), f"{text!r} is no engine version."
            )
            return
        wanted = (0, int(text), 0) if len(parts) == 1 else tuple(map(int, parts))
        if wanted > ENGINE_VERSION:
            self.error(
                "engine_version",
                item.at("required_engine_version"),
                f"The file needs engine version {text}; this is {'.'.join(map(str, ENGINE_VERSION))}.",
            )

    def plugin_versions(self, item: Item) -> None:
        """required_plugin_versions: nothing of ours is a plugin, so it is only checked for its form."""
        wanted = item.values["required_plugin_versions"]
        if not isinstance(wanted, list) or not all(
            isinstance(w, dict) and "name" in w and "version" in w for w in wanted
        ):
            self.error(
                "plugin_versions", item.at("required_plugin_versions"), "Each entry has a name and a version."
            )


def _join_exceptions(old: list[Any], new: list[Any]) -> list[Any]:
    joined = [dict(e) for e in old if isinstance(e, dict)]
    for exception in new:
        if not isinstance(exception, dict):
            continue
        known = next((e for e in joined if e.get("name") == exception.get("name")), None)
        if known is None:
            joined.append(dict(exception))
        else:
            known["values"] = [*(known.get("values") or []), *(exception.get("values") or [])]
    return joined


_HEADERS: dict[str, Callable[[Collected, Item], None]] = {
    "required_engine_version": Collected.engine_version,
    "required_plugin_versions": Collected.plugin_versions,
}
