"""Where the client's credentials come from."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from package_hunter.client import credentials
from package_hunter.errors import UsageError


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    names = ("TOKEN", "TOKEN_FILE", "USER", "PASSWORD")
    for name in (*(f"PACKAGE_HUNTER_{n}" for n in names), "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("user", "pass", "host"):
        monkeypatch.delenv(f"HTR_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def header(auth: httpx.Auth | None) -> str:
    assert auth is not None
    return next(auth.auth_flow(httpx.Request("GET", "https://hunter.example"))).headers["authorization"]


def test_none(clean: Path) -> None:
    assert credentials.find() is None


def test_the_order(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKAGE_HUNTER_USER", "ana")
    monkeypatch.setenv("PACKAGE_HUNTER_PASSWORD", "correct horse")
    assert header(credentials.find()).startswith("Basic ")
    monkeypatch.setenv("PACKAGE_HUNTER_TOKEN", "ph_environment")
    assert header(credentials.find()) == "Bearer ph_environment"
    (clean / "package-hunter-token").write_text("ph_systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(clean))
    assert header(credentials.find()) == "Bearer ph_systemd"
    (clean / "file").write_text("ph_file\n")
    assert header(credentials.find(clean / "file")) == "Bearer ph_file"


@pytest.mark.parametrize("content", ["", "two words", "caf\u00e9", "a\x1b[31mb"])
def test_files_without_a_token(clean: Path, content: str) -> None:
    (clean / "file").write_text(content)
    with pytest.raises(UsageError, match="holds no token"):
        credentials.find(clean / "file")


def test_a_missing_file(clean: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        credentials.find(clean / "missing")


@pytest.mark.parametrize(
    "content",
    [
        '{"user": "ana", "pass": "secret%", "host": "https://hunter.example"}',
        "user = ana\npass=secret%\nhost=https://hunter.example",
    ],
)
def test_htrrc(clean: Path, content: str) -> None:
    (clean / ".htrrc").write_text(content)
    found = credentials.htr_settings()
    assert found.url == "https://hunter.example"
    assert header(found.auth) == header(httpx.BasicAuth("ana", "secret%"))


def test_htr_environment_wins(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean / ".htrrc").write_text("user=ana\npass=a")
    monkeypatch.setenv("HTR_pass", "b")
    monkeypatch.setenv("HTR_host", "hunter.example")
    found = credentials.htr_settings()
    assert (found.url, header(found.auth)) == (
        "http://hunter.example:3000",
        header(httpx.BasicAuth("ana", "b")),
    )


def test_the_project_s_own_htrrc_is_not_read(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean / "project").mkdir()
    (clean / "project" / ".htrrc").write_text("host=evil.example")
    monkeypatch.chdir(clean / "project")
    assert credentials.htr_settings().url is None


def test_a_broken_htrrc(clean: Path) -> None:
    (clean / ".htrrc").write_text("{broken")
    with pytest.raises(UsageError, match=r"\.htrrc"):
        credentials.htr_settings()
