"""A registry that is down ends a scan with 69, whatever the manager and however it is down."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.hunter import hunt, npm_project
from tests.support.requires import needs_asking, needs_btf, needs_program, needs_runc

SILENT = "http://127.0.0.1:9/"  # the discard port: nothing listens


@pytest.fixture(scope="module")
def failing() -> Iterator[str]:
    """A proxy that answers 503 for whatever host."""
    needs_btf()
    needs_runc()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def environment(**more: str) -> dict[str, str]:
    names = ("npm_config_", "pip_", "http_proxy", "https_proxy")
    kept = {key: value for key, value in os.environ.items() if not key.lower().startswith(names)}
    return {**kept, **more}


def projects(folder: Path) -> dict[str, str]:
    """One for each manager, and a purl of each kind."""
    lock = '# yarn lockfile v1\n\n\nnot-there@1.0.0:\n  version "1.0.0"\n'
    for name in ("npm", "yarn", "pnpm"):
        npm_project(folder / name, "app", dependencies={"not-there": "1.0.0"})
    (folder / "yarn/yarn.lock").write_text(lock)
    (folder / "pnpm/pnpm-lock.yaml").write_text("lockfileVersion: '9.0'\n")
    (folder / "pip").mkdir()
    (folder / "pip/requirements.txt").write_text("not-there==1.0.0\n")
    (folder / "gem").mkdir()
    (folder / "gem/Gemfile").write_text('source "http://gems-down.example"\ngem "not-there"\n')
    found = {name: str(folder / name) for name in ("npm", "yarn", "pnpm", "pip", "gem")}
    return {**found, "npm purl": "pkg:npm/not-there@1.0.0", "pip purl": "pkg:pypi/not-there@1.0.0"}


# in CI one of each way of being down; the rest where all cases are asked for
ROWS = [
    ("npm", "fails", False),
    ("pip purl", "refuses", False),
    ("pip", "fails", True),
    ("yarn", "no name", True),
    ("pnpm", "fails", True),
    ("npm purl", "fails", True),
    ("pip", "no name", True),
    ("gem", "fails", True),
]


@pytest.mark.parametrize(("target", "how", "on_request"), ROWS, ids=[f"{t}: {h}" for t, h, _ in ROWS])
def test_it_ends_with_69_and_names_what_was_silent(
    failing: str, target: str, how: str, on_request: bool, tmp_path: Path
) -> None:
    if on_request:
        needs_asking("PACKAGE_HUNTER_ALL_CASES", "all managers")
    needs_program("npm")
    url = {"fails": "http://down-registry.example/", "no name": "http://no-such.invalid/", "refuses": SILENT}[
        how
    ]
    env = environment(npm_config_registry=url, PIP_INDEX_URL=f"{url}simple", HOME=str(tmp_path))
    if how == "fails":
        env |= {"npm_config_proxy": failing, "PIP_PROXY": failing, "http_proxy": failing}
    (tmp_path / ".gemrc").write_text("---\n:sources:\n- http://gems-down.example/\n")
    (tmp_path / "projects").mkdir()
    done = hunt("scan", projects(tmp_path / "projects")[target], env=env)
    assert done.returncode == 69, done.stderr[-2000:] + done.stdout[-500:]
    assert "The registry did not answer" in done.stderr
    host = "gems-down.example" if target == "gem" else url.split("/")[2].split(":")[0]
    assert host in done.stderr
