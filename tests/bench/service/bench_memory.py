"""Memory of the API process over 100,000 status polls and 1,000 scans: it must not grow with them."""

from __future__ import annotations

import shutil
import time

from tests.bench.service.bench_service import _load, _rss
from tests.support.service_harness import Running, open_folder, running

POLLS, SCANS, ROUNDS = 100_000, 1_000, 10
_WAIT_SECONDS = 1_800.0


def main() -> None:
    """Print the resident memory after each tenth."""
    if shutil.which("wrk") is None:
        print("  (wrk is missing: apt-get install wrk)")
        return
    with (
        open_folder() as folder,
        running(folder, submissions_per_minute=1_000_000, max_pending_scans=10_000) as server,
    ):
        _measure(server)


def _measure(server: Running) -> None:
    pid = server.children()["server"]
    sizes, polls, scans = [_rss(pid)], 0, 0
    for round_ in range(1, ROUNDS + 1):
        made = [server.submit(b"x %d %d" % (round_, n)) for n in range(SCANS // ROUNDS)]
        scans += len(made)
        server.ended(made[-1], _WAIT_SECONDS)
        while polls < POLLS * round_ // ROUNDS:
            began = time.monotonic()
            rate, errors = _load(server.port, [f"/?id={one}" for one in made])
            polls += int(rate * (time.monotonic() - began))
            assert not errors, "polls were refused"
        sizes.append(_rss(pid))
    shown = ", ".join(f"{size / 1e6:.0f}" for size in sizes)
    print(f"memory of the API process over {polls} polls and {scans} scans (budget: flat):")
    print(f"  resident MB, at the begin and after each tenth: {shown}")
    half = sizes[len(sizes) // 2]
    print(f"  second half: {(sizes[-1] - half) / 1e6:+.1f} MB")


if __name__ == "__main__":
    main()
