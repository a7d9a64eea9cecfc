"""The driver that points away what cannot be had, with this host's node and npm's own code."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.support.requires import need, needs_program

DRIVER = Path(str(resources.files("package_hunter.ecosystems.npm"))) / "elsewhere.js"
# Stands for the manager: notes what it sees, and unpacks as one would.
MANAGER = """
const fs = require('fs'), path = require('path'), { execFileSync } = require('child_process')
const manifest = JSON.parse(fs.readFileSync('package.json', 'utf8'))
fs.writeFileSync(process.env.SEEN, JSON.stringify({ words: process.argv.slice(2), manifest }))
for (const [name, spec] of Object.entries({ ...manifest.dependencies, ...manifest.overrides })) {
  const folder = path.join('node_modules', name)
  fs.mkdirSync(folder, { recursive: true })
  if (spec.startsWith('file:')) execFileSync('tar', ['-xzf', spec.slice(5), '-C', folder, '--strip-components=1'])
}
fs.writeFileSync('package-lock.json', 'changed')
fs.writeFileSync('yarn.lock', 'made')
process.exit(Number(process.env.CODE || 0))
"""


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            good = self.path.startswith("/good") and self.headers["user-agent"].startswith("npm/")
            self.send_response(200 if good else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def _run(
    folder: Path, manifest: dict[str, Any], candidates: list[dict[str, Any]], code: int = 0
) -> tuple[int, dict[str, Any]]:
    needs_program("node")
    node = subprocess.run(
        ["node", "-p", "process.execPath"], capture_output=True, text=True, check=True
    ).stdout.strip()
    need((Path(node).parent.parent / "lib/node_modules/npm").is_dir(), "needs npm beside node")
    project = folder / "project"
    project.mkdir()
    (project / "package.json").write_text(json.dumps(manifest))
    (project / "package-lock.json").write_text("as it was")
    (folder / "manager.js").write_text(MANAGER)
    listed = {"manager": "npm", "folders": [], "allowed": ["ok.example"], "candidates": candidates}
    (folder / "list.json").write_text(json.dumps(listed))
    environment = {
        "SEEN": str(folder / "seen.json"),
        "CODE": str(code),
        "PATH": "/usr/bin:/bin",
        "TMPDIR": str(folder),
    }
    argv = [node, str(DRIVER), str(folder / "list.json"), node, str(folder / "manager.js"), "ci"]
    done = subprocess.run(argv, cwd=project, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, json.loads((folder / "seen.json").read_text())


def test_what_cannot_be_had_is_pointed_away_and_all_is_as_it_was(tmp_path: Path, server: str) -> None:
    manifest = {
        "name": "app",
        "dependencies": {"near": f"{server}/good.tgz", "far": f"{server}/bad.tgz", "ms": "2"},
    }
    candidates = [
        {"name": "near", "version": "", "from": f"{server}/good.tgz", "requires": {}},
        {"name": "far", "version": "1.2.3", "from": f"{server}/bad.tgz", "requires": {"ms": "^2"}},
        {"name": "deep", "version": "2.0.0", "from": f"git+{server}/bad/deep.git#ab", "requires": {}},
    ]
    code, seen = _run(tmp_path, manifest, candidates)
    assert code == 0
    asked = seen["manifest"]["dependencies"]
    assert asked["near"] == manifest["dependencies"]["near"] and asked["ms"] == "2"  # type: ignore[index]
    assert asked["far"].startswith("file:") and seen["manifest"]["overrides"]["deep"].startswith("file:")
    project = tmp_path / "project"
    assert json.loads((project / "package.json").read_text()) == manifest
    assert (project / "package-lock.json").read_text() == "as it was" and not (project / "yarn.lock").exists()
    assert sorted(p.name for p in (project / "node_modules").iterdir()) == ["ms", "near"]
    assert not list(tmp_path.glob("npm-*"))


def test_where_all_answers_the_manager_sees_the_project_itself(tmp_path: Path, server: str) -> None:
    manifest = {"name": "app", "dependencies": {"near": f"{server}/good.tgz"}}
    candidates = [
        {"name": "near", "version": "", "from": f"{server}/good.tgz", "requires": {}},
        {"name": "other", "version": "", "from": "https://ok.example/x.tgz", "requires": {}},  # is not asked
    ]
    code, seen = _run(tmp_path, manifest, candidates, code=7)
    assert code == 7 and seen["manifest"] == manifest and seen["words"] == ["ci"]
