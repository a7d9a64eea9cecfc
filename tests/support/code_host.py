"""A code host on loopback, reached as a forward proxy would be: an npm archive and a git repository (served by
git's own http-backend) that is a package of npm's and of Python's."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class CodeHost:
    """``name`` is its host name, ``asked`` what it was asked: method, URL, Authorization header."""

    def __init__(self, folder: Path) -> None:
        self.name = f"code-{secrets.token_hex(4)}.example"
        self.asked: list[tuple[str, str, str | None]] = []
        self.archive = _archive("from-archive")
        self._folder = folder
        _repository(folder / "from-git.git")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.asked.append((self.command, self.path, self.headers.get("authorization")))
                if urlsplit(self.path).path.endswith(".tgz"):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(outer.archive)
                else:
                    self._git(body)

            do_POST = do_GET

            def _git(self, body: bytes) -> None:
                url = urlsplit(self.path)
                environment = {
                    "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(outer._folder), "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": url.path, "QUERY_STRING": url.query, "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("git-protocol", ""), "HOME": str(outer._folder),
                    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                }  # fmt: skip
                done = subprocess.run(
                    ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
                )
                head, _, rest = done.stdout.partition(b"\r\n\r\n")
                self.send_response(200)
                for line in head.decode().split("\r\n"):
                    name, colon, value = line.partition(": ")
                    if colon and name != "Status":
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(rest)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.proxy = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def digest(self) -> str:
        """Of the archive."""
        return hashlib.sha256(self.archive).hexdigest()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _archive(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in (("package/package.json", _manifest(name)), ("package/index.js", b"")):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _manifest(name: str) -> bytes:
    return json.dumps({"name": name, "version": "1.0.0", "main": "index.js"}).encode()


def _repository(path: Path) -> None:
    work = path.with_suffix(".work")
    work.mkdir(parents=True)
    work.joinpath("package.json").write_bytes(_manifest("from-git"))
    work.joinpath("index.js").write_text("")
    setup = "from setuptools import setup\nsetup(name='from-git', version='1.0.0', py_modules=['from_git'])\n"
    work.joinpath("setup.py").write_text(setup)
    work.joinpath("from_git.py").write_text("")
    who = ["-c", "user.name=x", "-c", "user.email=x@mail.example"]
    for command in (
        ["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-q", "-m", "one"],
        ["clone", "-q", "--bare", str(work), str(path)],
    ):  # fmt: skip
        subprocess.run(["git", "-C", str(work), *command], check=True, capture_output=True)
