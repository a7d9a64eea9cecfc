"""``python -m tests.integration.decoy.table``: the table of docs/decoy.md from a run of its stock clients, as root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from tests.integration.decoy.conversations.seen import TOLD_TO
from tests.support.requires import ROOT

PAGE = ROOT / "docs/decoy.md"
_TEST = "tests/integration/decoy/test_conversations.py"
HEAD = "| protocol | client | TLS | what hands over the canary | found |"
_LINE = "|---|---|---|---|---|"


def told(page: str) -> list[list[str]]:
    """The cells of the page's table, row by row."""
    lines = page.splitlines()
    rows = []
    for line in lines[lines.index(HEAD) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _page(page: str, rows: list[list[str]]) -> str:
    """The page with these rows in place of its own."""
    lines = page.splitlines()
    start = lines.index(HEAD)
    end = start + 2 + len(told(page))
    made = [HEAD, _LINE, *("| " + " | ".join(row) + " |" for row in rows)]
    return "\n".join([*lines[:start], *made, *lines[end:]]) + "\n"


def main() -> int:
    """Run, and write what was proven; where a row was not, the page stays."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as file:
        env = {**os.environ, TOLD_TO: file.name, "PACKAGE_HUNTER_REQUIRE_ALL": "1"}
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", _TEST], cwd=ROOT, env=env, check=False)
        if done.returncode:
            return done.returncode
        rows = [json.loads(line) for line in file]
    PAGE.write_text(_page(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    print(f"{len(rows)} rows are in {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
