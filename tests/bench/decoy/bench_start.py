"""Start of a gateway: from no process to one that answers in the box's network, wall and CPU time."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.gateway import Gateway, GatewayProcess, GatewaySpec
from package_hunter.ecosystems.known import GATEWAY
from tests.support.netpair import NetPair
from tests.support.requires import needs_root

TIMES = 10


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _started(pair: NetPair, folder: Path) -> tuple[float, float]:
    canaries = make_canaries("bench", project="/home/dev/projects/app")[0]
    spec = GatewaySpec("scan", folder, folder / "cache", canaries=canaries)
    begun = time.perf_counter()
    gateway = Gateway(spec, GatewayProcess(GATEWAY))
    gateway.start(pair.path)
    wall, cpu = time.perf_counter() - begun, _cpu(gateway.pid)
    gateway.stop()
    return wall, cpu


def main() -> None:
    """Print medians."""
    needs_root()
    with NetPair() as pair:
        runs = []
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory() as folder:
                Path(folder).chmod(0o755)
                runs.append(_started(pair, Path(folder)))
    wall, cpu = (statistics.median(one) for one in zip(*runs, strict=True))
    print(f"a gateway answers after {1e3 * wall:.0f} ms, {1e3 * cpu:.0f} ms of processor time")


if __name__ == "__main__":
    main()
