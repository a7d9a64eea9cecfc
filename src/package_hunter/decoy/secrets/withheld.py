"""The project's own credential files, which stayed outside of the box: fakes lie where they lay."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from package_hunter.decoy.forge import BASE62, Forge, aws_pair, checked_token, jwt, random_text
from package_hunter.decoy.secrets.docker import DOCKER_HOST, DOCKER_USE
from package_hunter.model.withheld import CredentialKind, WithheldFile

_MAX = 50


def make(forge: Forge) -> None:
    taken = {file.path for file in forge.files}
    for path, kind, rest in forge.withheld[:_MAX]:
        if path not in taken and kind in _FORGERS:
            forge.file(path, rest.decode("utf-8", "replace") + _FORGERS[kind](forge, path), 0o600)


def _env(forge: Forge, path: str) -> str:
    key, secret = aws_pair()
    lines = (
        (
            "DATABASE_URL",
            f"postgres://app:{forge.canary('database-password', path, random_text(22))}@db.internal/app",
        ),
        ("API_SECRET", forge.canary("api-secret", path, secrets.token_hex(32))),
        ("AWS_ACCESS_KEY_ID", forge.canary("aws-key-id", path, key, ("aws",))),
        ("AWS_SECRET_ACCESS_KEY", forge.canary("aws-secret", path, secret)),
    )
    return "".join(f"{name}={value}\n" for name, value in lines)


def _npmrc(forge: Forge, path: str) -> str:
    token = forge.canary("npm-token", path, checked_token("npm_"), forge.only_at("npm-registry", "npm"))
    hosts = [upstream.url.partition(":")[2] for upstream in forge.upstream("npm") if upstream.default]
    return f"{hosts[0] if hosts else ''}:_authToken={token}\n".removeprefix(":")


def _yarnrc(forge: Forge, path: str) -> str:
    token = forge.canary("npm-token", path, checked_token("npm_"), forge.only_at("npm-registry", "npm"))
    return f'npmAuthToken: "{token}"\n' if path.endswith(".yml") else f'"//registry/:_authToken" "{token}"\n'


def _pem(kind: form.PrivateFormat) -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(form.Encoding.PEM, kind, form.NoEncryption()).decode()


def _key(forge: Forge, path: str) -> str:
    if path.endswith((".pem", ".key")):
        return forge.canary("pem-key", path, _pem(form.PrivateFormat.PKCS8))
    return forge.canary("private-key", path, _pem(form.PrivateFormat.OpenSSH))


def _aws(forge: Forge, path: str) -> str:
    key, secret = aws_pair()
    forge.canary("aws-key-id", path, key, ("aws",))
    forge.canary("aws-secret", path, secret)
    return f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"


def _docker(forge: Forge, path: str) -> str:
    password = forge.canary("docker-password", path, f"dckr_pat_{random_text(27)}", (DOCKER_USE,))
    auth = base64.b64encode(f"ci:{password}".encode()).decode()
    return json.dumps({"auths": {DOCKER_HOST: {"auth": auth}}}, indent=2)


def _gcloud(forge: Forge, path: str) -> str:
    key = forge.canary("pem-key", path, _pem(form.PrivateFormat.PKCS8))
    account = "ci@northwind-prod.iam.gserviceaccount.com"
    return json.dumps({"type": "service_account", "private_key": key, "client_email": account}, indent=2)


def _one(
    kind: str, text: str, value: Callable[[], str] = lambda: random_text(40)
) -> Callable[[Forge, str], str]:
    """A file of one secret: ``text`` holds ``{}`` where it stands."""
    return lambda forge, path: text.replace("{}", forge.canary(kind, path, value()))


_FORGERS: Mapping[CredentialKind, Callable[[Forge, str], str]] = {
    CredentialKind.ENV: _env,
    CredentialKind.NPMRC: _npmrc,
    CredentialKind.YARNRC: _yarnrc,
    CredentialKind.PRIVATE_KEY: _key,
    CredentialKind.AWS: _aws,
    CredentialKind.DOCKER: _docker,
    CredentialKind.GCLOUD: _gcloud,
    CredentialKind.NETRC: _one("netrc-password", "machine git.northwind.internal login ci password {}\n"),
    CredentialKind.PYPIRC: _one(
        "pypi-token", "[pypi]\nusername = __token__\npassword = {}\n", lambda: "pypi-" + random_text(160)
    ),
    CredentialKind.PIP: _one("pip-password", "[global]\ntimeout = 60\n# token {}\n"),
    CredentialKind.GIT_CREDENTIALS: _one(
        "github-token", "https://northwind-ci:{}@github.com\n", lambda: checked_token("ghp_")
    ),
    CredentialKind.KUBE: _one(
        "kube-token",
        "apiVersion: v1\nkind: Config\nusers:\n- name: ci\n  user:\n    token: {}\n",
        lambda: jwt("kubernetes/serviceaccount", "ci"),
    ),
    CredentialKind.GITHUB: _one(
        "github-token",
        "github.com:\n    user: northwind-ci\n    oauth_token: {}\n",
        lambda: checked_token("gho_"),
    ),
    CredentialKind.HTPASSWD: _one("password", "admin:{}\n"),
    CredentialKind.PGPASS: _one("database-password", "db.northwind.internal:5432:app:app:{}\n"),
    CredentialKind.MYSQL: _one("database-password", "[client]\nuser=app\npassword={}\n"),
    CredentialKind.SSH: _one(
        "password",
        "Host git.northwind.internal\n    User ci\n    ProxyCommand sshpass -p {} ssh -W %h:%p bastion\n",
    ),
    CredentialKind.VAULT: _one("vault-token", "{}", lambda: "hvs." + random_text(90)),
    CredentialKind.TERRAFORM: _one(
        "cloud-token",
        'credentials "app.terraform.io" {\n  token = "{}"\n}\n',
        lambda: f"{random_text(14)}.atlasv1.{random_text(67)}",
    ),
    CredentialKind.GEM: _one(
        "gem-key", "---\n:rubygems_api_key: {}\n", lambda: f"rubygems_{secrets.token_hex(24)}"
    ),
    CredentialKind.CARGO: _one("cargo-token", '[registry]\ntoken = "{}"\n', lambda: "cio" + random_text(32)),
    CredentialKind.COMPOSER: _one(
        "github-token", '{"github-oauth": {"github.com": "{}"}}\n', lambda: checked_token("ghp_")
    ),
    CredentialKind.BUNDLER: _one("gem-key", '---\nBUNDLE_GEMS__NORTHWIND__INTERNAL: "ci:{}"\n'),
    CredentialKind.WALLET: _one("wallet-key", "{}", lambda: random_text(64, BASE62)),
    CredentialKind.PASSWORD_STORE: _one("password", "{}", lambda: random_text(64, BASE62)),
}


# One of each, and of keys both forms: what two of a kind have in common is no secret (decoy/needles.py).
EVERY = (
    *(WithheldFile(f"/{kind}", kind, b"") for kind in _FORGERS),
    WithheldFile("/a.pem", CredentialKind.PRIVATE_KEY, b""),
)
