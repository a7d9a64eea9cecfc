"""The program may lie where only root can read it: the confined helpers then reach none of its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import requires
from tests.support.hunter import ROOT, project_with

# A private mount namespace holds a second view of this checkout and its virtual environment, in a closed folder.
_SCAN = """
set -e
mount --bind "$1" "$2"
exec "$3" -c 'from package_hunter.cli.main import main; main()' scan "$4" --format json
"""


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def test_a_checkout_that_only_root_can_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    fetch = "curl -sk --max-time 10 https://collector.example/x >/dev/null || true"
    project = project_with(tmp_path / "p", talker={"postinstall": fetch})
    closed = tmp_path / "closed"
    (closed / "checkout").mkdir(parents=True)
    closed.chmod(0o700)
    python = closed / "checkout" / Path(sys.prefix).relative_to(ROOT) / "bin/python"
    view = closed / "checkout"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _SCAN, "sh", ROOT, view, python, project],
        env={**os.environ, "PYTHONPATH": str(view / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["coverage"]["reasons"] == []
    assert report["cut"] == {}
    assert [r["url"] for r in report["network"]["requests"]] == ["https://collector.example/x"]
