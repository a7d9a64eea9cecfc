"""The APIs of forges on loopback, as far as the gate speaks to them. They take only what the documents describe and
refuse all else as the real ones do (400, 401, 404, 422), so that a wrong request fails a test.

Forms: GitLab, "External status checks API" and "Commits API" (set commit pipeline status); GitHub, "REST API endpoints
for check runs", "REST API endpoints for GitHub Apps" (create an installation access token).
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

TOKEN = "made-for-a-test"
_SHA = re.compile(r"[0-9a-f]{40}")
_CONCLUSIONS = {
    *("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"),
}
_RUN_KEYS = {
    *("name", "head_sha", "details_url", "external_id", "status", "started_at", "conclusion"),
    *("completed_at", "output", "actions"),
}


@dataclass
class Api:
    """What runs: its address, what it was told, and what it shall answer next in place of its own answer."""

    url: str
    told: list[dict[str, Any]] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)


Answer = tuple[int, Any]
Handle = Callable[[str, str, dict[str, str], dict[str, Any]], Answer]


@contextmanager
def serving(make: Callable[[Api], Handle]) -> Iterator[Api]:
    """An API on loopback."""
    made = Api("")

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if made.failing:
                status, answer = made.failing.pop(0), {"message": "not now"}
            elif headers.get("content-type") != "application/json":
                status, answer = 415, {"message": "no JSON"}
            else:
                status, answer = handle(self.command, self.path, headers, json.loads(data or b"{}"))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = _serve

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    handle = make(made)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def gitlab(api: Api) -> Handle:
    """GitLab's, below ``/api/v4``."""

    def handle(method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        if headers.get("private-token") != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        check = re.fullmatch(r"/api/v4/projects/([^/]+)/merge_requests/(\d+)/status_check_responses", path)
        status = re.fullmatch(r"/api/v4/projects/([^/]+)/statuses/([^/]+)", path)
        if method != "POST" or (check is None and status is None):
            return 404, {"message": "404 Not Found"}
        if check is not None:
            wrong = (
                set(body) != {"sha", "external_status_check_id", "status"}
                or not _SHA.fullmatch(str(body["sha"]))
                or not isinstance(body["external_status_check_id"], int)
                or body["status"] not in ("passed", "failed", "pending")
            )
        else:
            assert status is not None
            wrong = (
                not set(body)
                <= {"state", "name", "description", "target_url", "ref", "coverage", "pipeline_id"}
                or body.get("state") not in ("pending", "running", "success", "failed", "canceled", "skipped")
                or len(body.get("description", "")) > 255
                or not _SHA.fullmatch(status[2])
            )
        if wrong:
            return 400, {"message": "400 Bad request"}
        api.told.append({"path": path, **body})
        return 201, {"id": len(api.told)}

    return handle


def github(key: RSAPublicKey | None = None) -> Callable[[Api], Handle]:
    """GitHub's. With ``key``: only an installation's token is good, and that costs the app's assertion."""

    def make(api: Api) -> Handle:
        def handle(method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
            kind, _, shown = headers.get("authorization", "").partition(" ")
            if headers.get("accept") != "application/vnd.github+json" or kind != "Bearer":
                return 401, {"message": "Requires authentication"}
            if path == "/app/installations/77/access_tokens" and key is not None:
                if not _is_of_app(shown, key):
                    return 401, {"message": "A JSON web token could not be decoded"}
                api.told.append({"path": path, **body})
                return 201, {"token": TOKEN, "expires_at": "2099-01-01T00:00:00Z"}
            if shown != TOKEN:
                return 401, {"message": "Bad credentials"}
            made = re.fullmatch(r"/repos/([\w.-]+)/([\w.-]+)/check-runs(?:/(\d+))?", path)
            if made is None or method != ("PATCH" if made[3] else "POST"):
                return 404, {"message": "Not Found"}
            if _wrong_run(body, new=made[3] is None):
                return 422, {"message": "Invalid request."}
            api.told.append({"path": path, **body})
            return (200 if made[3] else 201), {"id": 4242}

        return handle

    return make


def _wrong_run(body: dict[str, Any], new: bool) -> bool:
    output = body.get("output", {})
    return (
        not set(body) <= _RUN_KEYS
        or (new and not {"name", "head_sha"} <= set(body))
        or (new and not _SHA.fullmatch(str(body["head_sha"])))
        or body.get("status") not in ("queued", "in_progress", "completed")
        or (body["status"] == "completed") is not ("conclusion" in body)
        or ("conclusion" in body and body["conclusion"] not in _CONCLUSIONS)
        or not {"title", "summary"} <= set(output)
        or len(output["summary"]) > 65_535
        or not str(body.get("details_url", "https://")).startswith("https://")
    )


def _is_of_app(token: str, key: RSAPublicKey) -> bool:
    parts = token.split(".")
    if len(parts) != 3:
        return False
    head, claims = (json.loads(_decoded(part)) for part in parts[:2])
    try:
        key.verify(_decoded(parts[2]), ".".join(parts[:2]).encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    now = time.time()
    in_time = claims["iat"] <= now and now < claims["exp"] <= now + 600
    return head["alg"] == "RS256" and claims["iss"] == "12345" and in_time


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
