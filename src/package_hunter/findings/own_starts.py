"""Which starts of programs are our own doing: they are no behaviour of the project, and are not listed as such.

Who started the process decides, and what it did, in our own tree of processes; no name that a program gives itself:

- the first program of each of our commands, started as we wrote it;
- what a package manager starts by itself: the first program of a process that a manager's process gave birth to, of a
  form that this manager is known for (``Facts.starts``: the shell of a lifecycle script, pip's build of one package).
  A manager's process is the first one of a command that runs nothing but the manager (one that a phase needs, or our
  driver for one script), or a copy of the manager that such a process started (``Facts.starts_itself``).

- what the program of the next morning starts to set a start-up file off, in its words (git is asked to commit).

What these programs start in turn is the packages' doing, and so is all that an import starts.
"""

from __future__ import annotations

import re

from package_hunter.findings.context import Context
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.observation import Alert, Process
from package_hunter.model.scan import Command, CommandRun

# what sandbox/programs/next_morning.py starts; never a line out of the start-up file itself
_MORNING = re.compile(
    r"git (?:status --short|commit --allow-empty -q -m Tidy up|checkout -q -B topic)|bash (?:-l )?-i -c exit 0"
    r"|\S*python3? -c pass|(?:node \S+ |npm )exec --offline -c npm --version|python3 -I -m pip config list"
    r"|vim -es -u /home/dev/\.vimrc -c qall!"
)
_KNOWN_BY = 2_000  # characters of a command line that are compared: Falco and the record cut them


@derived
def _starts(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for one in known for form in one.starts) or r"(?!)", re.S)


@derived
def _copies(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for one in known for form in one.starts_itself) or r"(?!)", re.S)


@derived
def _drivers(known: tuple[Facts, ...]) -> tuple[str, ...]:
    return tuple(one.driver.partition(" ")[2] for one in known if one.driver)


@derived
def _builds(known: tuple[Facts, ...]) -> frozenset[str]:
    return frozenset(one.builds.script for one in known if one.builds is not None)


def is_ours(alert: Alert, process: Process | None, context: Context) -> bool:
    """Whether this start of a program is our own, or the package manager's."""
    line = str(alert.output_fields.get("proc.cmdline") or "")
    if process is None or not line:
        return False
    if (run := context.firsts.get(process.key)) is not None:
        return _is_as_written(line, run.command)
    if not process.exepath.startswith("/usr/") or line[:_KNOWN_BY] != _first_line(process)[:_KNOWN_BY]:
        return False
    if _MORNING.fullmatch(line) and _is_of_morning(process.parent, context):
        return True
    return _starts().match(line) is not None and is_manager(process.parent, context)


def _is_of_morning(key: int | None, context: Context) -> bool:
    """Whether it is our program of the next morning, still as we started it."""
    run = context.firsts.get(key) if key is not None else None
    if run is None or run.phase != "morning" or key is None:
        return False
    return not run.command.essential and _is_as_written(context.processes[key].cmdline, run.command)


def is_manager(key: int | None, context: Context) -> bool:
    """Whether the process is a manager's own: a command's first one, or its copy (of a copy)."""
    seen: set[int] = set()
    while key is not None and key not in seen and (process := context.processes.get(key)) is not None:
        seen.add(key)
        if (run := context.firsts.get(key)) is not None:
            return _runs_manager(process, run)
        if process.execs[1:] or not process.exepath.startswith("/usr/"):
            return False  # what it was first, it is no more
        if not _copies().match(process.cmdline):
            return False
        key = process.parent
    return False


def _runs_manager(process: Process, run: CommandRun) -> bool:
    """Whether a command's first process still runs what we wrote, and that is a manager."""
    if not _is_as_written(process.cmdline, run.command):
        return False
    builds = run.command.script in _builds()
    return run.command.essential or builds or " ".join(run.command.argv[1:]).startswith(_drivers())


def _is_as_written(line: str, command: Command) -> bool:
    """Whether a process has the command line of our command: after its program's name, and the path of a program of
    the image that is a script, what we wrote."""
    program, _, rest = line.partition(" ")
    given = " ".join(command.argv[1:])
    if rest.startswith("/usr/") and not given.startswith("/usr/"):
        rest = rest.partition(" ")[2]
    cut = len(line) >= _KNOWN_BY and given.startswith(rest)
    return bool(program and given) and (rest == given or cut)


def _first_line(process: Process) -> str:
    """Of what the process executed, the first: before it stands only what it had of its parent."""
    return (*process.execs[1:], process.cmdline)[0]
