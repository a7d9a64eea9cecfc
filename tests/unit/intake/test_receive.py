"""Targets are told apart, and archives are kept under their digest."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.errors import BadArchiveError, NothingToScanError
from package_hunter.intake.receive import receive


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", max_archive_bytes=100)


def kept(config: Settings) -> list[str]:
    folder = config.data_dir / "uploads"
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_an_archive_is_kept_once_under_its_digest(config: Settings, tmp_path: Path) -> None:
    file = tmp_path / "t.tgz"
    file.write_bytes(b"bytes")
    digest = hashlib.sha256(b"bytes").hexdigest()
    first = receive(str(file), config)
    again = receive(io.BytesIO(b"bytes"), config, "again.tgz")
    assert (first.kind, first.name, first.sha256) == ("archive", "t.tgz", digest)
    assert (again.name, again.path) == ("again.tgz", first.path)
    assert kept(config) == [digest]


@pytest.mark.parametrize(("data", "says"), [(b"", "is empty"), (b"x" * 101, "larger than 100 bytes")])
def test_what_is_refused_leaves_nothing(config: Settings, data: bytes, says: str) -> None:
    with pytest.raises(BadArchiveError, match=says):
        receive(io.BytesIO(data), config)
    assert kept(config) == []


def test_a_directory_stays_where_it_is(config: Settings, tmp_path: Path) -> None:
    (tmp_path / "proj").mkdir()
    found = receive(str(tmp_path / "proj"), config)
    assert (found.kind, found.name, found.path) == ("directory", "proj", tmp_path / "proj")


@pytest.mark.parametrize(
    ("text", "name", "purl"),
    [
        ("pkg:npm/left-pad@1.3.0", "left-pad", "pkg:npm/left-pad@1.3.0"),
        ("pkg:npm/@acme/x", "@acme/x", "pkg:npm/%40acme/x"),
        ("pkg:npm/%40acme/x@2", "@acme/x", "pkg:npm/%40acme/x@2"),
        ("pkg:pypi/Requests", "requests", "pkg:pypi/requests"),
    ],
)
def test_purls(config: Settings, text: str, name: str, purl: str) -> None:
    found = receive(text, config)
    assert (found.kind, found.name, found.purl) == ("purl", name, purl)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pkg:", "is no purl"),
        ("pkg:npm", "is no purl"),
        ("pkg:npm/x?vcs_url=y", "qualifiers"),
        ("/no/such/place", "There is no"),
    ],
)
def test_nonsense_is_a_sentence(config: Settings, text: str, says: str) -> None:
    with pytest.raises(NothingToScanError, match=says) as caught:
        receive(text, config)
    assert caught.value.advice


@pytest.mark.parametrize("name", ["a-1.0.0.tgz", "a-1.0-py3-none-any.whl", "a-1.0.gem", "a-1.0.tar.gz"])
def test_a_folder_that_holds_one_package_archive_stands_for_it(
    config: Settings, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / name).write_bytes(b"bytes")
    (folder / ".DS_Store").write_bytes(b"")
    received = receive(folder, config)
    assert (received.kind, received.name) == ("archive", name)
    (folder / "README.md").write_text("")
    assert receive(folder, config).kind == "directory", "what else lies there may be a project"


def test_no_link_is_taken_for_a_package_archive(config: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (tmp_path / "real.tgz").write_bytes(b"bytes")
    (folder / "a.tgz").symlink_to(tmp_path / "real.tgz")
    assert receive(folder, config).kind == "directory"
