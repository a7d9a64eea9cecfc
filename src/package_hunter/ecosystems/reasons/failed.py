"""Commands that failed, as sentences and as records for the report."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import replace

from package_hunter.ecosystems.reasons.why import Why, why
from package_hunter.ecosystems.reasons.words import last_words
from package_hunter.model.scan import CommandRun, FailedCommand
from package_hunter.model.text import shortened

MAX_FAILED = 20  # that the report holds with their output
_MAX_READ = 60  # whose output is read for its kind
_MAX_LINE = 240  # of the telling line in a sentence
_UNREAD = Why("", "", "")
_NOT_THERE = "not_in_registry"
_REFUSED = (
    "It asked the registry for “{what}” while it ran. We refused it, as it is not in the dependency tree: name it under"
    " the dependencies where it is needed."
)
# how managers name the package that they were building
_BUILT = re.compile(
    r"Failed building wheel for ([\w.-]{1,100})"
    r"|Failed to build (?:installable wheels for some pyproject.toml based projects \()?"
    r"`?([\w.=@-]{1,100})"
    r"|An error occurred while installing ([\w.-]{1,100} \([\w.]{1,40}\))"
    r"|ERROR: Failed to build '([\w.-]{1,100})'"
)


class Failures:
    """What failed of a round's commands; each output is read once, and not endlessly many are. ``tree``: names of the
    packages that a script may ask a registry for; None where that is not known."""

    def __init__(self, tree: frozenset[str] | None = None) -> None:
        self._tree = tree
        self._found: dict[int, tuple[bool, FailedCommand]] = {}

    def sentence(self, run: CommandRun, what: str) -> str:
        """``what`` (a name for the command) failed, why, what to do, and the line that tells it."""
        if id(run) not in self._found:
            read = why(run.output_tail) if len(self._found) < _MAX_READ else _UNREAD
            read = self._refused(run, read)
            built = _BUILT.search(run.output_tail) if run.command.essential and read.line else None
            named = f"{what} (it was building {built[built.lastindex or 0]})" if built else what
            self.add(run, _sentence(read, named, run.exit_code or 0), read.line)
        return self._found[id(run)][1].reason

    def _refused(self, run: CommandRun, read: Why) -> Why:
        """A script hears that the registry has nothing of what lies outside of the tree: that was our answer."""
        name = read.about[: read.about.find("@", 1)] if "@" in read.about[1:] else read.about
        if self._tree is None or read.kind != _NOT_THERE or run.command.essential or not name:
            return read
        return read if name in self._tree else replace(read, says=_REFUSED.replace("{what}", read.about))

    def add(self, run: CommandRun, reason: str, line: str = "") -> str:
        """Keep the last words of a command; gives the reason back."""
        self._found[id(run)] = (run.command.essential, _record(run, reason, line))
        return reason

    def records(self) -> tuple[FailedCommand, ...]:
        """Those that a sentence was made of, the essential ones first."""
        ordered = sorted(self._found.values(), key=lambda item: not item[0])
        return tuple(record for _, record in ordered[:MAX_FAILED])


def words_of(argv: Sequence[str]) -> str:
    """The beginning of a command line, enough to know it by."""
    return " ".join(argv[: 3 if "-m" in argv[:2] else 2])


def _sentence(read: Why, what: str, code: int) -> str:
    says = f": {read.says[0].lower()}{read.says[1:]}" if read.says else "."
    if read is _UNREAD:
        return f"{what} ended with an error."
    if read.line:
        return f"{what} failed{says} It said: “{shortened(read.line, _MAX_LINE)}”"
    return f"{what} {_wordless(code)}."


def _wordless(code: int) -> str:
    if code >= 0:
        return f"ended with error {code} and printed nothing"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name} and printed nothing"


def _record(run: CommandRun, reason: str, line: str) -> FailedCommand:
    return FailedCommand(
        phase=run.phase,
        command=run.command.script or shortened(words_of(run.command.argv)),
        package=run.command.blame_purl,
        exit_code=run.exit_code,
        reason=reason,
        line=line,
        output=last_words(run.output_tail),
        world=run.world,
    )
