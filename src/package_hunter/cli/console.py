"""What the command line says beside its result: progress and complaints, on stderr, made harmless."""

from __future__ import annotations

import sys
import time

_HARMLESS = {
    code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0xA0)] if code not in (0x0A, 0x09)
}


def harmless(text: str) -> str:
    """``text`` with every control character shown instead of sent to the terminal."""
    return text.translate(_HARMLESS)


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
