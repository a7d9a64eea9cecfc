"""README tells what the program tells."""

from __future__ import annotations

import os

from tests.support.hunter import ROOT, hunt


def test_readme_holds_the_help() -> None:
    done = hunt("--help", env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    assert done.returncode == 0
    shown = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    assert shown in (ROOT / "README.md").read_text(encoding="utf-8")
