"""`group`, `project`, `member`, and roles of accounts, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.access.permissions import Permission
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.store import history, members
from tests.acceptance.service.test_accounts_cli import hunt


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(data_dir=tmp_path / "data")
    monkeypatch.setenv("COLUMNS", "120")
    for module in ("accounts", "places"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: made)
    return made


def test_from_nothing_to_a_developer_of_a_project(
    config: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hunt(capsys, "group", "add", "web").returncode == 0
    assert hunt(capsys, "project", "add", "web/shop", "--why", "a new one").returncode == 0
    given = ("--role", "developer@web/shop", "--role", "viewer@web", "--home", "web/shop")
    assert hunt(capsys, "user", "add", "bob", *given, stdin="correct horse\n").returncode == 0
    assert hunt(capsys, "member", "add", "bob", "auditor").returncode == 0
    assert "web/shop" in hunt(capsys, "project", "list").stdout
    assert "web" in hunt(capsys, "group", "list").stdout
    assert "developer" in hunt(capsys, "member", "list", "web/shop").stdout
    assert "auditor" in hunt(capsys, "member", "list").stdout
    assert hunt(capsys, "member", "remove", "bob", "auditor", "--why", "left").returncode == 0
    with open_store(config).read() as session:
        access = members.access_of(session, "bob")
        told = [(e.action, e.origin, e.why) for e in history.entries(session, 99)]
    assert access.may_in(access.home, Permission.SCAN_SUBMIT)
    assert not access.everywhere
    assert ("project.add", "command line", "a new one") in told
    assert told[-1] == ("member.remove", "command line", "left")


@pytest.mark.parametrize(
    "arguments",
    [
        ("project", "add", "no/where"),
        ("group", "add", "../x"),
        ("member", "add", "nobody", "viewer"),
        ("member", "add", "nobody", "king"),
        ("member", "list", "gone"),
        ("token", "add", "ci", "--role", "viewer@gone"),
        ("token", "add", "ci", "--role", "administrator@legacy"),
        ("token", "add", "ci", "--home", "gone"),
    ],
)
def test_what_is_wrong_is_said(
    config: Settings, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    said = hunt(capsys, *arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr


@pytest.mark.parametrize("path", ["all", "everywhere", "ALL", "Everywhere", "all/shop", "everyWhere/a/b"])
def test_nothing_is_called_as_the_whole_server_is(
    config: Settings, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    for kind in ("project", "group"):
        said = hunt(capsys, kind, "add", path)
        assert (said.returncode, "would read as the whole server" in said.stderr) == (2, True)
    assert hunt(capsys, "group", "add", "web").returncode == 0
    assert hunt(capsys, "project", "add", "web/all").returncode == 0
    assert hunt(capsys, "project", "add", "allies").returncode == 0
