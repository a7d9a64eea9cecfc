"""`package-hunter scans`, the same words on the store of this machine and against a running server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from package_hunter.access.actor import Actor
from package_hunter.access.roles import Role
from package_hunter.cli.serve import open_store
from package_hunter.storage.base import Kind
from package_hunter.store import accounts
from package_hunter.store.artefact_tables import ArtefactRef
from package_hunter.store.database import now_ms
from package_hunter.store.members import Place
from tests.acceptance.service.test_accounts_cli import hunt
from tests.support.service_harness import Running, open_folder, running, wait_for

Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def token(server: Running) -> str:
    store = open_store(server.settings)
    with store.write() as session:
        may = accounts.Grant(Role.SECURITY_ADMIN, Place())
        made = accounts.add_token(session, "lead", accounts.Start((may,)), Actor("test", "test"))
    store.close()
    return made


@pytest.fixture(params=["here", "server"])
def where(
    request: pytest.FixtureRequest, server: Running, token: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The options that say whose scans are meant."""
    monkeypatch.setenv("COLUMNS", "220")
    for module in ("scans", "asking", "submit"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: server.settings)
    monkeypatch.delenv("PACKAGE_HUNTER_SERVER", raising=False)
    if request.param == "here":
        return []
    monkeypatch.setenv("PACKAGE_HUNTER_TOKEN", token)
    return ["--server", f"http://127.0.0.1:{server.port}"]


def said(capsys: Out, *words: str) -> Any:
    done = hunt(capsys, "scans", *words, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_listed_shown_and_followed_to_the_end(server: Running, where: list[str], capsys: Out) -> None:
    scan = server.submit(b"sleep 1")
    done = hunt(capsys, "scans", "events", scan, *where)
    assert done.stdout.splitlines()[-1] == "ended: no findings"
    assert said(capsys, "show", scan, *where)["status"] == "finished"
    only = ("--verdict", "no_findings", "--submitter", "ana", "--since", "2020-01-01T00:00:00")
    page = said(capsys, "list", *only, *where)
    assert scan in {one["id"] for one in page["scans"]}
    assert said(capsys, "list", "--verdict", "malicious", *where)["scans"] == []
    table = hunt(capsys, "scans", "list", "--limit", "1", *where)
    assert scan in table.stdout
    assert hunt(capsys, "scans", "list", "--since", "yesterday", *where).returncode == 2


def test_something_is_handed_in(server: Running, where: list[str], capsys: Out, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/package.json").write_text('{"name": "app"}')
    made = said(capsys, "submit", str(tmp_path / "app"), "--ecosystem", "npm", "--wait", "60", *where)
    assert (made["status"], made["verdict"], made["ecosystem"]) == ("finished", "no_findings", "npm")
    assert said(capsys, "show", made["id"], *where) == made, "the API's own document"
    package = hunt(capsys, "scans", "submit", "pkg:npm/left-pad@1.3.0", "--priority", "nightly", *where)
    assert package.returncode == 0, package.stderr
    assert said(capsys, "show", package.stdout.strip(), *where)["purl"] == "pkg:npm/left-pad@1.3.0"
    for wrong, words in (
        (("pkg:cargo/x",), "not scanned here"),
        (("pkg:npm/x", "--ecosystem", "pypi"), "and not of"),
        (("pkg:npm/x", "--project", "no/such"), "no such project"),
        (("pkg:npm/x", "--commit", "a" * 40), "no commit's tree"),
    ):
        refused = hunt(capsys, "scans", "submit", *wrong, *where)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
    assert hunt(capsys, "scans", "submit", str(tmp_path / "nothing"), *where).returncode == 3


def test_the_deletion_of_a_scan_is_answered_by_nothing(
    server: Running, where: list[str], capsys: Out
) -> None:
    scan = server.submit(b"x")
    server.ended(scan)
    assert said(capsys, "delete", scan, "--why", "tidying", *where) is None


def test_ended_and_made_again(server: Running, where: list[str], capsys: Out) -> None:
    scan = server.submit(b"sleep 60")
    wait_for(lambda: said(capsys, "show", scan, *where)["status"] == "running")
    said(capsys, "cancel", scan, "--why", "a mistake", *where)
    wait_for(lambda: said(capsys, "show", scan, *where)["status"] == "cancelled")
    assert "a mistake" in said(capsys, "show", scan, *where)["reason"]
    refused = hunt(capsys, "scans", "cancel", scan, *where)
    assert (refused.returncode, "ended already" in refused.stderr) == (2, True)
    gone = hunt(capsys, "scans", "rescan", scan, *where)
    assert (gone.returncode, "not kept any more" in gone.stderr) == (2, True)
    assert said(capsys, "dead", *where)["scans"] == []
    assert hunt(capsys, "scans", "rerun", scan, *where).returncode == 2


def test_files_leave_sealed(server: Running, where: list[str], capsys: Out, tmp_path: Path) -> None:
    scan = server.submit(b"malicious")
    server.ended(scan)
    store = open_store(server.settings)
    stored = store.artefacts.put(Kind.DROPPED, b"evil" * 100)
    with store.write() as session:
        ref = ArtefactRef(id=uuid.uuid4(), scan_id=uuid.UUID(scan), kind="dropped", digest=stored.digest)
        ref.size, ref.name, ref.created = stored.size, "/tmp/\x1b[2Jx", now_ms()
        session.add(ref)
    store.close()
    listed = hunt(capsys, "scans", "dropped", scan, *where)
    assert stored.digest in listed.stdout and "\x1b" not in listed.stdout
    target = tmp_path / "x.zip"
    fetched = hunt(capsys, "scans", "dropped", scan, stored.digest, "-o", str(target), *where)
    assert fetched.returncode == 0, fetched.stderr
    with pyzipper.AESZipFile(target) as archive:
        assert archive.read(stored.digest, pwd=b"infected") == b"evil" * 100
    again = hunt(capsys, "scans", "dropped", scan, stored.digest, "-o", str(target), *where)
    assert (again.returncode, "cannot be written" in again.stderr) == (2, True)
    refused = hunt(capsys, "scans", "rejudge", scan, *where)
    assert (refused.returncode, "No recording" in refused.stderr) == (2, True)


def test_deleted_for_a_reason(server: Running, where: list[str], capsys: Out) -> None:
    scan = server.submit(b"x")
    server.ended(scan)
    assert hunt(capsys, "scans", "delete", scan, *where).returncode == 2
    done = hunt(capsys, "scans", "delete", scan, "--why", "tidying", *where)
    assert done.returncode == 0, done.stderr
    assert hunt(capsys, "scans", "show", scan, *where).returncode == 2


@pytest.mark.parametrize("scan", ["none", "../../x", "3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de"])
def test_what_is_no_scan(where: list[str], capsys: Out, scan: str) -> None:
    done = hunt(capsys, "scans", "show", scan, *where)
    assert (done.returncode, "scan" in done.stderr) == (2, True)
