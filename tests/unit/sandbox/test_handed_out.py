"""Runtimes packed as their makers' releases are, out of a made-up image."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from package_hunter.sandbox.handed_out import HandedOut


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "image"
    for name in ("usr/local/opt/bun/bin/bun", "usr/local/opt/deno/bin/deno", "usr/local/opt/node20/bin/node",
                 "usr/local/opt/node20/lib/node_modules/npm/bin/npm-cli.js", "usr/local/bin/node",
                 "usr/bin/python3.11", "usr/lib/python3.11/os.py", "usr/lib/python3.11/test/big.py",
                 "usr/lib/python3/dist-packages/pip/__main__.py"):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(0o755)
    header = root / "usr/local/include/node/node_version.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define NODE_MAJOR_VERSION 24\n")
    (root / "usr/local/opt/node20/bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    return root


@pytest.fixture
def given(root: Path, tmp_path: Path) -> HandedOut:
    return HandedOut(root, tmp_path / "kept")


def content(given: HandedOut, name: str) -> bytes:
    file = given(name)
    assert file is not None
    with file:
        return file.read()


@pytest.mark.parametrize(
    ("name", "inner", "says"),
    [
        ("bun-linux-x64.zip", "bun-linux-x64/bun", "usr/local/opt/bun/bin/bun"),
        ("bun-linux-x64-baseline.zip", "bun-linux-x64-baseline/bun", "usr/local/opt/bun/bin/bun"),
        ("deno-x86_64-unknown-linux-gnu.zip", "deno", "usr/local/opt/deno/bin/deno"),
    ],
)
def test_a_zip_holds_the_program(given: HandedOut, name: str, inner: str, says: str) -> None:
    with zipfile.ZipFile(io.BytesIO(content(given, name))) as archive:
        assert archive.namelist() == [inner]
        assert archive.read(inner).decode() == says
        assert archive.getinfo(inner).external_attr >> 16 == 0o755


@pytest.mark.parametrize(
    ("name", "program", "says"),
    [
        (
            "node-v20.11.0-linux-x64.tar.xz",
            "node-v20.11.0-linux-x64/bin/node",
            "usr/local/opt/node20/bin/node",
        ),
        ("node-v21.1.0-linux-x64.tar.gz", "node-v21.1.0-linux-x64/bin/node", "usr/local/opt/node20/bin/node"),
        ("node-v25.0.1-linux-x64.tar.gz", "node-v25.0.1-linux-x64/bin/node", "usr/local/bin/node"),
        (
            "cpython-3.12.4+20240713-x86_64-unknown-linux-gnu-install_only.tar.gz",
            "python/bin/python3",
            "usr/bin/python3.11",
        ),
    ],
)
def test_a_tar_holds_the_nearest_version_under_the_name_that_was_asked_for(
    given: HandedOut, name: str, program: str, says: str
) -> None:
    with tarfile.open(fileobj=io.BytesIO(content(given, name))) as archive:
        member = archive.getmember(program)
        found = archive.extractfile(member)
        assert found is not None and found.read().decode() == says
        assert member.mode == 0o755 and member.uid == 0
        assert not [one for one in archive.getnames() if "/test/" in one]


@pytest.mark.parametrize(
    "name",
    ["", "bun-linux-x64.zip/", "../bun-linux-x64.zip", "bun-darwin-x64.zip", "node-v20.0.0-win-x64.zip",
     "node-v20.0.0-linux-x64.tar.xz\n", "node-v20.0-linux-x64.tar.gz", "python-3.12.0-embed-amd64.zip"],
)  # fmt: skip
def test_anything_else_is_not_handed_out(given: HandedOut, name: str) -> None:
    assert given(name) is None


def test_one_scan_gets_a_few_and_what_was_packed_is_kept(
    given: HandedOut, root: Path, tmp_path: Path
) -> None:
    names = [f"node-v20.0.{n}-linux-x64.tar.gz" for n in range(20)]
    files = [given(name) for name in names]
    for file in files:
        if file is not None:
            file.close()
    assert [file is not None for file in files] == [True] * 6 + [False] * 14
    kept = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "kept").iterdir()}
    assert len(kept) == 6
    assert content(HandedOut(root, tmp_path / "kept"), names[0])
    assert {one.name: one.stat().st_mtime_ns for one in (tmp_path / "kept").iterdir()} == kept


def test_no_link_leads_out_of_the_image(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    bun = root / "usr/local/opt/bun/bin/bun"
    bun.unlink()
    bun.symlink_to(secret)
    modules = root / "usr/lib/python3.11/site"
    modules.symlink_to(tmp_path)
    given = HandedOut(root, tmp_path / "kept")
    assert given("bun-linux-x64.zip") is None
    name = "cpython-3.11.4+20240713-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(content(given, name))) as archive:
        assert archive.getmember("python/lib/python3.11/site").issym()
        assert not [one for one in archive.getnames() if one.endswith("secret")]
