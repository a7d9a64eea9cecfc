"""A Python index on loopback, reached as a forward proxy would be, so that it may have a reserved name; and packages
made on the spot."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import secrets
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(name: str, files: dict[str, str]) -> bytes:
    """Version 1.0 of a package, as a wheel of these files."""
    info = f"{name}-1.0.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    every = {**files, f"{info}/METADATA": head, f"{info}/WHEEL": _WHEEL}
    rows = [f"{path},sha256={_digest(text.encode())},{len(text)}\n" for path, text in every.items()]
    every[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in every.items():
            archive.writestr(path, text)
    return buffer.getvalue()


def source(name: str, files: dict[str, str]) -> bytes:
    """Version 1.0 of a package, as a source archive whose metadata only its build knows."""
    every = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", **files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in every.items():
            member = tarfile.TarInfo(f"{name}-1.0/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


class PypiServer:
    """``url`` is the index, ``proxy`` how it is reached. ``archives``: file name -> content."""

    def __init__(self, archives: dict[str, bytes]) -> None:
        self.archives = archives
        self.url = f"http://index-{secrets.token_hex(4)}.example/simple/"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body, kind = outer.answer(urlsplit(self.path).path.strip("/").split("/"))
                self.send_response(200 if body else 404)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.proxy = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, parts: list[str]) -> tuple[bytes, str]:
        """What a path has, and its media type; nothing where it has none."""
        if parts[0] == "files":
            return self.archives.get(parts[-1], b""), "application/octet-stream"
        name = re.sub(r"[-_.]+", "-", parts[-1]).lower()
        links = [
            f'<a href="/files/{file}#sha256={hashlib.sha256(data).hexdigest()}">{file}</a>'
            for file, data in self.archives.items()
            if re.sub(r"[-_.]+", "-", file.partition("-1.0")[0]).lower() == name
        ]
        return "\n".join(links).encode(), "text/html"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
