"""Commits fetched from a real git server on loopback, hostile ones too."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from package_hunter.config import Settings
from package_hunter.errors import HunterError, UnreachableError
from package_hunter.governance.gate import clone
from package_hunter.governance.gate.forges import Forge
from package_hunter.governance.gate.git import NotFetchedError
from package_hunter.governance.gate.tree import Tree
from tests.support import git_server
from tests.support.git_server import TOKEN, git, repository
from tests.support.requires import needs_program

FILES: dict[str, bytes | str] = {
    "package.json": b'{"name": "shop"}',
    "src/a b.js": b"1\n",
    "link": "package.json",
    ".gitattributes": b"hidden export-ignore\nsubst export-subst\n*.txt text eol=crlf ident\n",
    "hidden/evil.js": b"steal()",
    "subst": b"$Format:%H$",
    "a.txt": b"one\n$Id$\n",
}


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that git's own user can enter."""
    needs_program("git")
    with tempfile.TemporaryDirectory(prefix="package-hunter-forge-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def forge(home: Path) -> Iterator[git_server.Forge]:
    with git_server.forge(home) as made:
        yield made


def known(url: str, **more: Any) -> Forge:
    return Forge("gitlab", "gitlab", url, token=TOKEN, git_user="oauth2", **more)


def fetch(
    forge: Forge, url: str, commit: str, **limits: Any
) -> tuple[Tree, dict[str, tarfile.TarInfo], bytes]:
    out = bytearray()
    tree = clone.fetch(Settings(**limits), forge, url, commit, out.extend)
    with tarfile.open(fileobj=io.BytesIO(bytes(out))) as archive:
        return tree, {member.name: member for member in archive}, bytes(out)


def content(data: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


def test_a_commits_tree_comes_whole_and_as_it_is(home: Path, forge: git_server.Forge) -> None:
    folder, commit = repository(home / "web/shop.git", **FILES)
    (folder / "late").write_bytes(b"not in the commit")
    url = f"{forge.url}web/shop.git/.git"
    tree, members, data = fetch(known(forge.url), url, commit)
    assert set(members) == {f"./{name}" for name in FILES}
    assert content(data, "./hidden/evil.js") == b"steal()", "export-ignore hides nothing"
    assert content(data, "./subst") == b"$Format:%H$"
    assert content(data, "./a.txt") == b"one\n$Id$\n", "no filter, no other ends of lines"
    assert members["./link"].linkname == "package.json"
    assert (tree.gaps, tree.files) == (None, len(FILES))
    assert fetch(known(forge.url), url, commit)[2] == data, "the same tree gives the same bytes"
    assert gzip.decompress(data)[:1] == b"."


def test_an_older_commit_is_fetched_and_one_that_is_not_there_is_told(
    home: Path, forge: git_server.Forge
) -> None:
    folder, first = repository(home / "a", **{"package.json": b"{}"})
    repository(folder, more=b"x")
    url = f"{forge.url}a/.git"
    assert set(fetch(known(forge.url), url, first)[1]) == {"./package.json"}
    with pytest.raises(NotFetchedError):
        fetch(known(forge.url), url, "0" * 40)
    tree = git(folder, "rev-parse", "HEAD^{tree}")
    with pytest.raises(NotFetchedError, match=r"no commit|failed"):
        fetch(known(forge.url), url, tree)


def test_submodules_and_lfs_are_not_fetched_and_are_told(home: Path, forge: git_server.Forge) -> None:
    inner, _ = repository(home / "inner", secret=b"x")
    folder, _ = repository(home / "outer", **{"package.json": b"{}"})
    git(folder, "submodule", "add", "-q", str(inner), "vendor")
    (folder / "big.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "more")
    commit = git(folder, "rev-parse", "HEAD")
    tree, members, _ = fetch(known(forge.url), f"{forge.url}outer/.git", commit)
    assert "./vendor/secret" not in members
    assert tree.gaps is not None
    assert "1 submodules (vendor)" in tree.gaps
    assert "big.bin" in tree.gaps


def test_a_redirect_is_not_followed_and_takes_no_token_along(home: Path, forge: git_server.Forge) -> None:
    _, commit = repository(home / "a", **{"package.json": b"{}"})
    with git_server.forge(home, redirect=forge.url.rstrip("/")) as other, pytest.raises(HunterError):
        fetch(known(other.url), f"{other.url}a/.git", commit)
    assert forge.asked == []


def test_wrong_credentials_and_a_server_that_is_gone(home: Path, forge: git_server.Forge) -> None:
    _, commit = repository(home / "a", **{"package.json": b"{}"})
    wrong = Forge("gitlab", "gitlab", forge.url, token="wrong", git_user="oauth2")
    with pytest.raises(NotFetchedError) as error:
        fetch(wrong, f"{forge.url}a/.git", commit)
    assert "wrong" not in str(error.value).replace("wrong one", "")
    with git_server.forge(home) as gone:
        pass
    with pytest.raises(UnreachableError, match="does not answer"):
        fetch(known(gone.url), f"{gone.url}a/.git", commit)


def test_limits(home: Path, forge: git_server.Forge) -> None:
    big = os.urandom(3 << 20)
    _, commit = repository(home / "a", **{"big": big, "b": b"", "c": b""})
    url = f"{forge.url}a/.git"
    for limits in ({"max_files": 2}, {"max_unpacked_bytes": 1 << 20}):
        with pytest.raises(NotFetchedError, match="takes"):
            fetch(known(forge.url), url, commit, **limits)


def test_nothing_of_the_repository_is_run(home: Path, forge: git_server.Forge) -> None:
    witness = home / "witness"
    home.chmod(0o777)
    folder, _ = repository(home / "a", **{"package.json": b"{}", ".gitattributes": b"* filter=evil\n"})
    script = f"#!/bin/sh\ntouch {witness}\n"
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        hook = folder / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script)
        hook.chmod(0o755)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "hooks in the tree")
    fetch(known(forge.url), f"{forge.url}a/.git", git(folder, "rev-parse", "HEAD"))
    assert not witness.exists()


@pytest.mark.parametrize(
    "url", ["ext::sh -c id", "ssh://127.0.0.1/a", "git://127.0.0.1/a", "--upload-pack=x"]
)
def test_other_protocols_are_refused_by_git_itself(url: str) -> None:
    needs_program("git")
    with pytest.raises(HunterError):
        fetch(Forge("x", "git", url), url, "0" * 40)


def test_a_file_repository_where_the_host_allows_it(home: Path) -> None:
    folder, commit = repository(home / "a", **{"package.json": b"{}"})
    bare = home / "bare.git"
    git(home, "clone", "-q", "--bare", str(folder), str(bare))
    for path in [bare, *bare.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    forge = Forge("disk", "git", f"file://{home}/")
    assert set(fetch(forge, f"file://{bare}", commit)[1]) == {"./package.json"}


def test_sha256_repositories(home: Path, forge: git_server.Forge) -> None:
    folder = home / "a"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256", "-b", "main")
    (folder / "package.json").write_bytes(b"{}")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    commit = git(folder, "rev-parse", "HEAD")
    assert len(commit) == 64
    assert set(fetch(known(forge.url), f"{forge.url}a/.git", commit)[1]) == {"./package.json"}


def test_no_folder_is_left(home: Path, forge: git_server.Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    _, commit = repository(home / "a", **{"package.json": b"{}"})
    place = home / "tmp"
    place.mkdir(mode=0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    fetch(known(forge.url), f"{forge.url}a/.git", commit)
    with pytest.raises(HunterError):
        fetch(known(forge.url), f"{forge.url}none/.git", commit)
    assert list(place.iterdir()) == []
