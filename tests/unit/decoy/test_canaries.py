"""Fakes in the real ones' formats."""

from __future__ import annotations

import base64
import json
import pkgutil
import re
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from package_hunter.decoy import secrets as kinds
from package_hunter.decoy.canaries import WORLDS, make_canaries
from package_hunter.decoy.forge import base62
from package_hunter.decoy.search import Searcher
from package_hunter.decoy.secrets.withheld import EVERY
from package_hunter.decoy.spec import Upstream
from package_hunter.intake.secrets import kind_of
from package_hunter.model.sealed import unseal
from package_hunter.model.withheld import CredentialKind, WithheldFile

UPSTREAMS = (
    Upstream("npm", "https://npm.corp.example/registry/", auth="Bearer real-secret"),
    Upstream("npm", "https://private.example/", default=False, scopes=("@corp",)),
    Upstream("pypi", "https://py.corp.example/simple/"),
)


@pytest.mark.parametrize("world", WORLDS)
def test_every_canary_lies_where_it_says(world: str) -> None:
    canaries, files, env = make_canaries("s", world, UPSTREAMS, "/home/dev/projects/app")
    contents = {f.path: f.content for f in files}
    assert len({c.id for c in canaries}) == len(canaries)
    for canary in canaries:
        if canary.place.startswith("env:"):
            assert env[canary.place.removeprefix("env:")] == canary.value
        elif canary.place.startswith("/"):
            content = contents[canary.place]
            escaped = json.dumps(canary.value)[1:-1].encode()
            assert canary.value.encode() in content or escaped in content or _in_auth(canary.value, content)
    assert all(f.path.startswith("/home/dev/") for f in files)


def test_fakes_lie_where_the_projects_own_credential_files_lay() -> None:
    project = "/home/dev/projects/app"
    named = tuple(
        WithheldFile(f"{project}{path}-{n}", kind, b"kept=1\n") for n, (path, kind, _) in enumerate(EVERY)
    )
    there = WithheldFile(f"{project}/.env", CredentialKind.ENV, b"")
    canaries, files, _ = make_canaries("s", "laptop", UPSTREAMS, project, (there, *named))
    contents = {f.path: f.content for f in files}
    assert len(contents) == len(files)  # the project's own .env is there already
    for path, _, _ in named:
        own = [c for c in canaries if c.place == path]
        assert own, path
        assert contents[path].startswith(b"kept=1\n")
        for canary in own:
            escaped = json.dumps(canary.value)[1:-1].encode()
            content = contents[path]
            assert canary.value.encode() in content or escaped in content or _in_auth(canary.value, content)


@pytest.mark.parametrize("kind", CredentialKind)
def test_each_kind_of_credential_file_has_its_fake(kind: CredentialKind) -> None:
    place = "/home/dev/projects/app/deploy/secret"
    canaries, files, _ = make_canaries("s", withheld=(WithheldFile(place, kind, b""),))
    fakes = [file for file in files if file.path == place]
    assert len(fakes) == (kind is not CredentialKind.LINK)  # what a link led to is not known
    assert any(c.place == place for c in canaries) == bool(fakes)


@pytest.mark.parametrize("path", ["deploy/.ssh/config", ".ssh/config"])
def test_an_ssh_configuration_of_the_project_is_replaced(path: str) -> None:
    kind = kind_of(path)
    assert kind is CredentialKind.SSH
    project = "/home/dev/projects/app"
    canaries, files, _ = make_canaries("s", withheld=(WithheldFile(f"{project}/{path}", kind, b""),))
    (fake,) = [file for file in files if file.path == f"{project}/{path}"]
    (own,) = [c for c in canaries if c.place == fake.path]
    assert fake.content.startswith(b"Host ") and own.value.encode() in fake.content
    assert fake.mode == 0o600


def test_the_frame_of_a_key_is_no_secret() -> None:
    canaries = make_canaries("s", withheld=(WithheldFile("/p/a.pem", CredentialKind.PRIVATE_KEY, b""),))[0]
    searcher = Searcher(canaries, [c for _ in range(2) for c in make_canaries("r", withheld=EVERY)[0]])
    other = next(c for c in make_canaries("t", withheld=EVERY)[0] if c.place == "/a.pem").value.encode()
    assert searcher.scan(other) == []


def _in_auth(value: str, content: bytes) -> bool:
    sealed = re.findall(rb'"auth": "([^"]+)"', content)
    return any(value.encode() in base64.b64decode(t) for t in sealed) or _is_sealed(value, content)


def _is_sealed(value: str, content: bytes) -> bool:
    try:
        return any(value in text or value in _decoded(text) for text in _texts(unseal(content)))
    except ValueError:
        return False


def _texts(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [text for one in inner for text in _texts(one)]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def test_github_and_npm_tokens_have_valid_checksums() -> None:
    canaries = make_canaries("s")[0]
    tokens = [c.value for c in canaries if re.match(r"(gh[pos]|npm)_", c.value)]
    assert len(tokens) >= 5
    for token in tokens:
        body = token.partition("_")[2]
        assert base62(zlib.crc32(body[:30].encode()), 6) == body[30:]


def test_the_ssh_key_is_a_key_and_browser_files_are_databases(tmp_path: Path) -> None:
    files = {f.path: f for f in make_canaries("s")[1]}
    assert isinstance(
        load_ssh_private_key(files["/home/dev/.ssh/id_ed25519"].content, None), Ed25519PrivateKey
    )
    login = tmp_path / "login"
    login.write_bytes(files["/home/dev/.config/google-chrome/Default/Login Data"].content)
    with sqlite3.connect(login) as connection:
        assert connection.execute("select count(*) from logins").fetchone()[0] == 3
    connection.close()


def test_the_hosts_credentials_never_enter_the_box_but_its_registries_names_do() -> None:
    _, files, _ = make_canaries("s", "default", UPSTREAMS)
    npmrc = next(f.content.decode() for f in files if f.path == "/home/dev/.npmrc")
    assert "//npm.corp.example/registry/:_authToken=npm_" in npmrc
    assert "@corp:registry=https://private.example/" in npmrc
    assert not any(b"real-secret" in f.content for f in files)


def test_every_file_of_the_folder_is_listed_as_a_kind_of_fake() -> None:
    files = {module.name for module in pkgutil.iter_modules(kinds.__path__)}
    assert [make.__module__.rsplit(".", 1)[1] for make in kinds.KINDS] == sorted(files)
