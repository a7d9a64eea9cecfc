"""Scripts that did nothing but become a program of the image: milder, since the same words without them do the same.

yarn 1 writes ``/tmp/yarn--…/node`` for whatever it runs: a shell script whose one line is ``exec`` of the node that
yarn itself runs by. Other tools that choose a version of a program write the like. Who wrote the script and what it is
called excuse nothing; what the process did after it does: dash (which opens no connection) ran it, gave birth to no
process, and became a program of the image with the very words that the script was given, before them at most paths of
the image. What such a script writes by itself is told as any writing is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Process

ONLY_A_WRAPPER = (
    "In its favour: all that this script did was to become {program}, a program of the machine, with the words that it "
    "was given itself."
)
_SHELLS = ("/usr/bin/dash", "/bin/dash")
_IMAGE = "/usr/"  # nobody in the box can write below it
_KNOWN_BY = 2_000  # characters: longer command lines were cut
_MOST_EXECS = 50  # of a process are on record; further ones are not


def soften(signals: Iterable[Signal], context: Context) -> Iterator[Signal]:
    """The signals, those of such scripts as information."""
    for signal in signals:
        program = _became(signal, context) if signal.kind == "dropped_executable" else None
        if program is None:
            yield signal
        else:
            said = ONLY_A_WRAPPER.format(program=program)
            yield replace(signal, weight=Class.INFO, explain=(*signal.explain, said))


def _became(signal: Signal, context: Context) -> str | None:
    """The program of the image that the process of a script became at once; None where it did anything else."""
    fields = signal.data.get("fields", {})
    line = str(fields.get("proc.cmdline") or "")
    process = context.processes.get(signal.process) if signal.process is not None else None
    if process is None or fields.get("proc.exepath") not in _SHELLS or not 0 < len(line) < _KNOWN_BY:
        return None
    if context.observation.cut.get("processes"):
        return None  # whether it had children is not known
    if not process.exepath.startswith(_IMAGE) or not 0 < len(process.execs) < _MOST_EXECS:
        return None
    if process.execs[-1] != line or not _same_words(line, process.cmdline):
        return None
    return None if _had_children(process, line, context) else process.exepath


def _same_words(script_line: str, line: str) -> bool:
    """Whether ``PROGRAM [/usr/…] WORDS`` follows ``NAME SCRIPT WORDS``."""
    script, *words = script_line.partition(" ")[2].split(" ")
    given = line.split(" ")[1:]
    before = given[: len(given) - len(words)]
    same = given[len(before) :] == words
    return script.startswith("/") and same and all(w.startswith(_IMAGE) and ".." not in w for w in before)


def _had_children(process: Process, line: str, context: Context) -> bool:
    """Whether the process gave birth while it still was the script: its child had the script's line first."""
    return any((*child.execs, child.cmdline)[0] == line for child in context.children(process.key))
