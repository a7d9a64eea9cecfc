"""A push of git over HTTPS (gitprotocol-http(5), gitprotocol-pack(5)): asked for a password, then taken."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask

_COMMAND = re.compile(rb"[0-9a-f]{40} [0-9a-f]{40} ([^\0\n ]{1,512})")
_OBJECTS = 2_000
_INFLATED = 4 << 20  # bytes of all of a pack's objects
_OFFSET, _REFERENCE = 6, 7  # kinds of objects that are differences to another
_CAPABILITIES = b"report-status delete-refs ofs-delta agent=git/2.45.2"


class GitPush:
    """Any host's, so that what is pushed anywhere is seen."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        asked = ask.raw_path.endswith("/info/refs") and "service=git-receive-pack" in ask.query
        return asked or ask.raw_path.endswith("/git-receive-pack")

    def answer(self, ask: Ask) -> Answer | None:
        pushes = ask.raw_path.endswith("/git-receive-pack")
        if pushes:
            self._world.mark("repository_change", ask.peer, "pushed to a git repository", url=ask.url[:2000])
            self._search(ask)
        if "authorization" not in ask.headers:
            return Answer(401, b"", (("www-authenticate", 'Basic realm="Git"'),), "text/plain")
        if not pushes:
            said = _packet(b"# service=git-receive-pack\n") + b"0000"
            said += _packet(b"0" * 40 + b" capabilities^{}\0" + _CAPABILITIES + b"\n") + b"0000"
            return Answer(200, said, type="application/x-git-receive-pack-advertisement")
        commands = ask.body.partition(b"0000PACK")[0]
        names = [found[1] for found in _COMMAND.finditer(commands)]
        report = _packet(b"unpack ok\n") + b"".join(_packet(b"ok " + name + b"\n") for name in names)
        return Answer(200, report + b"0000", type="application/x-git-receive-pack-result")

    def _search(self, ask: Ask) -> None:
        """Objects are packed one by one: what is in them is searched, each for itself."""
        sink = self._world.watch.body(ask)
        try:
            for data in objects(ask.body):
                sink.feed(data + b"\n")
        finally:
            sink.close()


def _packet(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def objects(body: bytes) -> Iterator[bytes]:
    """What the objects of the pack in ``body`` hold, as far as it is whole and within the limits."""
    at = body.find(b"PACK\0\0\0")
    left, at = _INFLATED, at + 12 if at >= 0 else len(body)
    for _ in range(_OBJECTS):
        kind = body[at] >> 4 & 7 if at < len(body) else 0
        at = _after_number(body, at)
        if kind == _OFFSET:
            at = _after_number(body, at)
        elif kind == _REFERENCE:
            at += 20
        if at >= len(body) or left <= 0:
            return
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(body[at:], left)
        except zlib.error:
            return
        left -= len(data)
        yield data
        if not stream.eof:
            return
        at = len(body) - len(stream.unused_data)


def _after_number(body: bytes, at: int) -> int:
    """Behind a number whose bytes but the last have their highest bit set."""
    while at < len(body) and body[at] & 0x80:
        at += 1
    return at + 1
