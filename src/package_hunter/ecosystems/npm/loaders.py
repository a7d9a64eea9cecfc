"""What lets foreign code run while a manager of npm's world fetches, its lifecycle scripts switched off.

Where there is none of it, the fetch is closed: what the manager asks for is the tree (``Plan.fetches_alone``). Each
of these was tried: pnpm's hooks and plugins, programs that settings name, another Node or another manager that
a manifest asks for, yarn's own copies and plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from package_hunter.ecosystems.tree import BoxTree, as_map, as_text
from package_hunter.ecosystems.yamltext import load_text

_MAX = 1 << 20
# Settings that name a program, or what a program loads: npm's, pnpm's and yarn's, dashes and capitals aside.
_PROGRAMS = frozenset((
    "git", "shell", "scriptshell", "nodeoptions", "nodegyp", "editor", "viewer", "pnpmfile", "globalpnpmfile",
    "configdependencies", "usenodeversion", "nodeversion", "nodemirror", "nodedownloadmirrors", "executionenv",
    "runtime", "yarnpath", "plugins", "npmpath", "onloadscript",
))  # fmt: skip
_HOOKS = frozenset((".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js", "pnpmfile.cjs", "pnpmfile.mjs"))
_MANAGER = re.compile(r"(?:npm|pnpm|yarn|bun)@[0-9][0-9A-Za-z.+-]{0,200}")


def found(
    tree: BoxTree, project: str, manifest: Mapping[str, Any], members: Iterable[str], manager: str
) -> tuple[str, ...]:
    """What of it there is, in words; none where the fetch is closed. ``members``: further folders (paths in the box)
    whose settings may count; ``manager``: ``npm``, ``yarn``, ``pnpm``."""
    return tuple(dict.fromkeys(_all(tree, project, manifest, members, manager)))[:20]


def _all(
    tree: BoxTree, project: str, manifest: Mapping[str, Any], members: Iterable[str], manager: str
) -> Iterator[str]:
    asked = manifest.get("packageManager")
    if asked is not None and not _MANAGER.fullmatch(as_text(asked, 300)):
        yield "packageManager of package.json"  # an address, perhaps: corepack would run what lies there
    for folder in (project, *members):
        yield from _in_settings(tree, folder, folder.removeprefix(f"{project}/") if folder != project else "")
    if manager == "pnpm":
        yield from (name for name in tree.names(project) if name in _HOOKS)
        settings = (manifest.get("pnpm"), manifest.get("devEngines"), manifest)
        if any(_names_a_program(as_map(part)) for part in settings):
            yield "pnpm's settings in package.json"
        text = (tree.read(f"{project}/pnpm-workspace.yaml", _MAX) or b"").decode("utf-8", "replace")
        if _yaml_names_a_program(text):
            yield "pnpm-workspace.yaml"


def _in_settings(tree: BoxTree, folder: str, shown: str) -> Iterator[str]:
    for name in (".npmrc", ".yarnrc", ".yarnrc.yml"):
        raw = tree.read(f"{folder}/{name}", _MAX)
        text = (raw or b"").decode("utf-8", "replace")
        unread = raw is None and tree.kind(f"{folder}/{name}") != ""  # a link, or too long to be read
        if unread or (_yaml_names_a_program(text) if name.endswith(".yml") else _line_names_a_program(text)):
            yield f"{shown}/{name}".lstrip("/")


def _line_names_a_program(text: str) -> bool:
    """Whether a line sets one. Quoted keys may hold escapes, so one with a backslash is taken for one, too."""
    for line in text.replace("\r", "\n").split("\n"):
        words = line.strip()
        if not words or words[0] in "#;":
            continue
        keys = {words.partition("=")[0], words.split()[0]}  # npm's way, and yarn's
        if any(_plain(key) in _PROGRAMS or ("\\" in key and key[0] in "\"'") for key in keys):
            return True
    return False


def _yaml_names_a_program(text: str) -> bool:
    found = load_text(text)
    return _names_a_program(as_map(found)) or (not isinstance(found, dict) and bool(text.strip()))


def _names_a_program(settings: Mapping[str, Any]) -> bool:
    return any(_plain(str(key)) in _PROGRAMS for key in settings)


def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.removeprefix("--").rpartition(".")[2].lower())
