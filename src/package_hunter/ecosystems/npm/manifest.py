"""package.json: which lifecycle scripts run at install, and how a package is loaded. All of it is
untrusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from package_hunter.ecosystems.tree import BoxTree, as_map, as_text, as_text_map

DEPENDENCY_EVENTS = ("preinstall", "install", "postinstall")
LINK_EVENTS = ("preinstall", "prepare", "install", "postinstall")
ROOT_EVENTS = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
OWN_EVENTS = (
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
)  # never run where others install the package
GYP_REBUILD = "node-gyp rebuild"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9@._-]{1,100}")
_ELSEWHERE = re.compile(
    r"(?:git|github|gitlab|bitbucket|gist|https?|ssh|file|link|portal)(?:\+\w+)?:|[./]|~/|[\w.-]+@[\w.-]+:"
    r"|[\w.-]+/[\w.-]+(?:#|$)"
)
_MAX_CONDITIONS = 32  # conditions in conditions of ``exports``
KINDS_OF_DEPENDENCY = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def lost(known: Mapping[str, str], tree: BoxTree, folder: str) -> bool:
    """Whether the manifest in ``folder`` has no longer the scripts that are ``known`` of it (what a binding.gyp
    implies never stood in it)."""
    own = {event: text for event, text in known.items() if text != GYP_REBUILD}
    now = as_text_map(tree.read_json(f"{folder}/package.json").get("scripts")) if own else {}
    return any(now.get(event) != text for event, text in own.items())


def scripts(manifest: Mapping[str, Any], has_gyp: bool, events: tuple[str, ...]) -> dict[str, str]:
    """Event -> command line, in npm's order, of the scripts that an install runs. ``has_gyp``: a binding.gyp
    lies beside it, which npm builds where neither install nor preinstall is given."""
    given = {key: text for key, text in as_text_map(manifest.get("scripts")).items() if text}
    found = {event: given[event] for event in events if event in given}
    if (
        has_gyp
        and "install" not in given
        and "preinstall" not in given
        and manifest.get("gypfile") is not False
    ):
        found["install"] = GYP_REBUILD
    return {event: found[event] for event in events if event in found}


def own_scripts(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The scripts that run nowhere but where people work on the project: all of a project that cannot be published."""
    named = as_text(manifest.get("name"), 214) and as_text(manifest.get("version"), 214)
    return OWN_EVENTS if named and manifest.get("private") is not True else ROOT_EVENTS


def dependencies(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name -> wanted version or address, of every kind of dependency that the project itself asks for."""
    wanted: dict[str, str] = {}
    for kind in reversed(KINDS_OF_DEPENDENCY):
        wanted.update(as_text_map(manifest.get(kind)))
    optional_peers = as_map(manifest.get("peerDependenciesMeta"))
    for name, meta in optional_peers.items():
        elsewhere = any(name in as_map(manifest.get(kind)) for kind in KINDS_OF_DEPENDENCY[:3])
        if as_map(meta).get("optional") is True and not elsewhere:
            wanted.pop(name, None)
    return wanted


def folder_name(location: str) -> str:
    """The name under which what lies there is asked for; "" of a folder of the project."""
    return location.rpartition("node_modules/")[2] if "node_modules/" in location else ""


def from_elsewhere(spec: str) -> bool:
    """Whether no registry has what is asked for so: a repository (``owner/name`` too), an address, a folder."""
    return _ELSEWHERE.match(spec.strip()) is not None


def loader(tree: BoxTree, folder: str, manifest: Mapping[str, Any]) -> str | None:
    """``require`` or ``import``, as the package is made to be loaded; None where it holds nothing to load
    (types, commands or styles only)."""
    exports = manifest.get("exports")
    if exports is not None:
        top = _top_condition(exports)
        if top is None:
            return None
        return "import" if _only_import(top) or manifest.get("type") == "module" else "require"
    hit = main_file(tree, folder, manifest)
    if hit is None:
        return None
    return "import" if hit.endswith(".mjs") or manifest.get("type") == "module" else "require"


def main_file(tree: BoxTree, folder: str, manifest: Mapping[str, Any]) -> str | None:
    """The file that node takes for a package without ``exports``, below its folder; None where there is none."""
    main = as_text(manifest.get("main"), 4096).removeprefix("./") or "index.js"
    candidates = (
        main,
        f"{main}.js",
        f"{main}.json",
        f"{main}.node",
        f"{main}/index.js",
        "index.js",
        "index.json",
    )
    plain = [name for name in candidates if ".." not in name.split("/")]
    return next((name for name in plain if tree.kind(f"{folder}/{name}") == "file"), None)


def missing_export(tree: BoxTree, folder: str, manifest: Mapping[str, Any]) -> str | None:
    """The file that node would take for the package itself by its ``exports``, where none of those that stand there
    is in its folder; None where one is."""
    files = [name for name in targets(_top_condition(manifest.get("exports"))) if ".." not in name.split("/")]
    if any(tree.kind(f"{folder}/{name.removeprefix('./')}") == "file" for name in files):
        return None
    return files[0] if files else "a file"


def targets(target: object, depth: int = 0) -> Iterator[str]:
    """Every file that conditions lead to, but for declarations of types."""
    if depth > _MAX_CONDITIONS:
        return
    if isinstance(target, str):
        yield target
    elif isinstance(target, list):
        for item in target:
            yield from targets(item, depth + 1)
    elif isinstance(target, dict):
        for key, value in target.items():
            if key != "types":
                yield from targets(value, depth + 1)


def has_twin(manifest: Mapping[str, Any]) -> bool:
    """Whether ``import`` gets another file than ``require``: two bodies of code under one name."""
    top = _top_condition(manifest.get("exports"))
    return (
        isinstance(top, dict)
        and "import" in top
        and top.get("import") != top.get("require", top.get("default"))
    )


def commands(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the commands that a package puts into node_modules/.bin."""
    bins = manifest.get("bin")
    if isinstance(bins, str):
        return [as_text(manifest.get("name"), 214).rsplit("/", 1)[-1]]
    return [name for name in as_text_map(bins) if _PLAIN_NAME.fullmatch(name)]


def command_files(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name of each command -> its file in the package."""
    bins = manifest.get("bin")
    given = dict.fromkeys(commands(manifest), bins) if isinstance(bins, str) else as_text_map(bins)
    return {
        name: as_text(given[name], 4096).removeprefix("./")
        for name in commands(manifest)
        if given.get(name) and ".." not in as_text(given[name], 4096).split("/")
    }


def sub_modules(manifest: Mapping[str, Any]) -> list[str]:
    """What a package offers beside itself: the plain sub-paths of ``exports``, without patterns and data."""
    offered = [
        key[2:] for key in as_map(manifest.get("exports")) if isinstance(key, str) and key.startswith("./")
    ]
    return [
        path for path in offered if "*" not in path and path and not path.endswith((".json", ".css", ".d.ts"))
    ]


def _top_condition(exports: object) -> object | None:
    if isinstance(exports, dict) and any(str(key).startswith(".") for key in exports):
        return exports.get(".")
    return exports


def _only_import(target: object, depth: int = 0) -> bool:
    """Whether none of the conditions lets ``require`` in."""
    if depth > _MAX_CONDITIONS:
        return True
    if isinstance(target, str):
        return target.endswith(".mjs")
    if isinstance(target, list):
        return all(_only_import(item, depth + 1) for item in target)
    if isinstance(target, dict):
        usable = {key: value for key, value in target.items() if key not in ("import", "types", "browser")}
        return all(_only_import(value, depth + 1) for value in usable.values())
    return True
