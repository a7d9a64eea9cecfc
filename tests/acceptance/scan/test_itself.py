"""A folder or an archive that is a package itself is loaded, too, and by depth looked at further."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.hunter import scan_json
from tests.support.requires import needs_btf, needs_runc

STEAL = "require('fs').readFileSync(require('os').homedir() + '/.aws/credentials')\n"
PYTHON = "import os\nfrom fastlib import _c\nopen(os.path.expanduser('~/.aws/credentials')).read()\n"
RUBY = 'File.read(File.expand_path("~/.aws/credentials"))\n'
C = """#include <Python.h>
static struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "_c", 0, -1, 0};
PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&m); }
"""
SETUP = """from setuptools import Extension, setup
setup(name="fastlib", version="2.0", packages=["fastlib"], ext_modules=[Extension("fastlib._c", ["c.c"])])
"""
SPEC = """Gem::Specification.new do |s|
  s.name = "handy"; s.version = "1.2.0"; s.summary = "x"; s.authors = ["a"]; s.files = ["lib/handy.rb"]
end
"""


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    needs_runc()
    needs_btf()


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def readers(report: dict[str, Any]) -> set[str]:
    return {f["blame"]["package"] for f in report["findings"] if f["kind"] == "credential_access"}


def test_an_attack_in_the_own_main_module_is_seen_in_every_ecosystem(tmp_path: Path) -> None:
    """One folder that is a package of all three; the Python one has a part that only its build makes, and its
    source folder lies beside it."""
    manifest = {"name": "handy", "version": "1.2.0", "main": "main.js", "workspaces": ["packages/*"]}
    member = {"name": "member", "version": "1.0.0", "private": True, "main": "main.js"}
    files = {
        "package.json": json.dumps(manifest),
        "main.js": STEAL,
        "packages/member/package.json": json.dumps(member),
        "packages/member/main.js": STEAL,
        "setup.py": SETUP,
        "c.c": C,
        "fastlib/__init__.py": PYTHON,
        "handy.gemspec": SPEC,
        "lib/handy.rb": RUBY,
    }
    report = scan_json(write(tmp_path / "handy", files), codes=(0, 1))
    assert report["verdict"] == "suspicious" and report["depth"] == "quick"
    assert readers(report) == {"pkg:npm/handy@1.2.0", "pkg:pypi/fastlib@2.0", "pkg:gem/handy@1.2.0"}
    assert any("member (private" in note for note in report["coverage"]["notes"])
    assert not any("ended with an error" in note for note in report["coverage"]["notes"])


def test_what_the_time_does_not_suffice_for_is_loaded_together(tmp_path: Path) -> None:
    """Ten modules use up the time; a further one ends the process, and the last one would be left out."""
    slow = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3100)"
    files = {f"lib/a{n}.js": slow for n in range(10)}
    files |= {"lib/b.js": "process.exit(1)", "lib/z.js": STEAL, "main.js": ""}
    manifest = {"name": "handy", "version": "1.2.0", "main": "main.js"}
    folder = write(tmp_path / "handy", {"package.json": json.dumps(manifest), **files})
    report = scan_json(folder, "--depth", "standard", "--worlds", "default", codes=(0, 1))
    assert readers(report) == {"pkg:npm/handy@1.2.0"}
    assert any(
        re.match(r"[23] of 12 sub-modules were loaded together", n) for n in report["coverage"]["notes"]
    )


def test_standard_finds_what_hides_in_a_sub_module_until_it_is_in_production(tmp_path: Path) -> None:
    hidden = f"if (process.env.NODE_ENV === 'production' && !process.env.CI) {STEAL}"
    manifest = {"name": "handy", "version": "1.2.0", "main": "main.js"}
    folder = write(
        tmp_path / "handy-1.2.0",
        {
            "package.json": json.dumps(manifest),
            "main.js": "",
            "lib/later.js": hidden,
            "lib/bad.js": "nothere()",
        },
    )
    archive = tmp_path / "handy.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    report = scan_json(archive, "--depth", "standard", codes=(0, 1))
    assert report["depth"] == "standard"
    assert readers(report) == {"pkg:npm/handy@1.2.0"}
    gated = [f["title"] for f in report["findings"] if f["kind"] == "gated_behaviour"]
    assert gated and "elsewhere" in gated[0]
    (failed,) = (note for note in report["coverage"]["notes"] if "ended with an error" in note)
    assert "require/lib/bad.js" in failed and "ReferenceError: nothere is not defined" in failed
