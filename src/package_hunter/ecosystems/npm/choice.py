"""Which package manager a project of npm's world uses: by what it says, and by its lock files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from package_hunter.ecosystems.base import NO_LOCK
from package_hunter.ecosystems.npm import bun_lock, lock, yarn_lock
from package_hunter.ecosystems.npm.listed import Pnpm, YarnBerry, YarnClassic
from package_hunter.ecosystems.npm.managers import ANEW, Bun, Manager, Npm
from package_hunter.ecosystems.tree import BoxTree, as_text, parse_object

_NPM_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
_LOCKS = {  # in the order in which they are looked for, where the project names no manager
    "npm": _NPM_LOCKS,
    "yarn": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock",),
}
_CONFLICT = re.compile(r"^(?:<{7} |={7}\r?$|>{7} )", re.M)
_MANAGER = re.compile(r"(npm|yarn|pnpm|bun)@(\d{1,3})?")


def manager(tree: BoxTree, project: str, manifest: Mapping[str, Any]) -> Manager:
    """The one that ``packageManager`` names, where its lock file lies there or nobody's does; else the one whose lock
    file does; npm without either."""
    asked = _MANAGER.match(as_text(manifest.get("packageManager"), 300))
    named, major = (asked[1], asked[2] or "") if asked else ("", "")
    texts = {name: held for name in _LOCKS if (held := _held(tree, project, name)) is not None}
    if named in texts:
        return _with_lock(named, manifest, texts[named], tree, project)
    if texts:
        name = next(iter(texts))
        return _with_lock(name, manifest, texts[name], tree, project)
    return _without_lock(tree, project, manifest, named, major)


def _held(tree: BoxTree, project: str, name: str) -> tuple[str, bytes] | None:
    """The name of the manager's lock file that lies there, and what is in it."""
    for file in _LOCKS[name]:
        data = tree.read(f"{project}/{file}", lock.MAX_LOCK_BYTES)
        if data is not None:
            return file, data
    return None


def _with_lock(
    name: str, manifest: Mapping[str, Any], held: tuple[str, bytes], tree: BoxTree, project: str
) -> Manager:
    file, raw = held
    text = raw.decode("utf-8-sig", "replace")
    if name == "yarn":
        return YarnBerry(manifest, text) if yarn_lock.is_berry(text) else YarnClassic(manifest, text)
    if name == "pnpm":
        return Pnpm(manifest, text)
    if name == "bun":
        return Bun(manifest, text, bun_lock.plain_manifests(tree, project, text))
    found = parse_object(raw)
    return Npm(manifest, found, () if found else (_unread(file, text),))


def _unread(file: str, text: str) -> str:
    """Why nothing of npm's lock file was taken: npm itself mends some of them, each time anew."""
    why = " (it holds the marks of an unsolved merge)" if _CONFLICT.search(text) else ""
    return f"{file} could not be read{why}. {ANEW}"


def _without_lock(
    tree: BoxTree, project: str, manifest: Mapping[str, Any], named: str, major: str
) -> Manager:
    if named == "pnpm" or (not named and tree.kind(f"{project}/pnpm-workspace.yaml") == "file"):
        return Pnpm(manifest, None)
    if named == "yarn":
        return YarnClassic(manifest, None) if major in ("", "0", "1") else YarnBerry(manifest, None)
    if tree.kind(f"{project}/bun.lockb"):
        note = "bun.lockb is bun's older, binary lock file and was not read. " + ANEW
        return Npm(manifest, {}, (note,))
    return Npm(manifest, {}, (NO_LOCK,))
