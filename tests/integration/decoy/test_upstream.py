"""Registries come from the host's own configuration, asked of the real npm and pip."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from package_hunter.ecosystems.npm.host import npm_upstreams
from package_hunter.ecosystems.python.host import pip_upstreams
from tests.support.requires import needs_program


def test_a_projects_npmrc_is_not_heard_and_the_users_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_program("npm")
    project, user = tmp_path / "project", tmp_path / "user-npmrc"
    project.mkdir()
    (project / "package.json").write_text("{}")
    (project / ".npmrc").write_text(
        "registry=https://attacker.example/\n@corp:registry=https://attacker.example/\n"
    )
    user.write_text(
        "registry=https://npm.corp.example/main/\n@corp:registry=https://private.example/\n"
        "//private.example/:_authToken=${TOKEN_OF_TEST}\nstrict-ssl=false\n"
    )
    monkeypatch.chdir(project)
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(user))
    monkeypatch.setenv("TOKEN_OF_TEST", "s3cret")
    cache = tmp_path / "kept"
    npm = shutil.which("npm")
    assert npm
    for _ in range(2):  # asked, then from what is kept
        found = {u.url: u for u in npm_upstreams(npm, cache)}
        assert set(found) == {"https://npm.corp.example/main/", "https://private.example/"}
        private = found["https://private.example/"]
        assert private.scopes == ("@corp",) and private.auth == "Bearer s3cret" and not private.verify
        assert (
            found["https://npm.corp.example/main/"].default
            and found["https://npm.corp.example/main/"].auth is None
        )
    assert not any(b"s3cret" in path.read_bytes() for path in cache.iterdir())
    assert "s3cret" not in repr(found)


def test_pips_local_directories_are_no_upstreams_and_credentials_leave_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:pass%40word@py.corp.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///opt/wheels/simple https://more.example/simple/")
    found = pip_upstreams()
    assert [u.url for u in found] == ["https://py.corp.example/simple/", "https://more.example/simple/"]
    assert found[0].default and not found[1].default
    assert found[0].auth == "Basic dXNlcjpwYXNzQHdvcmQ="


@pytest.mark.parametrize(
    ("said", "found"), [("old.corp.example", ("https://old.corp.example/",)), ("always", ())]
)
def test_the_host_that_npm_is_told_to_replace_is_answered_by_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, found: tuple[str, ...]
) -> None:
    needs_program("npm")
    user = tmp_path / "user-npmrc"
    user.write_text(f"registry=https://npm.corp.example/\nreplace-registry-host={said}\n")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(user))
    npm = shutil.which("npm")
    assert npm
    (one,) = npm_upstreams(npm)
    assert one.stands_for == found and one.second_names == ()
