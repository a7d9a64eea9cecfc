"""A rule file as YAML with a place for every value. BoundedReader: size, depth and number of nodes are checked
before anything is built, so that no file (aliases within aliases included) costs more than it should."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from package_hunter import given

MAX_FILE_BYTES = 8 << 20
MAX_NODES = 500_000
MAX_DEPTH = 50
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Place:
    """Where something stands: 1-based line and column."""

    file: str
    line: int
    column: int
    raw: str = field(default="", compare=False, repr=False)  # a scalar as the file has it

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def inside(self, text: str, offset: int) -> Place:
        """The place of a character of a scalar's value: folding changes blanks only."""
        before = len("".join(text[:offset].split()))
        raw = self.raw
        at = raw.find("\n") + 1 if raw[:1] in (">", "|") else raw[:1] in ("'", '"')
        while at < len(raw) and (before or raw[at].isspace()):
            before -= not raw[at].isspace()
            at += 1
        if at >= len(raw):
            return self
        line = raw.count("\n", 0, at)
        start = raw.rfind("\n", 0, at)
        return Place(self.file, self.line + line, at - start if line else self.column + at)


class DocumentError(ValueError):
    """The file is no YAML that a rule file may be: a sentence and a place."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message, self.place = message, place


@dataclass
class Item:
    """A top-level entry: its keys with values and places. Of a key given twice the first counts."""

    values: dict[str, Any]
    places: dict[str, Place]
    place: Place

    def at(self, key: str) -> Place:
        """The place of a key's value; the item's own where it has none."""
        return self.places.get(key, self.place)


def read_items(text: str, name: str, typed: bool = False) -> list[Item]:
    """The top-level entries of all documents of a rule file; empty documents and entries are passed over.

    Scalars are texts as the file has them (an item ``yes`` of a list is the word, as in Falco); with ``typed``
    (test files) ``true`` and its like are bools. DocumentError where a document is not a list of mappings.
    """
    start = Place(name, 1, 1)
    if len(text) > MAX_FILE_BYTES:
        raise DocumentError(f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.", start)
    reader = _Reader(name, text, typed)
    return [reader.item(node) for root in _documents(text, start) for node in _entries(root, name)]


def _documents(text: str, start: Place) -> list[yaml.Node]:
    try:
        _check_size(text, start)
        return [root for root in yaml.compose_all(text, Loader=_Loader) if not _is_null(root)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(start.file, mark.line + 1, mark.column + 1) if mark else start
        raise DocumentError(f"This is no valid YAML: {error.problem or error.context}.", place) from None
    except yaml.YAMLError as error:
        raise DocumentError(f"This is no valid YAML: {error}.", start) from None


def _entries(root: yaml.Node, name: str) -> list[yaml.Node]:
    if not isinstance(root, yaml.SequenceNode):
        raise DocumentError("A rule file is a list of rules, macros and lists.", _place(root, name))
    return [node for node in root.value if not _is_null(node)]


def _is_null(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))


def _check_size(text: str, start: Place) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or count > MAX_NODES:
            mark = event.start_mark
            line = mark.line + 1 if mark else 1
            raise DocumentError("The file is nested too deeply or too large.", Place(start.file, line, 1))


def _place(node: yaml.Node, name: str) -> Place:
    return Place(name, node.start_mark.line + 1, node.start_mark.column + 1)


class _Reader:
    def __init__(self, name: str, text: str, typed: bool) -> None:
        self.name, self.text, self.typed = name, text, typed
        self.built = 0

    def place(self, node: yaml.Node) -> Place:
        place = _place(node, self.name)
        if not isinstance(node, yaml.ScalarNode):
            return place
        return replace(place, raw=self.text[node.start_mark.index : node.end_mark.index])

    def item(self, node: yaml.Node) -> Item:
        if not isinstance(node, yaml.MappingNode):
            raise DocumentError("Each entry is a mapping such as '- rule: name'.", _place(node, self.name))
        values: dict[str, Any] = {}
        places: dict[str, Place] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise DocumentError("A key of an entry is a single word.", _place(key, self.name))
            named = str(key.value)
            if named not in values:
                values[named] = self.value(value)
                places[named] = self.place(value)
        return Item(values, places, _place(node, self.name))

    def value(self, node: yaml.Node) -> Any:
        self.built += 1
        if self.built > MAX_NODES:
            raise DocumentError("The file grows too large through its aliases.", _place(node, self.name))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(n) for n in node.value]
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for key, value in node.value:
                found.setdefault(str(key.value), self.value(value))
            return found
        if self.typed and node.tag.endswith(":bool"):
            return node.value.lower() in ("true", "yes", "on", "y")
        if node.tag.endswith(":null"):
            return None
        return str(node.value)


def read_file(path: Path) -> str:
    """The text of a rule file, bounded."""
    return given.read(path, MAX_FILE_BYTES + 1).decode("utf-8", "replace")
