"""How the gate stands, told to a forge: GitLab's external status checks (or commit statuses), GitHub's check runs.

Forms: GitLab, "External status checks API": ``POST /projects/:id/merge_requests/:iid/status_check_responses`` with
``sha``, ``external_status_check_id``, ``status`` (passed, failed, pending); "Commits API": ``POST
/projects/:id/statuses/:sha`` with ``state`` (pending, running, success, failed), ``name``, ``description`` (255
characters), ``target_url``. GitHub, "REST API endpoints for check runs": ``POST /repos/{owner}/{repo}/check-runs`` and
``PATCH …/check-runs/{id}`` with ``name``, ``head_sha``, ``status``, ``conclusion``, ``output`` (``title``,
``summary``);
"Authenticating as a GitHub App installation".
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from package_hunter.errors import HunterError, UsageError
from package_hunter.governance.gate.forges import Forge
from package_hunter.notices.guard import Guard, networks
from package_hunter.notices.outgoing import Asked, Outgoing

NAME = "package-hunter"
"""Of the check, as rulesets and approval rules name it."""
_MAX_DESCRIPTION = 255
_MAX_SUMMARY = 60_000  # of 65,535
_SHOWN = 20
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class NotToldError(HunterError):
    """The forge did not take it. ``final``: it would not take it the next time."""

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told: the gate's answer (its body), of which commit and merge request, and where one can look."""

    body: Mapping[str, Any]
    merge_request: str | None
    look: str = ""


@dataclass(frozen=True, slots=True)
class At:
    """Where: the forge's name or number of the project, the status check's number, what we made there before."""

    external: str
    status_check: str | None = None
    made: str | None = None


class Teller:
    """Tells forges. Made while their tokens can be read."""

    def __init__(self, forge: Forge, outgoing: Outgoing | None = None) -> None:
        self._forge = forge
        self._outgoing = outgoing or Outgoing(
            Guard(networks(",".join(forge.networks))),
            ssl.create_default_context(cafile=forge.ca_file or None),
        )
        self._app = _App(forge, self._send) if forge.app_id else None

    def tell(self, standing: Standing, at: At) -> str | None:
        """Tell it; the forge's id of what we made there, where it has one. NotToldError, or what `Outgoing` fails
        with."""
        if self._forge.kind == "gitlab":
            self._gitlab(standing, at)
            return None
        if self._forge.kind == "github":
            return self._github(standing, at)
        raise NotToldError(f"The forge {self._forge.name} is told nothing (kind: git).", final=True)

    def _gitlab(self, standing: Standing, at: At) -> None:
        project = f"/projects/{quote(at.external, safe='')}"
        state, commit = standing.body["result"], standing.body["commit"]
        waits = state == "missing" and standing.body["waits"]
        headers = {"PRIVATE-TOKEN": self._forge.token}
        if at.status_check is not None and standing.merge_request is not None:
            status = "pending" if waits else "passed" if state == "pass" else "failed"
            body = {"sha": commit, "external_status_check_id": int(at.status_check), "status": status}
            where = f"{project}/merge_requests/{standing.merge_request}/status_check_responses"
            self._send("POST", where, headers, body)
            return
        description = str(standing.body["says"])[:_MAX_DESCRIPTION]
        body = {
            "state": "running" if waits else "success" if state == "pass" else "failed",
            "name": NAME,
            "description": description,
        }
        body |= {"target_url": standing.look} if standing.look else {}
        self._send("POST", f"{project}/statuses/{commit}", headers, body)

    def _github(self, standing: Standing, at: At) -> str | None:
        if at.external.count("/") != 1:
            raise NotToldError("GitHub's projects are named OWNER/NAME.", final=True)
        token = self._forge.token if self._app is None else self._app.token()
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        runs = f"/repos/{at.external}/check-runs"
        body = check_run(standing)
        if at.made is None:
            found = self._send("POST", runs, headers, body | {"head_sha": standing.body["commit"]})
        else:
            found = self._send("PATCH", f"{runs}/{at.made}", headers, body)
        number = found.get("id")
        return str(number) if isinstance(number, int) else None

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        kind = {"Content-Type": "application/json"}
        data = json.dumps(dict(body)).encode()
        got = self._outgoing.send(Asked(method, f"{self._forge.api}{path}", {**headers, **kind}, data))
        if 200 <= got.status < 300:
            return _object(got.body)
        why = f"{self._forge.name} answered {got.status} to {method} {path[:200]}"
        said = _object(got.body).get("message")
        words = "".join(c if c.isprintable() else " " for c in str(said or "")[:300])
        raise NotToldError(f"{why}{f' ({words})' if words else ''}.", final=got.status not in _AGAIN)


def check_run(standing: Standing) -> dict[str, Any]:
    """A check run's fields, but for the commit."""
    body = standing.body
    state = body["result"]
    made: dict[str, Any] = {
        "name": NAME,
        "external_id": f"{body['project']}@{body['commit']}"[:200],
        "output": {"title": str(body["says"])[:_MAX_DESCRIPTION], "summary": summary(body)},
    }
    if standing.look.startswith("https://"):
        made["details_url"] = standing.look
    if state == "missing" and body["waits"]:
        return made | {"status": "in_progress"}
    conclusions = {"pass": "success", "block": "failure", "review": "action_required", "missing": "failure"}
    return made | {"status": "completed", "conclusion": conclusions[state]}


def summary(body: Mapping[str, Any]) -> str:
    """The reasons as Markdown: what packages say of themselves cannot mark anything up."""
    lines = [_plain(str(body["says"])), ""]
    for reason in body["reasons"][:_SHOWN]:
        lines += [
            f"- {_plain(reason['what'])}",
            f"  - can be lifted by: {_plain(', '.join(reason['who_can_lift_it']))}",
            f"  - how: {_plain(reason['how_to_ask'])}",
        ]
    if len(body["reasons"]) > _SHOWN:
        lines.append(f"- and {len(body['reasons']) - _SHOWN} more")
    return "\n".join(lines)[:_MAX_SUMMARY]


def _plain(text: str) -> str:
    """As text, in Markdown: each ASCII punctuation mark may be escaped there. A mention needs its @ to be one."""
    one_line = "".join(c if c.isprintable() else " " for c in text)
    marked = "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|~" else c for c in one_line)
    return marked.replace("@", "@\u200b")


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class _App:
    """A GitHub App's token of one installation: made of the app's key, good for an hour."""

    def __init__(self, forge: Forge, send: Any) -> None:
        self._forge, self._send = forge, send
        key = serialization.load_pem_private_key(forge.private_key.encode(), None)
        if not isinstance(key, RSAPrivateKey):
            raise UsageError(f"The key of {forge.name} is no RSA key.", "Make one in the app's settings.")
        self._key = key
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """One that is good for some minutes at least; NotToldError."""
        if time.time() > self._until:
            path = f"/app/installations/{self._forge.installation_id}/access_tokens"
            headers = {
                "Authorization": f"Bearer {self._assertion()}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
            found = self._send("POST", path, headers, {"permissions": {"checks": "write"}})
            if not isinstance(found.get("token"), str):
                raise NotToldError(f"{self._forge.name} gave no token.")
            self._token, self._until = str(found["token"]), time.time() + 3_000
        return self._token

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {"iat": now - 60, "exp": now + 540, "iss": self._forge.app_id}
        signed = b".".join(_part(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{signed.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(value: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=")
