"""Acts of a project's own scripts within the project: milder for the kinds listed here, and for no others.

A project that people work on sets up its own git hooks when it is installed (husky, lefthook, simple-git-hooks,
pre-commit: all are called by its own ``prepare`` script). That is its author's wish, written in its own manifest, and
it changes nothing outside of it. The same act of a dependency's install script is nobody's wish. Never milder:
credentials, network, start-up places, settings of git that run programs of the caller's choice, and whatever a script
does that runs on other people's machines too.

| kind | act |
|---|---|
| ``git_hook`` | a file below the project's own ``.git/hooks`` was written |
| ``git_hook`` | git was told, for this repository alone, to take its hooks from a folder of the project |
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from package_hunter.findings.context import Context
from package_hunter.model.observation import Alert, Blame, Process

OWN_HOOKS = (
    "In its favour: the project's own script, which runs only where people work on the project, set up hooks in the "
    "project's own repository, and wrote none elsewhere."
)
_PATHS = ("fs.path.target", "fs.path.name", "fs.path.source", "fd.name")


def is_own_hook(alert: Alert, process: Process | None, context: Context) -> bool:
    """Whether an alert about git's hooks is such an act of the project itself."""
    if not context.project or not _is_projects_own(alert.blame, context):
        return False
    if alert.event_type.startswith(("exec", "spawn")):
        line = str(alert.output_fields.get("proc.cmdline") or "")
        return process is not None and _sets_own_folder(line.split(), process.cwd, context.project)
    hooks = f"{context.project}/.git/hooks/"
    named = [str(alert.output_fields[name]) for name in _PATHS if alert.output_fields.get(name)]
    written = [path for path in named if "/.git/" in path]
    return bool(written) and all(posixpath.normpath(path).startswith(hooks) for path in written)


def _is_projects_own(blame: Blame | None, context: Context) -> bool:
    return (
        blame is not None
        and blame.package is None
        and blame.phase == "install"
        and blame.confidence == "certain"
        and blame.script in context.own_scripts
    )


def _sets_own_folder(words: Sequence[str], cwd: str, project: str) -> bool:
    """``git config [--local] core.hooksPath FOLDER``, in the project, with a folder of it."""
    given = [word for word in words[1:] if word != "--local"]
    if len(given) != 3 or given[0] != "config" or given[1].lower() != "core.hookspath":
        return False
    here = posixpath.normpath(cwd or "/")
    folder = posixpath.normpath(posixpath.join(project, given[2]))
    inside = here == project or here.startswith(f"{project}/")
    return inside and folder.startswith(f"{project}/") and not given[2].startswith(("-", "~"))
