"""Untrusted YAML as texts, lists and maps: bounded in size and depth, tags ignored. An alias is the very
object that it names, so it costs nothing (and may make a circle: look, do not walk).

PyYAML's own composers recurse: deep nesting ends the C one in a crash of the whole process. Its event parser
does not, so the values are put together here.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_BYTES = 32 << 20
_MAX_DEPTH = 64
_MAX_NODES = 4_000_000
_PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def load_text(text: str) -> Any:
    """The first document: ``str``, ``list`` or ``dict`` (keys ``str``; other keys are left out with their
    values). ``None`` where it is no sound YAML, or too much of it."""
    if len(text) > MAX_BYTES:
        return None
    build = _Build()
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            if not build.take(event):
                return None
            if isinstance(event, yaml.DocumentEndEvent):
                break
    except (yaml.YAMLError, ValueError):
        return None
    return build.root


class _Build:
    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[Any] = []
        self._keys: list[Any] = []  # for each open map the key that waits for its value, else _NONE
        self._anchors: dict[str, Any] = {}
        self._nodes = 0

    def take(self, event: Any) -> bool:
        """False where the text is refused."""
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            return False
        if isinstance(event, yaml.AliasEvent):
            self._put(self._anchors.get(event.anchor or ""))
        elif isinstance(event, yaml.ScalarEvent):
            self._name(event.anchor, event.value)
            self._put(event.value)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            fresh: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._name(event.anchor, fresh)
            self._put(fresh)
            self._open.append(fresh)
            self._keys.append(_NONE)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()
            self._keys.pop()
        return len(self._open) <= _MAX_DEPTH

    def _name(self, anchor: str | None, value: Any) -> None:
        if anchor is not None:
            self._anchors[anchor] = value

    def _put(self, value: Any) -> None:
        if not self._open:
            self.root = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        elif self._keys[-1] is _NONE:
            self._keys[-1] = value
        else:
            key, self._keys[-1] = self._keys[-1], _NONE
            if isinstance(key, str):
                self._open[-1][key] = value


_NONE = object()
