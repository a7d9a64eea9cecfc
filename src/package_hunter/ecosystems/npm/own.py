"""Which dependencies are parts of the project itself (folders of it, members of its workspaces), and which lie outside
of what was given to scan."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from package_hunter.ecosystems.npm.manifest import dependencies

_BY_PATH = ("file:", "link:", "portal:")
_ARCHIVES = (".tgz", ".tar.gz", ".tar")


def by_path(manifest: Mapping[str, Any], folder: str) -> dict[str, str]:
    """Name -> the folder in the box that a manifest in ``folder`` asks for by its path."""
    found = {}
    for name, spec in dependencies(manifest).items():
        path = next((spec[len(word) :] for word in _BY_PATH if spec.startswith(word)), None)
        if path is None and spec.startswith(("./", "../", "/")):
            path = spec
        if path is not None and not path.endswith(_ARCHIVES):
            found[name] = posixpath.normpath(posixpath.join(folder, path))
    return found


def parts(
    manifest: Mapping[str, Any], others: Iterable[Mapping[str, Any]], project: str, root: str
) -> frozenset[str]:
    """Names of what is a part of ``root``, the folder that was given: asked for by a path in it, or as a member of the
    project's workspace. ``others`` are the members' manifests."""
    here = {name for name, path in by_path(manifest, project).items() if _inside(path, root)}
    members = {
        name
        for one in (manifest, *others)
        for name, spec in dependencies(one).items()
        if spec.startswith("workspace:")
    }
    return frozenset(here | members)


def outside(manifest: Mapping[str, Any], project: str, root: str) -> dict[str, str]:
    """Name -> path as the manifest has it, of what lies outside of ``root``, the folder that was given."""
    wanted = dependencies(manifest)
    return {
        name: wanted[name] for name, path in by_path(manifest, project).items() if not _inside(path, root)
    }


def beside(manifest: Mapping[str, Any], project: str, root: str) -> frozenset[str]:
    """Names of what lies beside the project in the folder that was given: targets of their own."""
    return frozenset(
        name
        for name, path in by_path(manifest, project).items()
        if _inside(path, root) and not _inside(path, project)
    )


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
