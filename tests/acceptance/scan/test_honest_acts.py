"""Everyday acts of packages are not called proof, and a build is not called the removal of traces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hunter import npm_project, project_with, scan_json
from tests.support.requires import needs_btf, needs_registry, needs_runc, needs_shared


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("npm-gifsicle", "suspicious"),
        ("behaviour/m1-npmrc-proxy", "suspicious"),
        ("behaviour/m3-py", "suspicious"),
        ("behaviour/m4-ssh-msgpack", "suspicious"),
        ("behaviour/b1-own-build", "no_findings"),
    ],
)
def test_what_honest_packages_do_is_no_proof(case: str, verdict: str, tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    cases = needs_shared("cases")
    if case.startswith("npm-"):
        needs_registry()
    copy = tmp_path / "case"
    subprocess.run(
        [sys.executable, str(cases / "expand.py"), str(cases / case), str(copy)],
        check=True,
        capture_output=True,
    )
    archive = next((p for p in sorted(copy.iterdir()) if p.suffix in (".tgz", ".whl")), copy)
    report = scan_json(archive)
    assert report["verdict"] == verdict, report["findings"]


_KEEPS = """
const fs = require("fs"), m = JSON.parse(fs.readFileSync("package.json"));
m.builtFor = process.version;
fs.writeFileSync("package.json.tmp", JSON.stringify(m));
fs.renameSync("package.json.tmp", "package.json");
fs.writeFileSync("stage.js", ""); fs.unlinkSync("stage.js");
"""
_DROPS = """
const fs = require("fs"), m = JSON.parse(fs.readFileSync("package.json"));
delete m.scripts;
fs.writeFileSync("package.json", JSON.stringify(m));
"""


_HOOKS = """
const fs = require("fs"), path = require("path");
fs.writeFileSync(path.join(process.env.INIT_CWD, ".git/hooks/" + process.argv[2]), "#!/bin/sh\\nnpm test\\n");
"""


def test_traces_and_hooks_are_judged_by_whose_they_are_and_our_own_starts_are_not_listed(
    tmp_path: Path,
) -> None:
    """One scan: a manifest that was written, one that lost its scripts, hooks of the project and of a dependency."""
    needs_btf()
    needs_runc()
    works = {"builder": _KEEPS, "cleaner": _DROPS, "hooker": _HOOKS}
    app = project_with(tmp_path / "app", **{name: {} for name in works})
    for name, text in works.items():
        source = npm_project(tmp_path / name, name, {"postinstall": "node work.js pre-push"})
        (source / "work.js").write_text(text)
        packed = ["npm", "pack", "--silent", "--pack-destination", str(app), str(source)]
        subprocess.run(packed, check=True, capture_output=True, cwd=tmp_path)
    manifest = json.loads((app / "package.json").read_text())
    manifest["dependencies"] = {name: f"file:{name}-1.0.0.tgz" for name in works}
    manifest["scripts"] = {"prepare": "node hook.js pre-commit && git config core.hooksPath .git/hooks"}
    (app / "hook.js").write_text(_HOOKS)
    (app / "package.json").write_text(json.dumps(manifest))
    report = scan_json(app)
    found = [(f["kind"], f["blame"]["package"]) for f in report["findings"] if f["severity"] != "info"]
    wanted = [("git_hook", "pkg:npm/hooker@1.0.0"), ("self_cleaning", "pkg:npm/cleaner@1.0.0")]
    assert sorted(found) == wanted, report["findings"]
    told = [(f["kind"], f["blame"]["package"]) for f in report["findings"] if f["severity"] == "info"]
    assert told == [("git_hook", None)], report["findings"]
