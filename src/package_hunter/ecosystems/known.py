"""The ecosystems that there are: the one list that names their folders.

Whoever imports this has said so to every stage (``model.ecosystem``), in the order of the list, which is the order
in which a project's manifests are looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from package_hunter.ecosystems.interface import Ecosystem
from package_hunter.ecosystems.npm.interface import NpmEcosystem
from package_hunter.ecosystems.python.interface import PythonEcosystem
from package_hunter.ecosystems.ruby.interface import RubyEcosystem
from package_hunter.model import ecosystem as model

ECOSYSTEMS: tuple[type[Ecosystem], ...] = (NpmEcosystem, PythonEcosystem, RubyEcosystem)

GATEWAY = "package_hunter.ecosystems.gateway"  # the program of a scan's gateway


class IncompleteEcosystemError(TypeError):
    """A folder leaves out parts that every ecosystem has: a fault of this program."""


_known: tuple[Ecosystem, ...] = ()


def use(kinds: Iterable[type[Ecosystem]] = ECOSYSTEMS) -> None:
    """Say which ecosystems there are; the last word counts. Raises IncompleteEcosystemError, which names what is
    left out of their interfaces (``missing`` looks further), and each name that two of them claim."""
    global _known
    every = tuple(kinds)
    lacking = [text for kind in every for text in _sentences(kind)] or list(_claimed_twice(every))
    if lacking:
        raise IncompleteEcosystemError("\n".join(lacking))
    _known = tuple(kind() for kind in every)
    model.use(one.facts for one in _known)


def ecosystems() -> tuple[Ecosystem, ...]:
    """The ecosystems, in the order in which they are looked for."""
    return _known


def missing(kind: type[Ecosystem]) -> list[str]:
    """A sentence for each part that this ecosystem leaves out; none where it is whole. Opens every door but that of
    the gateway."""
    found = _sentences(kind)
    if not found:
        for door in ("planning", "host"):
            try:
                getattr(kind(), door)()
            except TypeError as error:  # Python's own words name what is abstract
                found.append(f"The ecosystem of {_folder(kind)} has no whole {door}: {error}.")
    return found


def _claimed_twice(every: Iterable[type[Ecosystem]]) -> Iterator[str]:
    whose: dict[str, type[Ecosystem]] = {}
    for kind in every:
        for name in (kind.facts.name, kind.facts.purl_type, *kind.facts.managers):
            if whose.setdefault(name, kind) is not kind:
                yield f"The ecosystem of {_folder(kind)} claims the name “{name}”, which {_folder(whose[name])} has."


def _sentences(kind: type[Ecosystem]) -> list[str]:
    return [f"The ecosystem of {_folder(kind)} has no {text}." for text in _missing(kind)]


def _folder(kind: type[Ecosystem]) -> str:
    return kind.__module__.rpartition(".")[0]


def _missing(kind: type[Ecosystem]) -> Iterator[str]:
    facts = getattr(kind, "facts", None)
    if facts is None:
        yield "facts: set `facts` to its model.ecosystem.Facts"
    for name in sorted(getattr(kind, "__abstractmethods__", ())):
        yield f"{name}: write {kind.__name__}.{name}"
    if facts is None:
        return
    for name in ("manifests", "pins", "gitlab"):
        if not getattr(facts, name):
            yield f"{name}: give `{name}` in its facts"
    if facts.built_in:  # it has a registry
        for name in ("host", "front"):
            if getattr(kind, name) is getattr(Ecosystem, name):
                yield f"{name}, though its facts name a registry: write {kind.__name__}.{name}"


use()
