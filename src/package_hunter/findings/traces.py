"""Whether a package removed its own traces: what came in its archive and says what runs at install is gone.

A file that the run itself made is no trace, and a build writes, sets modes and tidies up. So only these count: the
deletion of a script that install scripts run; a script that was overwritten or deleted by the very process that runs it
(or one below it), or, where install scripts name it, after it had run and before nobody ran it again; and a manifest
that lost its scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from package_hunter.findings.context import Context
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.observation import FileChange
from package_hunter.model.scan import Package

_REMOVES = ("deleted", "renamed")
_REPLACES = ("created", "written", *_REMOVES)
_MAX_WORDS = 200  # of a command line
_SEPARATORS = re.compile(r"&&|\|\||[;|&\n]")
_INTERPRETERS = re.compile(
    r"(node|nodejs|bun|deno|ts-node|tsx|python[\d.]*|ruby|perl|php|sh|bash|dash|zsh|env|npx|exec)"
)
_ENDINGS = ("", ".js", ".cjs", ".mjs", "/index.js", "/index.cjs", "/index.mjs")
_REDIRECT = re.compile(r"\d*(>>?|<)&?.*")


@derived
def script_manifests(known: tuple[Facts, ...]) -> frozenset[str]:
    """The files of installed packages that say which scripts run."""
    return frozenset(one.script_manifest for one in known if one.script_manifest)


def removes_traces(change: FileChange, owner: Package, context: Context) -> bool:
    """Whether this change of a file in the package's folder, by its own run, takes a trace away."""
    inner = inside(change.path, owner)
    if inner in script_manifests():
        return change.action in _REPLACES and lost_scripts(change, owner, context)
    if change.action not in ("written", *_REMOVES) or made_by_itself(change.path, owner, context):
        return False
    declared = any(inner in scripts_of(command) for command in owner.scripts.values())
    if declared and change.action in _REMOVES:
        return True
    return context.runs_itself(change) or (declared and context.ran_before_only(change))


def inside(path: str, owner: Package) -> str:
    """A path relative to the package's folder, whichever copy of it that is; as it stands where it lies elsewhere."""
    folders = owner.places or ((owner.path,) if owner.path else ())
    found = (path.removeprefix(f"{f.rstrip('/')}/") for f in folders if path.startswith(f"{f.rstrip('/')}/"))
    return next(found, path)


def lost_scripts(change: FileChange, owner: Package, context: Context) -> bool:
    """Whether the manifest has no longer the scripts that it came with. Where nobody looked at the end (a replay),
    only a manifest that was taken away is known to be without."""
    if context.scriptless is None:
        return change.action in _REMOVES
    return owner.purl in context.scriptless


def made_by_itself(path: str, owner: Package, context: Context) -> bool:
    """Whether the package's own run made the file: it did not come in the archive."""
    made = context.created.get(path)
    if made is None:
        return False
    blame = context.blame_of(made.process, made.time_ns)
    return blame is not None and blame.package == owner.purl and blame.phase != "fetch"


def scripts_of(command: str) -> frozenset[str]:
    """The files, relative to the package, that a command line of a manifest may run."""
    found: set[str] = set()
    for part in _SEPARATORS.split(command[:10_000]):
        words = [word.strip("'\"") for word in part.split()[:_MAX_WORDS]]
        found.update(f"{name}{ending}" for name in _run_by(words) for ending in _ENDINGS)
    return frozenset(found)


def _run_by(words: list[str]) -> Iterator[str]:
    """Of one command: the program itself, and what an interpreter is given."""
    while words and "=" in words[0]:
        words = words[1:]
    if not words:
        return
    names = words[:1]
    if _INTERPRETERS.fullmatch(PurePosixPath(words[0]).name):
        names = [word for word in words[1:] if not word.startswith("-")]
        names = names[: next((i for i, word in enumerate(names) if _REDIRECT.fullmatch(word)), len(names))]
    for name in names:
        inner = PurePosixPath(name).as_posix()
        if not inner.startswith(("/", "..")):
            yield inner
