"""A forge on loopback: git's own HTTP server (git http-backend) behind Basic authentication; repositories for it."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "glpat-made-for-a-test"


def git(folder: Path, *arguments: str) -> str:
    """Git with nobody's settings; what it prints."""
    environment = {
        **{"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
        **{"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@corp.example"},
        **{"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@corp.example"},
    }
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def repository(folder: Path, **files: bytes | str) -> tuple[Path, str]:
    """A repository with these files in one commit, and the commit's name. A text is a link's target."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "a test", "--allow-empty")
    return folder, git(folder, "rev-parse", "HEAD")


@dataclass
class Forge:
    """What runs: its address, and what was asked of it (path and whether the token came along)."""

    url: str
    asked: list[tuple[str, bool]] = field(default_factory=list)


@contextmanager
def forge(folder: Path, redirect: str = "", token: str = TOKEN) -> Iterator[Forge]:
    """Serves the bare and other repositories below ``folder``; with ``redirect`` it sends everybody there."""
    made: Forge

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            wanted = "Basic " + base64.b64encode(f"oauth2:{token}".encode()).decode()
            known = self.headers.get("Authorization") == wanted
            made.asked.append((self.path, known))
            if redirect:
                self.send_response(302)
                self.send_header("Location", redirect + self.path)
                self.end_headers()
            elif not known:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
                self.end_headers()
            else:
                self._backend()

        do_GET = do_POST = _serve

        def _backend(self) -> None:
            path, _, query = self.path.partition("?")
            size = int(self.headers.get("Content-Length") or 0)
            environment = {
                **{"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1"},
                **{"REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query},
                **{"CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(size)},
                **{"GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_USER": "x"},
                **{"HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")},
                **{"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
            }
            done = subprocess.run(
                ["git", "http-backend"], input=self.rfile.read(size), env=environment, capture_output=True
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            lines = [line.decode().partition(": ") for line in head.split(b"\r\n")]
            fields = {name: value for name, _, value in lines}
            self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Forge(f"http://127.0.0.1:{server.server_address[1]}/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
