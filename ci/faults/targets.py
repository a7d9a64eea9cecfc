"""What is scanned: the smallest honest project, each with other bytes; and archives that are none."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

_MANIFEST = b'{"name": "small", "version": "1.0.0", "scripts": {"postinstall": "node -e 0"}}'


def small(number: int, size: int = 0) -> bytes:
    """A project without dependencies whose installation runs one script; ``size`` more bytes, which do not shrink."""
    out = io.BytesIO()
    filling = random.Random(number).randbytes(size)  # noqa: S311
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (
            ("package.json", _MANIFEST),
            ("n.txt", str(number).encode()),
            ("filling.bin", filling),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue(), compresslevel=1, mtime=0)


def broken(number: int) -> bytes:
    """No archive at all: a scan of it fails, and that is the target's own fault."""
    return b"no archive " + str(number).encode()
