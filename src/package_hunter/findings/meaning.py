"""What an alert's object means for combinations: whether a file that was opened holds a secret, whether what was
changed starts programs by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from package_hunter.findings.context import Context
from package_hunter.findings.signals import reads_settings
from package_hunter.model.box import HOME, RUNNER_WORKER
from package_hunter.model.observation import Process

_DOCUMENTS = re.compile(rf"{HOME}/(Documents|Desktop)(/.*)?")
_ANOTHERS_MEMORY = re.compile(r"/proc/\d+/(environ|mem)")
# Places out of which the system itself starts programs or lets somebody in. Of the others (shells' start files,
# settings of editors, of git and of package managers) a line may be a completion, a path, a preference.
_STARTS = re.compile(
    rf"{HOME}/(\.config/(systemd|autostart)/|\.local/share/systemd/|\.ssh/(authorized_keys|rc)$).*"
    r"|/etc/(cron|systemd/|init\.d/|rc\.local|ld\.so\.preload|sudoers\.d/).*"
    r"|/var/spool/cron.*|/usr/lib/systemd/.*"
    r"|.*/(site|dist)-packages/([^/]+\.pth|(site|user)customize(\.py|/__init__\.py))"
)
_FLAGS = re.compile(r"-[A-Za-z]+")  # of an interpreter, in a script's first line
_SCHEDULERS = frozenset(
    (
        "crontab",
        "at",
        "batch",
        "systemctl",
        "systemd-run",
        "launchctl",
        "update-rc.d",
        "chkconfig",
        "loginctl",
    )
)
_QUESTIONS = frozenset(
    [
        "-l",
        "--list",
        "--version",
        "--help",
        "-V",
        "-h",
        "help",
        "status",
        "show",
        "cat",
        "list",
        "print",
        "is-active",
        "is-enabled",
        "is-failed",
        "is-system-running",
        "list-units",
        "list-unit-files",
        "list-timers",
        "list-sockets",
        "list-jobs",
        "list-dependencies",
        "show-environment",
        "show-user",
        "show-session",
        "list-users",
        "list-sessions",
    ]
)


def is_document(path: str) -> bool:
    """Whether it is one of the user's documents: whatever somebody noted there, it is no place for secrets."""
    return _DOCUMENTS.fullmatch(path) is not None


def of_read(path: str, context: Context) -> dict[str, Any]:
    """Of a file of secrets that was opened. A folder that was listed, and what lies beside the secrets, is none; all
    secrets of a box are fakes of ours, so their places are known."""
    if _of_runner(path, context):
        return {"content": True, "settings": False, "runner": True}
    if not context.places:
        return {"settings": reads_settings(path)}
    content = (path in context.places and not is_document(path)) or _ANOTHERS_MEMORY.fullmatch(
        path
    ) is not None
    return {"content": content, "settings": reads_settings(path)}


def _of_runner(path: str, context: Context) -> bool:
    """Whether it is the memory or the environment of the CI runner that the box has."""
    if _ANOTHERS_MEMORY.fullmatch(path) is None:
        return False
    number = int(path.split("/")[2])
    return any(p.vpid == number and is_runner(p, context) for p in context.processes.values())


def is_runner(process: Process, context: Context) -> bool:
    """Whether it is the CI runner that the box has: started before any command, so by nobody's."""
    first = min((run.started_ns for run in context.runs), default=process.started_ns + 1)
    return process.exepath == RUNNER_WORKER and process.started_ns < first


def of_start(subject: str, words: Sequence[str]) -> dict[str, Any]:
    """Of a place from which programs are started, or of a scheduler that was called with ``words``."""
    if subject.startswith("/"):
        return {"starts": _STARTS.fullmatch(subject) is not None}
    if PurePosixPath(subject).name in _SCHEDULERS:
        return {"starts": not _asks(words[1:])}
    return {}


def command_words(words: Sequence[str]) -> list[str]:
    """A command line's words; of a program that is a script, without the interpreter's own mention of it and its
    flags (``systemctl /usr/bin/systemctl status``, ``aws -IS /usr/bin/aws sts``)."""
    at = 2 if len(words) > 2 and _FLAGS.fullmatch(words[1]) else 1
    if len(words) > at and words[at].startswith("/") and _name(words[at]) == _name(words[0]):
        return list(words[at:])
    return list(words)


def _name(program: str) -> str:
    return PurePosixPath(program).name


def only_asks(words: Sequence[str]) -> bool:
    """Whether a program is asked what it is, and nothing else."""
    return len(words) == 1 and words[0] in ("--version", "-v", "-V", "--help", "-h", "version", "help")


def _asks(words: Sequence[str]) -> bool:
    """Whether a scheduler was only asked something: its first word that is no option, or an option, says so."""
    if not words:
        return False
    verb = next((word for word in words if not word.startswith("-")), "")
    return verb in _QUESTIONS or any(word in _QUESTIONS for word in words if word.startswith("-"))
