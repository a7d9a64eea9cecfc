"""What password managers and the command lines of clouds and clusters hand out to who asks them: the programs
themselves are stand-ins (``sandbox/image/keepers``), which find it in these files."""

from __future__ import annotations

import base64
import secrets
import sqlite3
import uuid
from typing import Any

from package_hunter.decoy.forge import BASE62, Forge, checked_token, jwt, random_text
from package_hunter.model.sealed import seal

_SAFE = BASE62 + "-_"
_PGP = "-----BEGIN PGP MESSAGE-----\n\n%s\n-----END PGP MESSAGE-----\n"
_JSON = '{"version":2,"data":"%s"}'
_ONE_PASSWORD = ".config/1Password/1password.vault"
_BITWARDEN = ".config/Bitwarden CLI/data.json"
_KEYRING = ".local/share/keyrings/login.keyring"
_PARAMETERS = ".aws/cli/cache/parameters.json"
_CLUSTER = ".kube/cache/objects.json"
_GCLOUD = ".config/gcloud/access_tokens.db"
_STORE = ".password-store"


def make(forge: Forge) -> None:
    """All of them, in every world: what is swept on a laptop is swept in a CI job, too."""
    _one_password(forge)
    _bitwarden(forge)
    _pass(forge)
    _keyring(forge)
    _parameters(forge)
    _cluster(forge)
    _gcloud(forge)
    _glab(forge)


def _login(forge: Forge, kind: str, place: str, title: str, user: str, length: int = 24) -> dict[str, str]:
    value = forge.canary(kind, place, random_text(length, BASE62 + "#%+"))
    return {"id": random_text(26).lower(), "title": title, "user": user, "secret": value}


def _one_password(forge: Forge) -> None:
    kind = "password-manager-entry"
    items = [
        _login(forge, kind, _ONE_PASSWORD, "AWS root", "root@northwind-labs.dev"),
        _login(forge, kind, _ONE_PASSWORD, "npm", "dmeyer"),
        _login(forge, kind, _ONE_PASSWORD, "Production database", "app"),
    ]
    forge.file(_ONE_PASSWORD, seal(items, _JSON), 0o600)


def _bitwarden(forge: Forge) -> None:
    kind = "password-manager-entry"
    items = [
        _login(forge, kind, _BITWARDEN, "GitHub", "dmeyer-dev"),
        _login(forge, kind, _BITWARDEN, "Google Cloud console", "daniel.meyer@northwind-labs.dev"),
    ]
    session = forge.canary("password-manager-session", _BITWARDEN, random_text(86, BASE62 + "+/") + "==")
    forge.file(_BITWARDEN, seal({"session": session, "items": items}, _JSON), 0o600)


def _pass(forge: Forge) -> None:
    forge.file(f"{_STORE}/.gpg-id", "daniel.meyer@northwind-labs.dev\n", 0o600)
    for name, user in (("cloud/aws-root", "root"), ("registry/npm", "dmeyer"), ("servers/db1", "postgres")):
        place = f"{_STORE}/{name}.gpg"
        entry = _login(forge, "password-manager-entry", place, name, user)
        forge.file(place, seal(entry, _PGP), 0o600)


def _keyring(forge: Forge) -> None:
    items: list[dict[str, Any]] = []
    for label, attributes in (
        ("Git: https://github.com/", {"service": "git:https://github.com", "username": "dmeyer-dev"}),
        ("Chrome Safe Storage", {"application": "chrome"}),
        ("vscode.github-authentication", {"service": "vscode", "account": "github.auth"}),
    ):
        token = checked_token("gho_") if "git" in label.lower() else random_text(22) + "=="
        value = forge.canary("keyring-entry", _KEYRING, token)
        items.append({"label": label, "attributes": attributes, "secret": value})
    forge.file(_KEYRING, seal(items, "GnomeKeyring\n\r\n%s\n"), 0o600)


def _parameters(forge: Forge) -> None:
    found = {}
    for name in ("/northwind/prod/database/password", "/northwind/prod/api/signing-key"):
        found[name] = forge.canary("aws-parameter", _PARAMETERS, random_text(32))
    account = f"{secrets.randbelow(9 * 10**11) + 10**11}"
    session = forge.canary("aws-session-token", _PARAMETERS, random_text(340, BASE62 + "+/"))
    data = {"account": account, "parameters": found, "session": session}
    forge.file(_PARAMETERS, seal(data, _JSON), 0o600)


def _cluster(forge: Forge) -> None:
    values = {
        "storefront-database": {"username": "app", "password": _cluster_secret(forge)},
        "registry-credentials": {"token": _cluster_secret(forge)},
    }
    token = forge.canary(
        "kube-service-token", _CLUSTER, jwt("kubernetes/serviceaccount", "system:serviceaccount:prod:api")
    )
    data = {"secrets": {key: _in_base64(one) for key, one in values.items()}, "token": token}
    forge.file(_CLUSTER, seal(data, _JSON), 0o600)


def _cluster_secret(forge: Forge) -> str:
    return forge.canary("kube-secret", _CLUSTER, random_text(28))


def _in_base64(values: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def _gcloud(forge: Forge) -> None:
    """As gcloud keeps its access tokens (googlecloudsdk/core/credentials/creds.py)."""
    token = forge.canary("gcp-access-token", _GCLOUD, "ya29.a0" + random_text(210, _SAFE))
    identity = forge.canary(
        "gcp-id-token", _GCLOUD, jwt("https://accounts.google.com", "10769150350006150715")
    )
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(
            "CREATE TABLE access_tokens (account_id TEXT PRIMARY KEY, access_token TEXT, token_expiry TIMESTAMP, "
            "rapt_token TEXT, id_token TEXT)"
        )
        row = ("daniel.meyer@northwind-labs.dev", token, "2031-01-01 00:00:00", None, identity)
        connection.execute("INSERT INTO access_tokens VALUES (?,?,?,?,?)", row)
        connection.commit()
        forge.file(_GCLOUD, connection.serialize(), 0o600)
    finally:
        connection.close()


def _glab(forge: Forge) -> None:
    path = ".config/glab-cli/config.yml"
    token = forge.canary("gitlab-token", path, f"glpat-{random_text(20, _SAFE)}", ("gitlab",))
    forge.file(
        path,
        "git_protocol: ssh\nhosts:\n    gitlab.com:\n        api_host: gitlab.com\n"
        f"        token: {token}\n        user: dmeyer\n        client_id: {uuid.uuid4()}\n",
        0o600,
    )
