"""Runs the console script as a user does, and makes small npm projects to run it on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
HUNT = Path(sys.executable).parent / "package-hunter"


def hunt(*arguments: str | Path, timeout: float = 180, **more: Any) -> subprocess.CompletedProcess[str]:
    """`package-hunter ARGUMENTS`, output captured as text."""
    return subprocess.run(
        [str(HUNT), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **more,
    )


def scan_json(
    target: str | Path, *arguments: str | Path, codes: tuple[int, ...] = (0,), **more: Any
) -> dict[str, Any]:
    """The JSON report of a scan that must end with one of ``codes``."""
    done = hunt("scan", target, "--format", "json", *arguments, **more)
    assert done.returncode in codes, f"exit {done.returncode}\n{done.stderr[-3000:]}\n{done.stdout[-1000:]}"
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def npm_project(folder: Path, name: str, scripts: dict[str, str] | None = None, **more: Any) -> Path:
    """An npm project in ``folder``, private as applications are; ``more`` goes into its package.json."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"name": name, "version": "1.0.0", "private": True, "scripts": scripts or {}, **more}
    (folder / "package.json").write_text(json.dumps(manifest, indent=2))
    (folder / "index.js").write_text("module.exports = 1;\n")
    return folder


def project_with(folder: Path, **dependencies: dict[str, str]) -> Path:
    """A project with one local dependency (``file:``) per keyword, each with the given lifecycle scripts."""
    for name, scripts in dependencies.items():
        npm_project(folder / "deps" / name, name, scripts)
    return npm_project(folder, "app", dependencies={name: f"file:deps/{name}" for name in dependencies})
