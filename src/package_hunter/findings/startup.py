"""Signals from the record of files: a place from which programs are started was changed, and no rule spoke of it.

Rules exempt programs (a package manager may write its settings), and a user's own rules may not speak of such places at
all. A change of one is told in any case, whoever's process made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from pathlib import PurePosixPath

from package_hunter.findings.catalog import kinds
from package_hunter.findings.context import Context
from package_hunter.findings.meaning import of_start
from package_hunter.findings.signals import Signal
from package_hunter.model.box import HOME
from package_hunter.model.observation import FileChange

_DONE = {"created": "written", "written": "written", "renamed": "put there", "deleted": "deleted"}
_TOLD = frozenset(["persistence", "git_hook", "system_change"])
_RECORD = "No rule spoke of it; it stands in the record of files."
# the user's and the system's own; what lies in a project or among packages is told by rules alone
_PLACES = re.compile(
    rf"{HOME}/\.(bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile|zlogin|xprofile|xinitrc"
    r"|pam_environment|npmrc|gitconfig|bash_completion)"
    rf"|{HOME}/\.config/(fish|systemd|autostart|environment\.d|pip|git)/.+"
    rf"|{HOME}/(\.local/share/systemd/.+|\.pip/.+|\.ssh/(authorized_keys|rc|config))"
    rf"|{HOME}/\.(claude|cursor|codex|gemini)/.+|{HOME}/\.claude\.json"
    r"|/etc/(cron[^/]*|systemd|init\.d|profile\.d|sudoers\.d)(/.+)?|/etc/(rc\.local|profile|bash\.bashrc|ld\.so\.preload)"
    r"|/var/spool/cron/.+"
)


def signals(context: Context, told: Sequence[Signal]) -> Iterator[Signal]:
    """One signal a file and package that none of the signals ``told`` is about."""
    known = {s.subject for s in told if s.kind in _TOLD}
    seen: set[tuple[str, str | None]] = set()
    for path, change in _last_places(context.observation.files, known):
        blame = context.blame_of(change.process, change.time_ns)
        if blame is None or path in known or (path, blame.package) in seen:
            continue
        seen.add((path, blame.package))
        process = context.processes.get(change.process)
        yield Signal(
            time_ns=change.time_ns,
            kind="persistence",
            weight=kinds()["persistence"].weight,
            subject=path,
            what=f"{process.cmdline[:200] if process else 'a process'}: {path} was {_DONE[change.action]}",
            blame=blame,
            process=change.process,
            data={"path": path, "action": change.action},
            facts=of_start(path, ()),
            explain=(_RECORD,),
        )


def _last_places(changes: Sequence[FileChange], known: Set[str]) -> Iterator[tuple[str, FileChange]]:
    """Changes of start-up places, each under the name that the file got in the end: what was moved is where it was
    moved to, and a folder that was made for a file is told with that."""
    moved = {change.path for change in changes if change.action == "renamed"}
    found = []
    for change in changes:
        gone = change.path in moved and change.action in ("created", "written")
        path = change.other_path or "" if change.action == "renamed" else change.path
        if change.action in _DONE and not gone and _PLACES.fullmatch(path):
            found.append((path, change))
    paths = known | {path for path, _ in found}
    folders = {str(above) for path in paths for above in PurePosixPath(path).parents}
    yield from ((path, change) for path, change in found if path not in folders)
