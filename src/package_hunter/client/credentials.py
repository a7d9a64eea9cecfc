"""Whom the client is: from files and the environment, never from the command line (it is seen by everybody).

The project under scan is the attacker's: no file of it is read here, or it could send our credentials
elsewhere.
"""

from __future__ import annotations

import configparser
import json
import os
from dataclasses import dataclass
from pathlib import Path

import httpx

from package_hunter import given
from package_hunter.errors import UsageError

_MAX_FILE = 64 << 10


@dataclass(frozen=True, slots=True)
class Bearer(httpx.Auth):
    """A bearer token."""

    token: str

    def auth_flow(self, request):  # type: ignore[no-untyped-def]  # httpx's own generator type
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


@dataclass(slots=True)
class JobToken(httpx.Auth):
    """A CI job's ID token of its forge, exchanged once, before the first request, for a token of the server."""

    id_token: str
    token: str | None = None

    requires_response_body = True

    def auth_flow(self, request):  # type: ignore[no-untyped-def]  # httpx's own generator type
        """Exchange it, if that was not done, and add the header; UsageError where the server refuses it."""
        if self.token is None:
            base = request.url.path.partition("/api/v1/")[0] if "/api/v1/" in request.url.path else ""
            url = request.url.copy_with(raw_path=f"{base}/api/v1/job-token".encode())
            answer = yield httpx.Request("POST", url, json={"token": self.id_token})
            self.token = _exchanged(answer)
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


def _exchanged(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        said = {}
    if answer.status_code == 201 and isinstance(said, dict) and isinstance(said.get("token"), str):
        return str(said["token"])
    reason = (said.get("detail") or said.get("message")) if isinstance(said, dict) else None
    raise UsageError(
        f"The server does not take the job's ID token ({answer.status_code}). {str(reason or '')[:500]}".strip(),
        "See docs/identity.md, CI jobs: the audience, and the rule.",
    )


def find(token_file: Path | None = None) -> httpx.Auth | None:
    """The first of: ``token_file``, PACKAGE_HUNTER_TOKEN_FILE, systemd's credential ``package-hunter-token``,
    PACKAGE_HUNTER_TOKEN, PACKAGE_HUNTER_ID_TOKEN, PACKAGE_HUNTER_USER with PACKAGE_HUNTER_PASSWORD. None: ask without
    credentials."""
    path = token_file or _path("PACKAGE_HUNTER_TOKEN_FILE") or _systemd_credential()
    if path is not None:
        return Bearer(_token(_read(path), str(path)))
    if token := os.environ.get("PACKAGE_HUNTER_TOKEN"):
        return Bearer(_token(token, "PACKAGE_HUNTER_TOKEN"))
    if id_token := os.environ.get("PACKAGE_HUNTER_ID_TOKEN"):
        return JobToken(_token(id_token, "PACKAGE_HUNTER_ID_TOKEN"))
    user, password = os.environ.get("PACKAGE_HUNTER_USER"), os.environ.get("PACKAGE_HUNTER_PASSWORD")
    return httpx.BasicAuth(user, password) if user and password else None


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _systemd_credential() -> Path | None:
    folder = _path("CREDENTIALS_DIRECTORY")
    path = None if folder is None else folder / "package-hunter-token"
    return path if path is not None and path.is_file() else None


def _read(path: Path) -> str:
    try:
        return given.read(path, _MAX_FILE).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error


def _token(text: str, where: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{where} holds no token.", "Make one: package-hunter token add NAME.")
    return token


@dataclass(frozen=True, slots=True)
class HtrSettings:
    """What the original's command line was set up with."""

    url: str | None
    auth: httpx.Auth | None


def htr_settings() -> HtrSettings:
    """``HTR_user``, ``HTR_pass``, ``HTR_host`` (a URL or host name), else ``~/.htrrc`` or ``/etc/htrrc``.

    The file is JSON, or lines of ``key = value``. The original also read a ``.htrrc`` in the current folder:
    that is the project under scan, so we do not.
    """
    found: dict[str, str] = {}
    for path in (Path("/etc/htrrc"), Path.home() / ".htrrc"):
        if path.is_file():
            found |= _rc(_read(path), path)
    for key in ("user", "pass", "host"):
        if value := os.environ.get(f"HTR_{key}"):
            found[key] = value
    user, password = found.get("user"), found.get("pass")
    host = found.get("host") or found.get("url")
    if host and "://" not in host:
        host = f"http://{host}" if ":" in host else f"http://{host}:3000"
    return HtrSettings(host, httpx.BasicAuth(user, password) if user and password else None)


def _rc(text: str, path: Path) -> dict[str, str]:
    try:
        if text.lstrip().startswith("{"):
            return {str(k): str(v) for k, v in json.loads(text).items()}
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(f"[htr]\n{text}")
        return dict(parser["htr"])
    except (ValueError, configparser.Error) as error:
        raise UsageError(f"{path} is neither JSON nor key = value lines.", "See docs/client.md.") from error
