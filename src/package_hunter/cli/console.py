"""What the command line says beside its result: progress and complaints, on stderr, made harmless."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar, cast

from package_hunter.errors import HunterError
from package_hunter.model.text import visible

T = TypeVar("T")
_FURTHER = "\n    "
_GAP = 2  # between columns


def harmless(text: str) -> str:
    """``text`` for a terminal: what nobody sees, or what moves other text, as escapes; further lines indented, deeper
    than any line of ours, so that no text can pass for one."""
    return visible(text.replace("\r\n", "\n"), keep="\n\t").replace("\n", _FURTHER)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their titles, on stdout, made harmless. Into a file or a program each row is one line, whole; on a
    terminal, cells are wrapped between words only: an id or a purl can be copied."""
    from rich.cells import cell_len  # only with a table in hand: it costs some 50 ms
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    lines = [[visible(cell) for cell in line] for line in (head, *rows)]
    whole = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    widths = whole
    if sys.stdout.isatty():  # not rich's own guess: FORCE_COLOR makes no terminal of a pipe
        words = [" ".join(column).split(" ") for column in zip(*lines, strict=True)]
        widths = _fitting(whole, [max(map(cell_len, column)) for column in words], console.width)
    made = Table(box=None, pad_edge=False)
    for title, width in zip(lines[0], widths, strict=True):
        made.add_column(Text(title), width=width, overflow="fold")  # no word is wider
    for line in lines[1:]:
        made.add_row(*map(Text, line))
    console.width = max(console.width, sum(widths) + _GAP * len(widths))
    console.print(made, crop=False)


def _fitting(whole: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths of columns: as wide as the room allows, but none narrower than its longest word."""
    left = max(0, room - sum(least) - _GAP * len(least))
    widths = []
    for most, width in zip(whole, least, strict=True):
        more = min(most - width, left)
        left -= more
        widths.append(width + more)
    return widths


class OutputError(HunterError):
    """Stdout takes nothing any more: a full disk, a file that is gone."""


class _Output:
    """Stdout, which says of itself that it cannot be written: no other error of the system is taken for that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """See TextIO; OutputError, BrokenPipeError."""
        return self._try(lambda: self._stream.write(text))

    def flush(self) -> None:
        """See TextIO; OutputError, BrokenPipeError."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"The output cannot be written: {error.strerror}.", "What was written is not whole."
            ) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def told_output() -> Iterator[None]:
    """While this lasts, stdout is one whose failures are an OutputError; at the end all is written."""
    before = sys.stdout
    if before is None:  # closed by who started us
        yield
        return
    sys.stdout = told = cast(TextIO, _Output(before))
    try:
        yield
    finally:
        sys.stdout = before
        told.flush()


def complain(message: str, advice: str = "") -> None:
    """An error for the user: what happened, and what to do."""
    print(f"package-hunter: {harmless(message)}", file=sys.stderr)
    if advice:
        print(f"                {harmless(advice)}", file=sys.stderr)


class Progress:
    """Says on stderr what a long command is doing, a line a step with the seconds since its start."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.started = time.monotonic()

    def __call__(self, message: str) -> None:
        if not self.quiet:
            seconds = time.monotonic() - self.started
            print(f"[{seconds:5.1f}s] {harmless(message)}", file=sys.stderr, flush=True)
