"""The server gives up root: it must need nothing then that only root can read (a checkout in root's home)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from package_hunter.config import Settings
from tests.support.requires import ROOT, needs_btf, needs_runc
from tests.support.service_harness import ARCHIVE, free_port, open_folder, wait_for

# A private mount namespace holds a second view of this checkout and its virtual environment, in a closed folder.
_SERVE = """
set -e
mount --bind "$1" "$2"
exec "$3" -c 'from package_hunter.cli.main import main; main()' serve --port "$4"
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    needs_runc()
    needs_btf()
    closed = tmp_path / "closed"
    view = closed / "checkout"
    view.mkdir(parents=True)
    closed.chmod(0o700)
    python = view / Path(sys.prefix).relative_to(ROOT) / "bin/python"
    port = str(free_port())
    with open_folder() as folder, (folder / "log").open("wb") as log:
        for name in ("image", "probe", "cache"):  # built once, used by all
            (folder / name).symlink_to(Settings().data_dir / name)
        environment = {
            **os.environ,
            "PYTHONPATH": str(view / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PACKAGE_HUNTER_DATA_DIR": str(folder),
            "PACKAGE_HUNTER_DEVELOPMENT": "1",
        }
        command = ["unshare", "-m", "sh", "-c", _SERVE, "sh", ROOT, view, python, port]
        with subprocess.Popen(command, env=environment, stderr=log) as process:
            try:
                wait_for(lambda: _answers(port))
                yield f"http://localhost:{port}"
            finally:
                process.terminate()
        assert process.returncode == 0, (folder / "log").read_text()[-3000:]


def _answers(port: str) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/api/v1/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_scan_and_every_form_of_report(url: str, tmp_path: Path) -> None:
    archive = tmp_path / "t.tgz"
    subprocess.run(["tar", "-C", ROOT / "simulations/falco-test", "-czf", archive, "."], check=True)
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        submitted = client.post("/monitor/project/npm", content=archive.read_bytes(), headers=ARCHIVE).json()
        scan = submitted["id"]
        wait_for(lambda: client.get("/", params={"id": scan}).json()["status"] == "finished", 120)
        forms = ("text", "json", "html", "markdown", "gitlab", "sarif", "osv", "cyclonedx", "falco")
        answers = {f: client.get(f"/api/v1/scans/{scan}/report", params={"format": f}) for f in forms}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(forms, 200)
    assert "maldep" in answers["html"].text
