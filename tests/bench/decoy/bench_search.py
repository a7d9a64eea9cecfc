"""Canary search: MB/s of CPU time of one core, needles only and with everything unwrapped."""

from __future__ import annotations

import base64
import json
import os
import time

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.search import Searcher
from package_hunter.decoy.unwrap import Budget

SIZE = 8 << 20


def _rate(work: object, data: bytes, piece: int) -> float:
    started = time.process_time()
    for at in range(0, len(data), piece):
        work(data[at : at + piece])  # type: ignore[operator]
    return len(data) / (time.process_time() - started) / 1e6


def main() -> None:
    """Print the table."""
    made = make_canaries("bench", project="/home/dev/projects/app")[0]
    canaries = [
        one for one in made if not one.handed_out
    ]  # as a gateway searches until a service gives the others
    references = make_canaries("r", project="/home/dev/projects/app")[0]
    started = time.process_time()
    searcher = Searcher(canaries, references)
    print(f"{len(canaries)} canaries, automaton built in {1e3 * (time.process_time() - started):.0f} ms")
    row = json.dumps({"name": "left-pad", "version": "1.3.0", "description": "String left pad"}).encode()
    kinds = {
        "random": os.urandom(SIZE),
        "JSON": (row * (SIZE // len(row) + 1))[:SIZE],
        "base64": base64.b64encode(os.urandom(SIZE * 3 // 4)),
        "zeros": bytes(SIZE),
    }
    for name, data in kinds.items():
        plain = _rate(searcher.scan, data, 1 << 18)
        deep = _rate(lambda piece: list(searcher.deep(piece, Budget(4 << 20))), data, 1 << 20)
        print(f"{name:8} needles {plain:6.0f} MB/s   unwrapped {deep:6.1f} MB/s")


if __name__ == "__main__":
    main()
