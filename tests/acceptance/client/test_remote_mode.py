"""The client and `htr analyze` against a real server over real HTTP, as an unprivileged job uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.client.credentials import Bearer
from package_hunter.client.remote import RemoteScanError
from package_hunter.client.scan import RemoteOptions, scan_remotely
from package_hunter.config import Settings
from package_hunter.errors import NothingToScanError, UnreachableError, UsageError
from tests.support.service_harness import PASSWORD, USER, Running, open_folder, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder) as started:
        yield started


@pytest.fixture
def url(server: Running) -> str:
    return str(server.client.base_url).rstrip("/")


def test_a_folder(server: Running, url: str, tmp_path: Path) -> None:
    project = tmp_path / "demo-project"
    project.mkdir()
    (project / "package.json").write_text("{}")
    said: list[str] = []
    found = scan_remotely(
        str(project), url, Bearer(server.token or ""), Settings(), said.append, RemoteOptions("npm")
    )
    assert found.verdict == "no_findings"
    assert said[0].startswith("packed 1 files")
    newest = server.client.get("/api/v1/scans?limit=1").json()["scans"][0]
    assert (newest["id"], newest["submitter"], newest["ecosystem"]) == (found.id, "token:ci", "npm")


def test_a_package(server: Running, url: str) -> None:
    found = scan_remotely("pkg:npm/left-pad@1.3.0", url, Bearer(server.token or ""), Settings(), print)
    assert found.verdict == "no_findings"


def test_a_bad_archive_ends_as_a_local_scan_would(server: Running, url: str, tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(b"fail")
    with pytest.raises(RemoteScanError, match="This is no tar archive") as caught:
        scan_remotely(str(archive), url, Bearer(server.token or ""), Settings(), print)
    assert caught.value.exit_code == 3


def test_targets_that_are_none(server: Running, url: str, tmp_path: Path) -> None:
    with pytest.raises(NothingToScanError):
        scan_remotely(str(tmp_path / "none"), url, None, Settings(), print)
    (tmp_path / "big.tgz").write_bytes(b"x" * 100)
    with pytest.raises(UsageError, match="more than 10 bytes"):
        scan_remotely(str(tmp_path / "big.tgz"), url, None, Settings(max_archive_bytes=10), print)


def test_wrong_credentials_are_said_before_anything_is_sent(
    server: Running, url: str, tmp_path: Path
) -> None:
    (tmp_path / "a.tgz").write_bytes(b"x" * 1000)
    with pytest.raises(UsageError, match="refuses these credentials"):
        scan_remotely(str(tmp_path / "a.tgz"), url, Bearer("ph_wrong"), Settings(), print)
    with pytest.raises(UnreachableError):
        scan_remotely(str(tmp_path / "a.tgz"), "http://127.0.0.1:1", None, Settings(), print)


def htr(home: Path, url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PACKAGE_HUNTER_", "HTR_"))}
    return subprocess.run(
        [sys.executable, "-m", "package_hunter.client.htr", *arguments],
        env={**clean, "HOME": str(home), "HTR_host": url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_htr_analyze(server: Running, url: str, tmp_path: Path) -> None:
    archive = tmp_path / "project.tgz"
    archive.write_bytes(b"malicious")
    account = {"HTR_user": USER, "HTR_pass": PASSWORD}
    done = htr(tmp_path, url, "analyze", "--manager", "npm", str(archive), **account)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "malicious"
    (tmp_path / ".htrrc").write_text(f"user={USER}\npass={PASSWORD}\n")
    text = htr(tmp_path, url, "analyze", "--format", "text", str(archive))
    assert text.returncode == 0, text.stderr
    assert text.stdout
    assert PASSWORD not in text.stdout + text.stderr


def test_htr_without_credentials_or_format(server: Running, url: str, tmp_path: Path) -> None:
    archive = tmp_path / "project.tgz"
    archive.write_bytes(b"x")
    done = htr(tmp_path, url, "analyze", str(archive))
    assert (done.returncode, done.stdout) == (2, "")
    assert "credentials" in done.stderr
    done = htr(tmp_path, url, "analyze", "--format", "exe", str(archive))
    assert done.returncode == 2
    assert "json" in done.stderr
    assert "Traceback" not in done.stderr
