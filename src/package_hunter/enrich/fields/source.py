"""Where the rules get field values from: ``Fields().extractor(name, arg)`` gives a function of an Ev."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from package_hunter.enrich.fields import evt as fields_evt
from package_hunter.enrich.fields import fd as fields_fd
from package_hunter.enrich.fields import proc as fields_proc
from package_hunter.enrich.fields.inline import absent, inline, shape
from package_hunter.model.fields import Extract, FieldSource, Inline, field_catalogue
from package_hunter.model.table import ContainerInfo

HOST = ContainerInfo("host", "host", "", "", "host")


def _box(of: Callable[[ContainerInfo], Any]) -> Extract:
    """Of the container: the box, or the host for what runs in none."""

    def get(ev: Any) -> Any:
        return of(ev.state.container or HOST) or None

    return get


def _absent(ev: Any) -> Any:
    return None


_CONTAINER: dict[str, Extract] = {
    "container.id": _box(lambda c: c.id[:12]),
    "container.full_id": _box(lambda c: None if c is HOST else c.id),
    "container.name": _box(lambda c: c.name),
    "container.type": _box(lambda c: c.type),
    "container.image.repository": _box(lambda c: c.image_repository),
    "container.image.tag": _box(lambda c: c.image_tag if c.image_repository else None),
    "container.image": _box(lambda c: f"{c.image_repository}:{c.image_tag}" if c.image_repository else None),
}

PLAIN: dict[str, Extract] = {**fields_evt.PLAIN, **fields_proc.PLAIN, **fields_fd.PLAIN, **_CONTAINER}
WITH_ARG: dict[str, Callable[[str | None], Extract]] = {
    **fields_evt.WITH_ARG,
    **fields_proc.WITH_ARG,
    **fields_fd.WITH_ARG,
}


# What a box never has, known before any event: conditions that ask for it are decided when they are compiled
_ABSENT: dict[str, Any] = {
    name: None
    for name, spec in field_catalogue().items()
    if name.startswith(("container.", "k8s.")) and name not in PLAIN and spec.arg == "none"
}


class Fields(FieldSource):
    """The field source of events. ``constants`` are fields with one value on every event (None: absent)."""

    def __init__(self, constants: dict[str, Any] | None = None) -> None:
        self.constants = {**_ABSENT, **(constants or {})}

    def inline(self, name: str, arg: str | None, number: int) -> Inline | None:
        """The field as Python text for events of one type, where it is among those that are asked for most."""
        return None if name in self.constants else inline(name, arg, number)

    def absent(self, name: str, arg: str | None, number: int) -> bool:
        """Whether no event of this type has the field: another call's argument, a descriptor where there is none."""
        return str(name) not in self.constants and absent(name, arg, number)

    def shape(self, number: int) -> Hashable:
        """Event types of one shape have the same texts."""
        return shape(number)

    def extractor(self, name: str, arg: str | None = None) -> Extract:
        """The function that gives this field of an event; KeyError where there is no such field."""
        if name in self.constants:
            value = self.constants[name]
            return lambda ev: value
        make = WITH_ARG.get(name)
        if make is not None:
            return make(arg)
        plain = PLAIN.get(name)
        if plain is not None:
            return plain
        if name.startswith(("container.", "k8s.")) and name in field_catalogue():
            return _absent
        raise KeyError(name)
