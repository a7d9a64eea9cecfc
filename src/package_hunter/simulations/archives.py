"""Simulations as archives that a server takes: read before a process gives its rights up, since they lie in a checkout
that may be out of its reach then."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from package_hunter.errors import UsageError
from package_hunter.simulations.catalog import Simulation, discover, home
from package_hunter.simulations.pack import pack

_MAX_BYTES = 8 << 20  # of one


@cache
def load() -> dict[str, tuple[Simulation, bytes]]:
    """Name -> simulation and its archive, the same bytes each time; empty where this installation has none."""
    try:
        known = discover(home())
    except UsageError:
        return {}
    found = {}
    for name, one in known.items():
        if not one.asks:  # a server is asked for no worlds and exercises
            with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
                found[name] = one, _archive(pack(one.folder, one.ecosystem, Path(folder)))
    return found


def _archive(target: Path) -> bytes:
    if target.is_file():
        return target.read_bytes()
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(target.rglob("*")):
            if path.is_file() and not path.is_symlink():
                entry = tarfile.TarInfo(str(path.relative_to(target)))
                data = path.read_bytes()
                entry.size, entry.mode = len(data), 0o755 if path.stat().st_mode & 0o100 else 0o644
                tar.addfile(entry, io.BytesIO(data))
    if len(out.getvalue()) > _MAX_BYTES:
        raise UsageError(f"The simulation in {target} is too large.", "Use a whole checkout.")
    return out.getvalue()
