"""What a test's box holds, and an npm registry on loopback."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from package_hunter.decoy.canaries import make_canaries

CANARIES, _, ENV = make_canaries("scan")


class LocalRegistry:
    """An npm registry on loopback that remembers what it was asked and with which credentials."""

    def __init__(self, packages: dict[str, dict[str, dict[str, str]]]) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.tarballs: dict[str, bytes] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append((self.command, self.path, self.headers.get("authorization")))
                status, body = outer.answer(self.path)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._packages = packages
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def tarball(self, name: str, version: str) -> bytes:
        key = f"{name}@{version}"
        if key not in self.tarballs:
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
                data = json.dumps({"name": name, "version": version}).encode()
                member = tarfile.TarInfo("package/package.json")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            self.tarballs[key] = buffer.getvalue()
        return self.tarballs[key]

    def integrity(self, name: str, version: str = "1.0.0") -> str:
        """A package's archive as a lock file's SRI."""
        return "sha512-" + base64.b64encode(hashlib.sha512(self.tarball(name, version)).digest()).decode()

    def answer(self, path: str) -> tuple[int, bytes]:
        path = path.replace("%2f", "/").lstrip("/")
        name, dash, file = path.partition("/-/")
        if name not in self._packages:
            return 404, b"{}"
        if dash:
            return 200, self.tarball(name, file.removesuffix(".tgz").rpartition("-")[2])
        versions = {}
        for version, dependencies in self._packages[name].items():
            digest = hashlib.sha512(self.tarball(name, version)).digest()
            versions[version] = {
                "name": name, "version": version, "dependencies": dependencies,
                "dist": {"tarball": f"{self.url}{name}/-/{name.rpartition('/')[2]}-{version}.tgz",
                         "integrity": "sha512-" + base64.b64encode(digest).decode()},
            }  # fmt: skip
        latest = list(versions)[-1]
        return 200, json.dumps({"name": name, "versions": versions, "dist-tags": {"latest": latest}}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class LocalIndex(LocalRegistry):
    """A Python index with one package, whose page gives its file relative to itself."""

    file = b"not really a wheel"

    def answer(self, path: str) -> tuple[int, bytes]:
        if path == "/x/files/six-1.0.0-py3-none-any.whl":
            return 200, self.file
        if path != "/x/simple/six/":
            return 404, b""
        digest = hashlib.sha256(self.file).hexdigest()
        link = f"../../files/six-1.0.0-py3-none-any.whl#sha256={digest}"
        return 200, f'<a href="{link}">six-1.0.0-py3-none-any.whl</a>'.encode()
