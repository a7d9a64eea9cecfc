"""The forges that this host knows, and its credentials for them: a file of the host, `PACKAGE_HUNTER_FORGES_FILE`.

[[forge]]
name = "gitlab"
kind = "gitlab"                       # or github, or git: one that is told nothing
url = "https://gitlab.example/"       # what repositories' addresses begin with
api = "https://gitlab.example/api/v4"
token_file = "/etc/package-hunter/gitlab.token"

Tokens lie in files of the host and never in the database. Nothing is fetched from, and no token goes to, an address
that
does not begin with a forge's ``url``: so whatever address somebody gives a project, it leads nowhere else.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.store.gate_tables import MAX_URL

_MAX_FILE = 1 << 20
_MAX_SECRET = 64 << 10
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_KEYS = {
    *("name", "kind", "url", "api", "token_file", "git_user", "ca_file", "networks"),
    *("app_id", "installation_id", "private_key_file"),
}
Kind = Literal["gitlab", "github", "git"]
_KINDS: dict[str, Kind] = {"gitlab": "gitlab", "github": "github", "git": "git"}


@dataclass(frozen=True, slots=True)
class Forge:
    """``token`` and ``private_key`` are the files' contents. ``git_user`` goes with the token to git; ``networks`` may
    be spoken to although they are not public; ``app_id`` and ``installation_id`` of a GitHub App."""

    name: str
    kind: Kind
    url: str
    api: str = ""
    token: str = ""
    git_user: str = ""
    ca_file: str = ""
    networks: tuple[str, ...] = ()
    app_id: str = ""
    installation_id: str = ""
    private_key: str = ""

    def __repr__(self) -> str:
        return f"Forge({self.name!r}, {self.url!r})"  # no secret gets into a log


class Forges:
    """All of them."""

    def __init__(self, known: tuple[Forge, ...] = ()) -> None:
        self.known = known

    def of(self, url: str) -> Forge:
        """The forge that an address belongs to: the longest that it begins with; UsageError."""
        check_url(url)
        fitting = [forge for forge in self.known if url.startswith(forge.url)]
        if not fitting:
            raise UsageError(
                "This host knows no forge of that address.",
                "Whoever runs the server names it in PACKAGE_HUNTER_FORGES_FILE (docs/gate.md).",
            )
        return max(fitting, key=lambda forge: len(forge.url))


def check_url(url: str) -> None:
    """UsageError where this is no address of a repository that could be fetched."""
    try:
        parts = urlsplit(url)
        odd = parts.username is not None or parts.query or parts.fragment or parts.port == 0
    except ValueError:
        odd, parts = True, urlsplit("")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > MAX_URL:
        odd = True
    if odd or ".." in parts.path.split("/") or "%" in parts.path or "//" in parts.path:
        raise UsageError(
            "This is no address of a repository.", "It looks like https://gitlab.example/web/shop.git."
        )
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    if parts.scheme != "file" or parts.netloc:
        raise UsageError(
            "Repositories are fetched by https.", "Or by file:///PATH, where the host allows it."
        )


def load(settings: Settings, secrets: bool = True) -> Forges:
    """The host's forges; none where the setting names no file. UsageError says what is wrong and where. ``secrets``:
    with what their files hold, which the API's process never does."""
    path = settings.forges_file
    if path is None:
        return Forges()
    try:
        data = tomllib.loads(_text(path, _MAX_FILE))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}.", "Correct that line.") from error
    rows = data.get("forge", [])
    if set(data) - {"forge"} or not isinstance(rows, list) or not all(isinstance(r, Mapping) for r in rows):
        raise UsageError(f"{path} holds [[forge]] tables and nothing else.", "See docs/gate.md.")
    return Forges(tuple(_forge(row, f"{path}, forge {n}", secrets) for n, row in enumerate(rows, 1)))


def _forge(row: Mapping[str, Any], where: str, secrets: bool) -> Forge:
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}.", f"Known are: {', '.join(sorted(_KEYS))}.")
    texts = {key: row.get(key, "") for key in _KEYS - {"networks"}}
    if not all(isinstance(value, str) for value in texts.values()):
        raise UsageError(f"{where}: every value but networks is a text.", "Put it in quotes.")
    url = texts["url"]
    kind = _KINDS.get(texts["kind"] or "git")
    if kind is None:
        raise UsageError(f"{where}: kind is gitlab, github or git.", "Correct it.")
    check_url(url)
    if not url.endswith("/"):
        raise UsageError(
            f"{where}: url must end with /.", "Else gitlab.example would also mean gitlab.example.org."
        )
    if texts["api"]:
        check_url(texts["api"])
    networks = row.get("networks", [])
    if not isinstance(networks, list) or not all(isinstance(one, str) for one in networks):
        raise UsageError(f"{where}: networks is a list of texts.", 'Write ["10.1.2.0/24"].')
    return Forge(
        name=texts["name"] or url,
        kind=kind,
        url=url,
        api=texts["api"].rstrip("/"),
        token=_secret(texts["token_file"], where) if secrets else "",
        git_user=texts["git_user"] or ("oauth2" if kind == "gitlab" else "x-access-token"),
        ca_file=texts["ca_file"],
        networks=tuple(networks),
        app_id=texts["app_id"],
        installation_id=texts["installation_id"],
        private_key=_secret(texts["private_key_file"], where) if secrets else "",
    )


def _secret(name: str, where: str) -> str:
    if not name:
        return ""
    path = Path(name)
    text = _text(path, _MAX_SECRET).strip()
    if path.stat().st_mode & stat.S_IRWXO:
        raise UsageError(f"{where}: {path} can be read by everybody.", f"chmod o-rwx {path}")
    if not text or not text.isascii():
        raise UsageError(f"{where}: {path} holds no token.", "Put the token into it.")
    return text


def _text(path: Path, limit: int) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, encoding="utf-8") as file:
            text = file.read(limit + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Check the path and its rights.") from error
    if len(text) > limit:
        raise UsageError(f"{path} is larger than {limit} bytes.", "Give another file.")
    return text
