"""A repository with several ecosystems is scanned whole; a world is a box of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from package_hunter.ecosystems.worlds import WORLDS
from tests.support import requires
from tests.support.hunter import npm_project, project_with, scan_json

GATED = 'test -n "$CI" && wget -qO- --tries=1 http://gate.example/x || true'


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()
    requires.needs_registry()


def test_each_ecosystem_is_a_target(tmp_path: Path) -> None:
    project = npm_project(tmp_path / "p", "both", {"postinstall": "node -e 0"})
    (project / "requirements.txt").write_text("six==1.16.0\n")
    report = scan_json(project)
    assert [t["ecosystem"] for t in report["targets"]] == ["npm", "pypi"]
    assert report["target"] == report["targets"][0]
    assert "pkg:pypi/six@1.16.0" in [p["purl"] for p in report["packages"]]
    status = {(p["ecosystem"], p["name"]): p["status"] for p in report["coverage"]["phases"]}
    assert status["npm", "install"] == status["pypi", "install"] == status["pypi", "import"] == "ok"
    assert report["coverage"]["reasons"] == []
    keys = [p["key"] for p in report["processes"]]
    assert len(keys) == len(set(keys))
    assert report["verdict"] == "no_findings"


def test_what_acts_in_some_worlds_only_is_gated(tmp_path: Path) -> None:
    project = project_with(tmp_path / "p", gate={"postinstall": GATED})
    report = scan_json(project, "--worlds", "laptop,ci", "--phases", "install", codes=(0, 1))
    gated = [f for f in report["findings"] if f["kind"] == "gated_behaviour"]
    assert [f["blame"]["package"] for f in gated] == ["pkg:npm/gate@1.0.0"]
    assert any("gate.example" in e["what"] and e["data"]["seen"] == ["ci"] for e in gated[0]["evidence"])
    assert {p["world"] for p in report["coverage"]["phases"]} == {"laptop", "ci"}


def test_honest_package_is_the_same_in_every_world() -> None:
    report = scan_json("pkg:npm/is-number@7.0.0", "--worlds", "all")
    assert report["verdict"] == "no_findings", report["findings"]
    assert len({p["world"] for p in report["coverage"]["phases"]}) == len(WORLDS)
    assert report["coverage"]["reasons"] == []


def test_clock_is_a_later_one(tmp_path: Path) -> None:
    look = "wget -qO- --tries=1 http://$(date +%Y).$(node -p 'new Date().getFullYear()').example/ || true"
    waits = "python3 -c 'import threading, time; time.sleep(0.1); threading.Event().wait(0.1)'"  # as honest ones do
    project = project_with(tmp_path / "p", clock={"postinstall": f"{waits} && ({look})"})
    report = scan_json(project, "--worlds", "later", "--phases", "install", codes=(0, 1))
    later = (datetime.now(UTC) + timedelta(days=400)).year
    assert f"{later}.{later}.example" in {d["name"] for d in report["network"]["dns"]}
