"""Bad input: a sentence that says what and what to do, the right exit code, no traceback, nothing left."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from tests.support import requires
from tests.support.hunter import hunt, npm_project


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()


def tgz(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


MANIFEST = (member("package.json"), b'{"name":"x","version":"1.0.0"}')


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda p: p.write_bytes(b"this is no archive" * 99), id="no archive"),
        pytest.param(lambda p: p.write_bytes(gzip.compress(b"x" * 9999)[:40]), id="truncated gzip"),
        pytest.param(lambda p: p.write_bytes(b""), id="empty"),
        pytest.param(lambda p: tgz(p, (member("README"), b"hello")), id="no manifest"),
        pytest.param(lambda p: tgz(p, (member("package.json"), b"{not json")), id="broken manifest"),
        pytest.param(lambda p: tgz(p, MANIFEST, (member("/etc/x"), b"x")), id="absolute path"),
        pytest.param(lambda p: tgz(p, MANIFEST, (member("../x"), b"x")), id="dot dot"),
        pytest.param(lambda p: tgz(p, MANIFEST, (member("null", tarfile.CHRTYPE), b"")), id="device"),
    ],
)
def test_bad_archive(tmp_path: Path, make) -> None:
    path = tmp_path / "t.tgz"
    make(path)
    done = hunt("scan", path)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_nothing_there(tmp_path: Path) -> None:
    done = hunt("scan", tmp_path / "no-such-thing")
    assert done.returncode in (2, 3)
    assert "no-such-thing" in done.stderr


def test_unknown_format(tmp_path: Path) -> None:
    done = hunt("scan", npm_project(tmp_path / "p", "x"), "--format", "smoke-signals")
    assert done.returncode == 2
    assert "smoke-signals" in done.stderr


def test_rule_file_error(tmp_path: Path) -> None:
    rules = tmp_path / "r.yaml"
    rules.write_text("- rule: x\n  desc: d\n  condition: evt.type = (\n  output: o\n  priority: INFO\n")
    done = hunt("scan", npm_project(tmp_path / "p", "x"), "--rules", rules)
    assert done.returncode == 2
    assert "r.yaml" in done.stderr
    assert "Traceback" not in done.stderr
