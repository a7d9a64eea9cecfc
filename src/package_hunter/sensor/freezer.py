"""Back-pressure: a scan that makes events faster than they can be read is held until they are read.

cgroup v2 has ``cgroup.freeze`` (1 and 0) in every group, v1 has ``freezer.state`` (FROZEN and THAWED) in the
freezer hierarchy. The file is opened while there are rights for it; writing to it later needs none.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from package_hunter.errors import SensorError
from package_hunter.sensor.ring import Ring


class Freezer:
    """Stops and continues all processes of a cgroup. ``group`` is the cgroup's directory, v1 or v2."""

    def __init__(self, group: Path) -> None:
        for name, stop, go in (("cgroup.freeze", b"1", b"0"), ("freezer.state", b"FROZEN", b"THAWED")):
            if (group / name).exists():
                self.fd = os.open(group / name, os.O_WRONLY | os.O_CLOEXEC)
                self._stop, self._go = stop, go
                break
        else:
            raise SensorError(
                f"The cgroup {group} cannot be frozen.",
                "Its kernel needs cgroup v2 (5.2 or later) or the v1 freezer hierarchy.",
            )
        self._since: float | None = None
        self._total = 0.0
        self.times = 0

    @property
    def frozen(self) -> bool:
        """Is the group held now?"""
        return self._since is not None

    @property
    def seconds(self) -> float:
        """How long the group was held so far."""
        return self._total + (time.monotonic() - self._since if self._since is not None else 0.0)

    def freeze(self) -> None:
        """Holds the group; nothing happens where it is held already."""
        if self._since is None:
            os.pwrite(self.fd, self._stop, 0)
            self._since = time.monotonic()
            self.times += 1

    def thaw(self) -> None:
        """Lets the group go on. A group that is gone by now needs nothing."""
        if self._since is not None:
            self._total += time.monotonic() - self._since
            self._since = None
            try:
                os.pwrite(self.fd, self._go, 0)
            except OSError as error:
                if error.errno != errno.ENODEV:  # the group was removed
                    raise

    def close(self) -> None:
        """Lets the group go on and forgets it."""
        if self.fd >= 0:
            self.thaw()
            os.close(self.fd)
            self.fd = -1


class Feed:
    """Reads a ring with back-pressure: above ``high`` the scan's group is frozen until below ``low``."""

    def __init__(
        self, ring: Ring, freezer: Freezer | None = None, high: float = 0.5, low: float = 0.05
    ) -> None:
        self.ring = ring
        self.freezer = freezer
        self._high = high
        self._low = low
        self.peak = 0.0  # the fullest that the ring was seen

    def read(self, seconds: float = 0.02, max_events: int = 128) -> list[tuple[int, bytes]]:
        """The next events, (cpu, event); waits up to ``seconds`` where there is none yet.

        Few at a time: whoever judges them needs 10 us and more for each, and meanwhile nobody looks how full
        the ring is."""
        fill = self.ring.fill()
        if not fill:
            if self.freezer is not None:
                self.freezer.thaw()
            self.ring.wait(seconds)
            fill = self.ring.fill()
        self.peak = max(self.peak, fill)
        if self.freezer is not None:
            if fill >= self._high:
                self.freezer.freeze()
            elif fill <= self._low:
                self.freezer.thaw()
        return self.ring.drain(max_events)


def take_priority() -> bool:
    """Makes this process preferred by the scheduler, so that a busy scan cannot keep its own reader waiting, and no
    more than that: the reader of a flood has work without end, and a much higher priority would take the
    processors from every other scan (measured: a neighbour two to three times slower with -15, not with -5). A
    reader that comes late is what the probe holds floods back for. False where the rights are missing."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    except PermissionError:
        return False
    return True
