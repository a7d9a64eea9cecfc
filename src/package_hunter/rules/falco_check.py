"""What Falco 0.43 refuses although it loads here, for `rules check --for falco`.

Our own loading is the first half of the answer: what it refuses is an error either way. This is the other half:
the conditions as Falco makes them of lists and exceptions, its stricter syntax, its values, and its plugins.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping

from package_hunter.rules.collect import Entry, EntryCollection
from package_hunter.rules.document import Place
from package_hunter.rules.falco_syntax import FalcoRefuses, Reading, read_condition
from package_hunter.rules.falco_text import FalcoLists, TooLarge, with_exceptions, without_comps
from package_hunter.rules.falco_values import check_comparison, check_output
from package_hunter.rules.keys import PluginVersion, version
from package_hunter.rules.model import Problem

PLUGINS = {"container": (0, 6, 4)}  # what Falco 0.43's packages load
REFUSED = "falco_refuses"
_BARE_LIST = re.compile(r"\b(in|intersects|pmatch)\s+([A-Za-z][A-Za-z0-9_]*)\b")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def falco_problems(got: EntryCollection, rules: Mapping[str, str], macros: set[str]) -> Iterator[Problem]:
    """Errors with the code ``falco_refuses``, of those ``rules`` (name to output) and ``macros`` that loaded here:
    the others have their errors already, or are left out."""
    yield from _plugins(got.plugins)
    try:
        lists = FalcoLists(got.lists)
    except TooLarge:
        place = next(iter(got.lists.values())).place
        yield _refused(place, "The lists name one another until they are too large for Falco.", "")
        return
    readings: dict[str, Reading] = {}
    for name in (n for n in got.macros if n in macros):
        try:
            readings[name] = _read(got.macros[name], lists, got.macros)
        except FalcoRefuses as error:
            yield _of_entry(got.macros[name], error)
        else:
            if (unknown := _unknown(readings[name], got)) is not None:
                yield _of_entry(got.macros[name], unknown)
    yield from _rules(got, rules, lists, readings)


def _unknown(reading: Reading, got: EntryCollection) -> FalcoRefuses | None:
    """Where a list stands in a macro's place: Falco takes the list's items for names of macros."""
    for name, at in reading.macros:
        if name not in got.macros:
            return FalcoRefuses(
                f"Falco, which puts lists in first, reads a macro {name!r} that does not exist", at
            )
    return None


def _rules(
    got: EntryCollection, outputs: Mapping[str, str], lists: FalcoLists, macros: Mapping[str, Reading]
) -> Iterator[Problem]:
    told: set[str] = set()
    for entry in (e for n, e in got.rules.items() if n in outputs):
        try:
            reading = _read(entry, lists, got.macros)
            _check(reading)
            if (unknown := _unknown(reading, got)) is not None:
                raise unknown
            check_output(outputs[entry.name])
        except FalcoRefuses as error:
            yield _of_entry(entry, error)
            continue
        for macro in sorted(_needed(reading, macros) - told):
            told.add(macro)
            try:
                _check(macros[macro])
            except FalcoRefuses as error:
                message = f"the macro {macro!r}, which it needs: {error.message}"
                yield _of_entry(entry, FalcoRefuses(message))


def _needed(reading: Reading, macros: Mapping[str, Reading]) -> set[str]:
    found: set[str] = set()
    todo = [name for name, _ in reading.macros]
    while todo:
        name = todo.pop()
        if name not in found and name in macros:
            found.add(name)
            todo += [inner for inner, _ in macros[name].macros]
    return found


def _read(entry: Entry, lists: FalcoLists, macros: Container[str]) -> Reading:
    condition = str(entry.values["condition"])
    bare = without_comps(entry)
    if bare:
        raise FalcoRefuses(f"Falco 0.43 takes the exception {bare[0]!r} in an override only with comps")
    if entry.kind == "rule":
        condition = with_exceptions(condition, entry.values.get("exceptions") or [])
    try:
        whole = lists.put_into(condition)
    except TooLarge:
        raise FalcoRefuses("the condition with its lists is too large for Falco") from None
    try:
        return read_condition(whole)
    except FalcoRefuses as error:
        raise FalcoRefuses(_of_lists(condition, lists, macros) + error.message, error.at) from None


def _of_lists(condition: str, lists: FalcoLists, macros: Container[str]) -> str:
    """The name of a list that is the likely reason why a condition cannot be read; "" where there is none."""
    bare = ((op, name) for op, name in _BARE_LIST.findall(condition) if name in lists.order)
    if (found := next(bare, None)) is not None:
        return f"`{' '.join(found)}` lacks brackets, in which a list stands; "
    both = (name for name in _NAME.findall(condition) if name in lists.order and name in macros)
    if (name := next(both, None)) is not None:
        return f"{name!r} is a list and a macro, and Falco puts the list in the macro's place; "
    return ""


def _check(reading: Reading) -> None:
    for comparison in reading.comparisons:
        check_comparison(comparison)


def _of_entry(entry: Entry, error: FalcoRefuses) -> Problem:
    place = entry.places.get("condition", entry.place)
    return _refused(place, f"The {entry.kind} {entry.name!r}: {error.message}.", entry.name)


def _plugins(wanted: list[tuple[Place, list[PluginVersion]]]) -> Iterator[Problem]:
    for place, choices in wanted:
        known = [(name, least) for name, least in choices if name in PLUGINS]
        if not known:
            names = " or ".join(name for name, _ in choices)
            yield _refused(place, f"Falco 0.43 loads no plugin {names} unless it is told to.", choices[0][0])
            continue
        name, least = known[0]
        asked, there = version(least), PLUGINS[name]
        if asked is None or asked[0] != there[0] or asked > there:
            have = ".".join(map(str, there))
            yield _refused(
                place, f"The plugin {name} is needed as {least}; Falco 0.43 comes with {have}.", name
            )


def _refused(place: Place, message: str, text: str) -> Problem:
    advice = "Write it as Falco 0.43 takes it; docs/rules.md, Rules for Falco too, shows the forms."
    return Problem("error", REFUSED, place, message, advice, text or message)
