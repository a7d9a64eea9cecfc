"""Package managers that ask a registry under its second name, in a real box."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from package_hunter.sandbox.image import built_in_registries, find_image
from package_hunter.sandbox.mounts import mount_image
from tests.support.hunter import npm_project, scan_json
from tests.support.npm_server import NpmServer
from tests.support.requires import needs_btf, needs_program, needs_registry, needs_runc, needs_shared


def test_yarn_may_send_the_token_for_a_scope_to_its_own_name_of_the_registry(tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    needs_registry()
    cases = needs_shared("cases")
    project = tmp_path / "app"
    expand = [sys.executable, str(cases / "expand.py"), str(cases / "yarn1-scoped"), str(project)]
    subprocess.run(expand, check=True, capture_output=True)
    report = scan_json(project)
    assert report["verdict"] == "no_findings", report["findings"]
    assert report["canaries"]["sent"], "yarn did send it, so the case says something"
    assert all(hit["lawful"] for hit in report["canaries"]["sent"])


def test_where_the_host_has_a_mirror_the_built_in_names_are_asked_of_that(tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    needs_program("npm")
    names = built_in_registries(mount_image(find_image()))["npm"]
    server = NpmServer(mirror={"left": {}, "right": {}})
    mirror = server.names["mirror"]
    try:
        project = npm_project(tmp_path / "app", "app", dependencies={"left": "1.0.0", "right": "1.0.0"})
        entries = [
            f'{name}@1.0.0:\n  version "1.0.0"\n  resolved "{url}{name}/-/{name}-1.0.0.tgz"\n'
            f"  integrity {server.integrity(mirror, name)}\n"
            for name, url in zip(("left", "right"), names, strict=True)
        ]
        (project / "yarn.lock").write_text("# yarn lockfile v1\n\n\n" + "\n".join(entries))
        kept = {k: v for k, v in os.environ.items() if not k.lower().startswith("npm_config_")}
        report = scan_json(project, env={**kept, "HOME": str(server.home(tmp_path / "home"))})
    finally:
        server.close()
    assert report["verdict"] == "no_findings", report["findings"]
    assert {p["purl"] for p in report["packages"]} == {"pkg:npm/left@1.0.0", "pkg:npm/right@1.0.0"}
    assert {host for host, _, _ in server.asked} == {mirror}
