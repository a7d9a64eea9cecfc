"""What passes to a registry, and what does not."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from package_hunter.decoy.registry.allow import AllowList
from package_hunter.decoy.registry.cache import Metadata, RegistryCache, best_digest
from package_hunter.ecosystems.npm.registry import lesson, read_path
from package_hunter.ecosystems.python.registry import artefact_names, metadata_lesson, page_lesson
from package_hunter.model.registry import RegistryAllow


def test_paths() -> None:
    assert read_path("/@scope%2fname").name == "@scope/name"
    assert read_path("/name/-/name-1.0.0.tgz").kind == "tarball"
    assert read_path("/name/1.0.0").kind == "version"
    assert read_path("/-/whoami").kind == "service"
    assert read_path("/a/b/c/d").kind == "unknown"


def test_an_open_tree_grows_by_what_the_registry_says_and_a_closed_one_does_not() -> None:
    packument = {
        "versions": {
            "1.0.0": {
                "dependencies": {"b": "^1", "alias": "npm:@s/real@2"},
                "dist": {"tarball": "https://r.example/a/-/a-1.0.0.tgz", "integrity": "sha512-xx"},
            }
        }
    }
    learnt = lesson(json.dumps(packument).encode())
    assert learnt["files"]["/a/-/a-1.0.0.tgz"][:2] == ("1.0.0", "sha512-xx")
    grown, closed = AllowList("npm"), AllowList("npm")
    grown.add(RegistryAllow("npm", frozenset({"a"})))
    closed.add(RegistryAllow("npm", frozenset({"a"}), closed=True, integrity={"a@1.0.0": "sha512-xx"}))
    for allowed in (grown, closed):
        allowed.learn(learnt["names"])
    assert grown.name("b") and grown.name("@s/real") and not grown.name("c")
    assert not closed.name("b")
    assert closed.version("a", "1.0.0") and not closed.version("a", "1.0.1")


def test_only_what_has_its_digest_stays_in_the_cache(tmp_path: Path) -> None:
    cache = RegistryCache(tmp_path, 1 << 20)
    digest = hashlib.sha512(b"good").hexdigest()
    for data, right in ((b"bad", False), (b"good", True)):
        pending = cache.begin_artefact("https://r.example/", "sha512", digest)
        assert pending
        pending.write(data)
        assert pending.commit() is right
    assert cache.artefact("https://r.example/", "sha512", digest) == b"good"
    assert cache.artefact("https://other.example/", "sha512", digest) is None
    path = next(p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(b"changed on disk")
    assert cache.artefact("https://r.example/", "sha512", digest) is None


def test_the_cache_holds_its_limit(tmp_path: Path) -> None:
    cache = RegistryCache(tmp_path, 50_000)
    for number in range(20):
        cache.store_metadata("u", f"p{number}", "v", Metadata(200, (), b"x" * 10_000, None, 0.0))
    cache.trim()
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) <= 50_000


def test_digests() -> None:
    sha1 = base64.b64encode(hashlib.sha1(b"x").digest()).decode()
    sha512 = base64.b64encode(hashlib.sha512(b"x").digest()).decode()
    assert best_digest(f"sha1-{sha1} sha512-{sha512}") == ("sha512", hashlib.sha512(b"x").hexdigest())
    assert best_digest("sha512-!!! md5-abc") is None


def test_python_pages_and_metadata() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    page = f'<a href="../../files/a-1.whl#sha256={digest}">a</a>'.encode()
    assert list(page_lesson(page, "https://p.example/simple/a/")["files"]) == [
        "https://p.example/files/a-1.whl"
    ]
    assert metadata_lesson(b"Name: a\nRequires-Dist: b>=1; extra == 'x'\n")["names"] == ["b"]
    assert artefact_names(b"PK\x03\x04broken") == {"setuptools", "wheel", "pip"}


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        (
            "a-1/setup.py",
            "setup(setup_requires=['pytest-runner>=2', \"Odd.Tool\"])",
            {"pytest-runner", "Odd.Tool"},
        ),
        (
            "a-1/setup.py",
            "setup(setup_requires='one>1', install_requires=[x + 'computed'])",
            {"one", "computed"},
        ),
        (
            "a-1/setup.cfg",
            "[options]\nsetup_requires =\n  cfg-tool # why\n  other<2\npackages = x\n",
            {"cfg-tool", "other"},
        ),
        ("a-1/docs/setup.py", "setup(setup_requires=['deep'])", set()),
        ("a-1/setup.py", "setup_requires=[" * 100, set()),
    ],
)
def test_what_a_source_archives_build_asks_for_in_plain_words(name: str, text: str, named: set[str]) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for path in (name, f"b-1/{name.rpartition('/')[2]}", "c-1/setup.py"):
            member = tarfile.TarInfo(path)
            member.size = len(text) if path == name else 0
            archive.addfile(member, io.BytesIO(text.encode()))
    assert artefact_names(data.getvalue()) == {"setuptools", "wheel", "pip"} | named


def test_a_folder_that_cannot_be_had_costs_the_cache_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    cache = RegistryCache(tmp_path / "cache", 1 << 20)
    cache.store_metadata("https://r.example/", "a", "", Metadata(200, (), b"{}", None, 0.0))
    assert cache.metadata("https://r.example/", "a", "") is None
    assert cache.begin_artefact("https://r.example/", "sha256", "00" * 32) is None
    assert cache.artefact("https://r.example/", "sha256", "00" * 32) is None
    cache.trim()


def test_a_folder_that_goes_away_costs_the_artefact_and_nothing_else(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    pending = RegistryCache(tmp_path, 1 << 20).begin_artefact("https://r.example/", "sha256", digest)
    assert pending is not None
    shutil.rmtree(tmp_path)
    tmp_path.write_text("no folder")
    pending.write(b"data")
    assert pending.commit()
