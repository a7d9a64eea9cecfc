"""Signals from the record of files: a place from which programs are started was changed, and no rule spoke of it.

Rules exempt programs (a package manager may write its settings), and a user's own rules may not speak of such places at
all. A change of one is told in any case, whoever's process made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from package_hunter.findings.catalog import kinds
from package_hunter.findings.context import Context
from package_hunter.findings.meaning import of_start
from package_hunter.findings.signals import Signal
from package_hunter.model.box import HOME

_DONE = {"created": "written", "written": "written", "renamed": "moved", "deleted": "deleted"}
_TOLD = frozenset(["persistence", "git_hook", "system_change"])
_RECORD = "No rule spoke of it; it stands in the record of files."
# the user's and the system's own; what lies in a project or among packages is told by rules alone
_PLACES = re.compile(
    rf"{HOME}/\.(bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile|zlogin|xprofile|xinitrc"
    r"|pam_environment|npmrc|gitconfig)"
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
    for change in context.observation.files:
        if change.action not in _DONE or change.path in known or not _PLACES.fullmatch(change.path):
            continue
        blame = context.blame_of(change.process, change.time_ns)
        if blame is None or (change.path, blame.package) in seen:
            continue
        seen.add((change.path, blame.package))
        process = context.processes.get(change.process)
        yield Signal(
            time_ns=change.time_ns,
            kind="persistence",
            weight=kinds()["persistence"].weight,
            subject=change.path,
            what=f"{process.cmdline[:200] if process else 'a process'}: {change.path} was {_DONE[change.action]}",
            blame=blame,
            process=change.process,
            data={"path": change.path, "action": change.action},
            facts=of_start(change.path, ()),
            explain=(_RECORD,),
        )
