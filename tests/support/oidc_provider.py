"""Identity providers on loopback: oidc-provider-mock as a process, and one that says whatever a test wants."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.service_harness import free_port, wait_for

LOOPBACK = "127.0.0.0/8"
AUDIENCE = "hunter"


@contextlib.contextmanager
def mock_provider() -> Iterator[str]:
    """The issuer of a running oidc-provider-mock."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(issuer))
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


def _answers(issuer: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{issuer}/jwks", trust_env=False).status_code == 200
    return False


def new_key(kid: str = "one") -> RSAKey:
    """A key of a forge."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


Answer = tuple[int, Any]


@dataclass
class Crooked:
    """A provider whose every answer a test can change: ``answers`` by path, a JSON value or a function of the form
    that was posted; ``asked`` are the paths that were asked for, in order."""

    issuer: str
    keys: list[RSAKey] = field(default_factory=lambda: [new_key()])
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def metadata(self) -> dict[str, Any]:
        """What it publishes of itself."""
        paths = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        return {"issuer": self.issuer} | {name: f"{self.issuer}/{name}" for name in paths}

    def claims(self, **more: Any) -> dict[str, Any]:
        """Those of a token that is right; None takes one away."""
        now = time.time()
        made = {"iss": self.issuer, "aud": AUDIENCE, "sub": "subject-1", "iat": now, "exp": now + 300}
        return {name: value for name, value in (made | more).items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """One that is signed."""
        made = {"alg": "RS256", "kid": self.keys[0].kid} | (header or {})
        algorithms = [made["alg"]]
        return jwt.encode(made, self.claims(**claims), key or self.keys[0], algorithms=algorithms)

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        """What it says at this path."""
        usual: dict[str, Any] = {
            "/.well-known/openid-configuration": self.metadata,
            "/jwks_uri": lambda: {"keys": [key.as_dict(private=False) for key in self.keys]},
        }
        found = self.answers.get(path, usual.get(path))
        if found is None:
            return 404, {}
        if callable(found):
            found = found(form) if path in self.answers else found()
        return found if isinstance(found, tuple) else (200, found)


@contextlib.contextmanager
def crooked_provider() -> Iterator[Crooked]:
    """One on loopback."""
    made: list[Crooked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(form | {"authorization": self.headers.get("authorization") or ""})

        def _answer(self, form: dict[str, str]) -> None:
            path = self.path.partition("?")[0]
            made[0].asked.append(path)
            status, value = made[0].answer(path, form)
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("location", value)
                body = b""
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever has read enough is gone
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.append(Crooked(f"http://127.0.0.1:{server.server_address[1]}"))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
