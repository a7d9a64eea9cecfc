"""Honest packages installed bare and in the box: exit status and seconds of both.

    python ci/installs.py [npm:NAME | pypi:NAME | sdist:NAME ...]

Without names: those of corpus.toml that download nothing but from their registry. Bare installs run as whoever
calls this, in a temporary folder with a home of its own. The box's exit status is the package manager's, or that
of the first lifecycle script that failed; its seconds are those of the phases fetch and install.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HUNT = Path(sys.executable).parent / "package-hunter"
NPM = (
    "esbuild",
    "core-js",
    "husky",
    "lefthook",
    "simple-git-hooks",
    "@swc/core",
    "protobufjs",
    "sharp",
    "nx",
    "msw",
)
NPM += ("bcrypt", "playwright", "express", "webpack")
WHEELS = ("lxml", "pillow", "numpy", "cryptography", "psutil", "pre-commit", "flask")
SDISTS = ("markupsafe", "psutil", "msgpack", "regex", "lxml")
_SECONDS = 600
_FAILED = re.compile(r"(?:preinstall|install|postinstall|prepare)\b.* ended with exit code (-?\d+)")


@dataclass(frozen=True)
class Outcome:
    """Exit status (0: well) and seconds of an install, with what to know of it."""

    status: int
    seconds: float
    remark: str = ""


def bare(kind: str, name: str, folder: Path) -> Outcome:
    """The package manager's own install, in ``folder``."""
    env = {**os.environ, "HOME": str(folder / "home"), "npm_config_cache": str(folder / "npm")}
    (folder / "home").mkdir()
    for settings in (".npmrc", ".config/pip/pip.conf"):  # the host's registries, as a scan uses them
        own = Path.home() / settings
        if own.exists():
            (folder / "home" / settings).parent.mkdir(parents=True, exist_ok=True)
            (folder / "home" / settings).write_bytes(own.read_bytes())
    if kind == "npm":
        argv = ["npm", "install", "--no-audit", "--no-fund", name]
        (folder / "package.json").write_text('{"name": "app", "version": "1.0.0"}')
    else:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        argv = [
            str(folder / "venv/bin/pip"),
            "install",
            "--no-cache-dir",
            "--quiet",
            *_source(kind, name),
            name,
        ]
    started = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, timeout=_SECONDS, check=False)
    last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
    return Outcome(done.returncode, time.perf_counter() - started, last[0][:60] if done.returncode else "")


def _source(kind: str, name: str) -> list[str]:
    return ["--no-binary", name] if kind == "sdist" else []


def boxed(kind: str, name: str, folder: Path) -> Outcome:
    """The same through a scan."""
    target = f"pkg:npm/{name}" if kind == "npm" else f"pkg:pypi/{name}"
    if kind == "sdist":
        (folder / "p").mkdir()
        (folder / "p/requirements.txt").write_text(f"--no-binary {name}\n{name}\n")
        target = str(folder / "p")
    argv = [str(HUNT), "scan", target, "--phases", "install", "--format", "json", "-q", "--exit-zero"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if not done.stdout:
        return Outcome(done.returncode, 0.0, done.stderr.strip().splitlines()[0][:60])
    return _outcome(json.loads(done.stdout))


def _outcome(report: dict[str, Any]) -> Outcome:
    coverage = report["coverage"]
    phases = [p for p in coverage["phases"] if p["name"] in ("fetch", "install")]
    codes = [p["exit_code"] for p in phases if p["exit_code"]]
    codes += [int(hit[1]) for note in coverage["notes"] if (hit := _FAILED.search(note))]
    titles = [f["title"][:80] for f in report["findings"] if f["severity"] != "info"]
    remark = ": ".join([report["verdict"], *titles[:1]]) if report["verdict"] != "no_findings" else ""
    return Outcome(codes[0] if codes else 0, sum(p["seconds"] for p in phases), remark)


def main(asked: list[str]) -> int:
    """Print the table; 1 where a status differs."""
    every = [*(f"npm:{n}" for n in NPM), *(f"pypi:{n}" for n in WHEELS), *(f"sdist:{n}" for n in SDISTS)]
    differ = 0
    print("| package | bare: exit | s | box: exit | s | |\n|---|---|---|---|---|---|", flush=True)
    for item in asked or every:
        kind, _, name = item.partition(":")
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            outside, inside = bare(kind, name, Path(one)), boxed(kind, name, Path(two))
        same = (outside.status == 0) == (inside.status == 0)
        differ += not same
        remark = "; ".join(
            text for text in ("" if same else "differs", outside.remark, inside.remark) if text
        )
        print(
            f"| {item} | {outside.status} | {outside.seconds:.1f} | {inside.status} | {inside.seconds:.1f} "
            f"| {remark} |",
            flush=True,
        )
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
