"""The server gives up root: neither Python nor libraries nor the checkout need be where its user can read them."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.report import FORMATS
from package_hunter.store import accounts
from tests.support.requires import ROOT, needs_root
from tests.support.service_harness import ARCHIVE, PASSWORD, USER, free_port, open_folder, wait_for

# A private mount namespace in which Python, and what else is named, has a second place in a closed folder.
_SERVE = """
set -e
mount --bind "$1" "$2"
mount --bind "$3" "$4"
exec "$5" "$6" serve "$7"
"""


@pytest.fixture(params=["python alone", "python and all else"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    needs_root()
    closed = tmp_path / "closed"
    python, checkout = closed / "python", closed / "checkout"
    for view in (python, checkout):
        view.mkdir(parents=True)
    closed.chmod(0o700)
    program = python / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    code = ROOT if request.param == "python alone" else checkout
    libraries = [str(p).replace(str(ROOT), str(code)) for p in site.getsitepackages()]
    port = free_port()
    with open_folder() as folder, (folder / "log").open("wb") as log:
        store = open_store(Settings(data_dir=folder))
        with store.write() as session:
            accounts.add_user(session, USER, PASSWORD)
        store.close()
        environment = {
            **os.environ,
            "PYTHONPATH": ":".join([str(code / "src"), str(code), *libraries]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PACKAGE_HUNTER_DATA_DIR": str(folder),
        }
        script = code / "tests/support/service_fake.py"
        command = ["unshare", "-m", "sh", "-c", _SERVE, "sh"]
        command += [str(p) for p in (sys.base_prefix, python, ROOT, checkout, program, script, port)]
        url = f"http://127.0.0.1:{port}"
        with (
            subprocess.Popen(command, env=environment, stderr=log) as process,
            httpx.Client(base_url=url, auth=(USER, PASSWORD), trust_env=False, timeout=30) as made,
        ):
            try:
                wait_for(lambda: _answers(made), 90)
                yield made
            finally:
                process.terminate()
        said = (folder / "log").read_text()
        assert process.returncode == 0, said[-3000:]
        assert "Permission" not in said
        assert '"request failed"' not in said


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/health").status_code == 200
    except httpx.TransportError:
        return False


def test_every_form_and_every_route(client: httpx.Client) -> None:
    scan = client.post("/monitor/project/npm", content=b"malicious", headers=ARCHIVE).json()["id"]
    wait_for(lambda: client.get("/", params={"id": scan}).json()["status"] == "finished")
    asked = {form: client.get(f"/api/v1/scans/{scan}/report?format={form}").status_code for form in FORMATS}
    assert asked == dict.fromkeys(FORMATS, 200)
    assert client.post("/api/v1/scans", json={"purl": "pkg:npm/x"}).status_code == 202
    assert client.post("/api/v1/scans", json={"purl": 1}).status_code == 400
    for path in ("/metrics", "/api/v1/scans", "/api/v1/openapi.json", "/api/v1/scans/"):
        assert client.get(path, follow_redirects=True).status_code == 200
    assert client.get("/metrics", auth=(USER, "pässwörd 1")).status_code == 401
    assert client.get("/metrics", auth=None, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get("/no/such").status_code == 404
