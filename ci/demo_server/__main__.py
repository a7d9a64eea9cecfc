"""`make demo-server`: a server with people, projects, real scans of the simulations and their honest twins, and what a
team decides about them. Fills what is missing, then serves until Ctrl-C. Needs root, the probe and the image."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from ci.demo_server import folder as folders
from ci.demo_server.client import RefusedError
from ci.demo_server.fill import fill
from ci.demo_server.plan import ANA, FULL, PEOPLE
from ci.demo_server.server import Server, serving

from package_hunter.errors import HunterError


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Exit code 0 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="demo-server", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=folders.USUAL, help="data folder; one that is there is used again"
    )
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument(
        "--fresh", action="store_true", help="begin anew: remove what an earlier one left there"
    )
    parser.add_argument("--once", action="store_true", help="fill it, say where to go, and end")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        if os.geteuid() != 0:
            say("Scans need root: they make sandboxes. Use sudo.")
            return 2
        folders.prepare(options.data, fresh=options.fresh)
        with folders.held(options.data):
            return _serve(options)
    except KeyboardInterrupt:
        say(f"Ended. All of it is kept in {options.data}: run this again to go on, or remove that folder.")
        return 0
    except HunterError as error:
        say(f"{error.message} {error.advice}")
        return error.exit_code
    except RefusedError as error:
        say(f"{error}\nWhat is done is kept in {options.data}: run this again to go on from there.")
        return 1


def _serve(options: argparse.Namespace) -> int:
    began, passwords = time.monotonic(), folders.passwords(options.data)
    with serving(options.data, options.port, passwords[ANA.name]) as server:
        say(f"Filling {server.url}: real scans, in real boxes (some minutes the first time; {server.log})")
        fill(FULL, server.url, options.data, say)
        say(f"Filled in {time.monotonic() - began:.0f} s.")
        _tell(server, passwords)
        if not options.once:
            server.process.wait()
            say(f"The server ended by itself; see {server.log}.")
            return 1
    return 0


def _tell(server: Server, passwords: dict[str, str]) -> None:
    print(f"\nOpen {server.url} and sign in:\n")
    for person in PEOPLE:
        print(f"  {person.name:6} {passwords[person.name]:14} {person.who}")
    print("\ndocs/triage.md walks through it in ten minutes. Ctrl-C ends it.", flush=True)


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
