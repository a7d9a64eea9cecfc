"""npm registries on loopback, several hosts of reserved names behind one forward proxy."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import secrets
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

Packages = dict[str, dict[str, str]]  # name -> its package.json's scripts


class NpmServer:
    """``asked`` holds host, path and Authorization header of each request; every package is version 1.0.0 but
    what ``versions`` says otherwise."""

    def __init__(self, **hosts: Packages) -> None:
        mark = secrets.token_hex(4)
        self.hosts = {f"{name}-{mark}.example": packages for name, packages in hosts.items()}
        self.names = dict(zip(hosts, self.hosts, strict=True))
        self.asked: list[tuple[str, str, str | None]] = []
        self.versions: dict[tuple[str, str], str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                outer.asked.append((url.hostname or "", unquote(url.path), self.headers.get("authorization")))
                body = outer.answer(url.hostname or "", unquote(url.path).lstrip("/"))
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(body or b"{}")))
                self.end_headers()
                self.wfile.write(body or b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.proxy = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def archive(self, host: str, name: str) -> bytes:
        """A package's archive, always the same."""
        manifest = {"name": name, "version": self.version(host, name), "scripts": self.hosts[host][name]}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, text in (
                ("package/package.json", json.dumps(manifest)),
                ("package/index.js", f"// {host}\n"),
            ):
                member = tarfile.TarInfo(path)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        return buffer.getvalue()

    def version(self, host: str, name: str) -> str:
        """The one version of a package there."""
        return self.versions.get((host, name), "1.0.0")

    def integrity(self, host: str, name: str) -> str:
        """Its digest as lock files have it."""
        return "sha512-" + base64.b64encode(hashlib.sha512(self.archive(host, name)).digest()).decode()

    def answer(self, host: str, path: str) -> bytes | None:
        """What lies there."""
        name, dash, _ = path.partition("/-/")
        if name not in self.hosts.get(host, {}):
            return None
        if dash:
            return self.archive(host, name)
        version = self.version(host, name)
        plain = name.rpartition("/")[2]
        dist = {
            "tarball": f"http://{host}/{name}/-/{plain}-{version}.tgz",
            "integrity": self.integrity(host, name),
        }
        scripts = self.hosts[host][name]
        manifest = {"name": name, "version": version, "dist": dist, "hasInstallScript": bool(scripts)}
        found = {"name": name, "dist-tags": {"latest": version}, "versions": {version: manifest}}
        return json.dumps(found).encode()

    def home(self, folder: Path, more: str = "") -> Path:
        """A home whose .npmrc names the first host as npm's registry."""
        folder.mkdir(exist_ok=True)
        first = next(iter(self.hosts))
        folder.joinpath(".npmrc").write_text(f"registry=http://{first}/\nproxy={self.proxy}\n{more}")
        return folder

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
