"""A project, or a member of its workspaces, that is a package itself: it is loaded from its own folder, as one that
depends on it would load it. Where it is not, ``Unloadable`` says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from package_hunter.ecosystems.npm import manifest
from package_hunter.ecosystems.tree import BoxTree, as_text

_MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class OwnLoad:
    """How a package is loaded from its own folder: ``require`` or ``import`` (empty: it has commands only), and by
    which name. ``by_name``: its sub-modules are its name with their path."""

    how: str
    asked: str
    by_name: bool


@dataclass(frozen=True, slots=True)
class Unloadable:
    """Why a project itself is not loaded."""

    why: str


def is_package(tree: BoxTree, folder: str, found: Mapping[str, Any]) -> bool:
    """Whether what lies in a folder is a package: with a name and a version, not kept from every registry, and with
    something to load (perhaps after its build)."""
    if not _is_named(found) or found.get("private"):
        return False
    offers = any(found.get(key) for key in ("main", "exports", "module", "bin"))
    return offers or manifest.loader(tree, folder, found) is not None


def _is_named(found: Mapping[str, Any]) -> bool:
    return bool(as_text(found.get("name"), 214) and as_text(found.get("version"), 256))


def own_load(tree: BoxTree, folder: str, found: Mapping[str, Any]) -> OwnLoad | Unloadable:
    """How the package in ``folder`` is loaded, now that its own scripts may have built it."""
    if found.get("private"):
        return Unloadable("private, so an application or a part of one: to load it would be to start it")
    if not _is_named(found):
        return Unloadable("no name and version, so no package that anything could depend on")
    how = manifest.loader(tree, folder, found)
    if "exports" in found and how is not None:
        name = as_text(found.get("name"), 214)
        missing = manifest.missing_export(tree, folder, found)
        if missing is not None:
            return Unloadable(f"{missing[:200]}, which it exports, is not there: not built")
        return OwnLoad(how, name, True)
    if how is not None:
        main = manifest.main_file(tree, folder, found)
        return OwnLoad(how, f"./{main}", False)
    if manifest.commands(found):
        return OwnLoad("", "", False)
    main = as_text(found.get("main"), 4096)
    if main:
        return Unloadable(f"its main file {main[:200]} is not there: not built")
    return Unloadable("nothing in it can be loaded")


def sentences(unloaded: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """For each reason one sentence with all that were not loaded for it."""
    for why, names in unloaded.items():
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        yield f"Not loaded themselves: {', '.join(names[:_MAX_NAMED])}{more} ({why})."
