"""A scan's ring, mapped and read in place.

Layout (kernel, Documentation/bpf/ringbuf.rst): one page with the consumer's position, read-write; one page
with the producer's, read-only; then the data, mapped twice in a row so that no record wraps. A record is
``u32 length with bit 31 busy and bit 30 discarded, u32 page offset``, then the data, rounded up to 8 bytes.
"""

from __future__ import annotations

import mmap
import select

_BUSY = 1 << 31
_DISCARD = 1 << 30
_LENGTH = _DISCARD - 1


class Ring:
    """Reads a ring by its descriptor. Map it before rights are dropped; reading needs none.

    ``size`` is the ring's data size in bytes (a power of two).
    """

    def __init__(self, fd: int, size: int) -> None:
        page = mmap.PAGESIZE
        self.fd = fd
        self.size = size
        self._mask = size - 1
        self._consumer_map = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._data = mmap.mmap(fd, page + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        self._base = page
        # memoryview items are read and written whole, as the two sides need it
        self._consumer = memoryview(self._consumer_map).cast("Q")
        self._producer = memoryview(self._data)[:page].cast("Q")
        self._words = memoryview(self._data)[page:].cast("I")
        self._position = self._consumer[0]
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def drain(self, max_events: int = 4096) -> list[tuple[int, bytes]]:
        """Up to ``max_events`` events, oldest first, as (cpu number, event as in a .scap event block)."""
        position, end = self._position, self._producer[0]
        words, data, mask, base = self._words, self._data, self._mask, self._base + 16
        events: list[tuple[int, bytes]] = []
        append = events.append
        while position < end and len(events) < max_events:
            at = position & mask
            index = at >> 2
            word = words[index]
            if word & _BUSY:
                break
            length = word & _LENGTH
            if not word & _DISCARD:
                append((words[index + 2], data[base + at : base + at + length - 8]))
            position += (length + 15) & ~7
        self._consumer[0] = self._position = position
        return events

    def fill(self) -> float:
        """How full the ring is, 0 to 1."""
        return (self._producer[0] - self._consumer[0]) / self.size

    def wait(self, seconds: float) -> bool:
        """Until there is something to read or the time is over. The probe wakes its reader only when a
        quarter of the ring is full, so short waits are the way to read soon."""
        return bool(self._poll.poll(seconds * 1000)) if not self.fill() else True

    def wake_by(self, fd: int) -> None:
        """``wait`` returns when something happens to this descriptor as well."""
        self._poll.register(fd, select.POLLIN)

    def close(self) -> None:
        """Gives the mappings back; the descriptor stays with its owner."""
        self._consumer.release()
        self._producer.release()
        self._words.release()
        self._consumer_map.close()
        self._data.close()
