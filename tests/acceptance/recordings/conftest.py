"""Scans that are recorded once and looked at by several tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import ROOT, hunt, project_with


@dataclass(frozen=True)
class Recorded:
    """A scan's JSON report and its recording."""

    report: dict[str, Any]
    scap: Path


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recorded]:
    """Scans a simulation, a purl or ``local`` (honest packages that are made here) with --record, once."""
    requires.needs_runc()
    requires.needs_btf()
    folder = tmp_path_factory.mktemp("recordings")
    done: dict[str, Recorded] = {}

    def run(name: str) -> Recorded:
        if name not in done:
            scap = folder / f"{len(done)}.scap"
            options = ["--format", "json", "--record", scap, "--fail-on", "never", "-q"]
            result = hunt("scan", _target(name, folder), *options)
            assert result.returncode == 0, result.stderr
            done[name] = Recorded(json.loads(result.stdout), scap)
        return done[name]

    return run


def _target(name: str, folder: Path) -> str | Path:
    if name.startswith("pkg:"):
        requires.needs_registry()
        return name
    if name == "local":
        honest = {
            "install": "node -e \"require('fs').writeFileSync('built.txt', 'x')\"",
            "postinstall": "true",
        }
        return project_with(folder / "local", first=honest, second={"preinstall": "sh -c 'echo hello'"})
    return ROOT / "simulations" / name
