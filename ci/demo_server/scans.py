"""Simulations and their honest twins, sent to be scanned as users send theirs; what comes of it is the scans' alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from ci.demo_server.client import Client, RefusedError, wait_for
from ci.demo_server.plan import Plan, Submission

from package_hunter.simulations.catalog import discover, home, twins
from package_hunter.simulations.pack import pack

_SCAN_SECONDS = 900.0
_ENDED = ("finished", "failed", "cancelled")
_VERSION = re.compile(r'("version": ")1\.0\.0(")')
_NAMES_ITS_VERSION = ("package.json",)


def scan_all(plan: Plan, by: Client, kept: Path, say: Callable[[str], None]) -> None:
    """Scan what was not scanned yet, a wave after the other; ``kept``: the file that says what was. RefusedError: one
    did not end well."""
    known: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for wave in plan.waves:
        for one in wave:
            if one.key not in known:
                known[one.key] = _submit(one, by)
                kept.write_text(json.dumps(known, indent=1), encoding="utf-8")
        for one in wave:
            _wait(one, known[one.key], by, say)


def _wait(one: Submission, scan_id: str, by: Client, say: Callable[[str], None]) -> None:
    ended = wait_for(lambda: _ended(by, scan_id), _SCAN_SECONDS, f"{one.key} is scanned")
    if ended["status"] != "finished":
        raise RefusedError(f"{one.key}: {ended['status']}: {ended['reason']}")
    say(f"  {one.key:44} {ended['verdict']}, {ended['decision']}")


def _submit(one: Submission, by: Client) -> str:
    data = archive(one)
    query = {"project": one.project, "depth": one.depth}
    if one.merge_request is not None:
        commit = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        query |= {"commit": commit, "merge_request": str(one.merge_request), "ref": "refs/heads/update"}
    return str(by.upload("/scans", data, **query)["id"])


def _ended(by: Client, scan_id: str) -> dict[str, str] | None:
    scan: dict[str, str] = by.get(f"/scans/{scan_id}")
    return scan if scan["status"] in _ENDED else None


def archive(one: Submission) -> bytes:
    """What is sent: the simulation's files, its packages in their version; Python and Ruby ones as their registries
    serve them."""
    known = discover(home())
    simulation = (twins(known, home()) if one.honest else known)[one.simulation]
    with tempfile.TemporaryDirectory(prefix="demo-") as made:
        tree = Path(made) / "tree" / one.simulation
        shutil.copytree(simulation.folder, tree)
        for file in _NAMES_ITS_VERSION:
            for path in tree.rglob(file):
                path.write_text(_VERSION.sub(rf"\g<1>{one.version}\g<2>", path.read_text("utf-8")), "utf-8")
        packed = Path(made) / "packed"
        packed.mkdir()
        target = pack(tree, simulation.ecosystem, packed, simulation.over)
        return target.read_bytes() if target.is_file() else _as_tar(target)


def _as_tar(folder: Path) -> bytes:
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                entry, data = tarfile.TarInfo(str(path.relative_to(folder))), path.read_bytes()
                entry.size, entry.mode = len(data), 0o755 if path.stat().st_mode & 0o100 else 0o644
                tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
