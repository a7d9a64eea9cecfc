"""Files of a project that hold real credentials: they stay outside the box, canaries take their place."""

from __future__ import annotations

import re
from typing import NamedTuple

from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.withheld import CredentialKind

SNIFF_BYTES = 64 << 10  # a key file is small; what is longer is not looked into


class Withheld(NamedTuple):
    """A file or link that did not enter the box. ``path`` is relative to the project, ``why`` a sentence."""

    path: str
    kind: CredentialKind
    why: str


_EXACT = {
    ".netrc": CredentialKind.NETRC,
    "_netrc": CredentialKind.NETRC,
    ".git-credentials": CredentialKind.GIT_CREDENTIALS,
    ".dockercfg": CredentialKind.DOCKER,
    ".dockerconfigjson": CredentialKind.DOCKER,
    "kubeconfig": CredentialKind.KUBE,
    ".htpasswd": CredentialKind.HTPASSWD,
    ".pgpass": CredentialKind.PGPASS,
    ".my.cnf": CredentialKind.MYSQL,
    ".vault-token": CredentialKind.VAULT,
    ".terraformrc": CredentialKind.TERRAFORM,
    "terraform.tfstate": CredentialKind.TERRAFORM,
    "terraform.tfstate.backup": CredentialKind.TERRAFORM,
    ".s3cfg": CredentialKind.AWS,
    ".boto": CredentialKind.AWS,
    ".envrc": CredentialKind.ENV,
    ".dev.vars": CredentialKind.ENV,
    "wallet.dat": CredentialKind.WALLET,
    "id_rsa": CredentialKind.PRIVATE_KEY,
    "id_dsa": CredentialKind.PRIVATE_KEY,
    "id_ecdsa": CredentialKind.PRIVATE_KEY,
    "id_ed25519": CredentialKind.PRIVATE_KEY,
}
_TAILS = {
    ".ssh/config": CredentialKind.SSH,
    ".aws/credentials": CredentialKind.AWS,
    ".aws/config": CredentialKind.AWS,
    ".docker/config.json": CredentialKind.DOCKER,
    ".kube/config": CredentialKind.KUBE,
    ".config/gh/hosts.yml": CredentialKind.GITHUB,
    ".cargo/credentials": CredentialKind.CARGO,
    ".cargo/credentials.toml": CredentialKind.CARGO,
    ".composer/auth.json": CredentialKind.COMPOSER,
    "application_default_credentials.json": CredentialKind.GCLOUD,
}
_SUFFIXES = {
    ".p12": CredentialKind.PRIVATE_KEY,
    ".pfx": CredentialKind.PRIVATE_KEY,
    ".jks": CredentialKind.PRIVATE_KEY,
    ".keystore": CredentialKind.PRIVATE_KEY,
    ".ppk": CredentialKind.PRIVATE_KEY,
    ".kdbx": CredentialKind.PASSWORD_STORE,
    ".tfvars": CredentialKind.TERRAFORM,
}
_SNIFFED = (".pem", ".key", ".priv", ".asc", ".gpg")
_ENV = re.compile(r"\.env(\.[A-Za-z0-9_.-]+)?$|[A-Za-z0-9_-]+\.env$")
_ENV_SAMPLE = re.compile(
    r"\.(example|sample|template|dist|defaults?|schema|ci|test)$|^(example|sample)", re.I
)
_SERVICE_ACCOUNT = re.compile(rb'"type"\s*:\s*"service_account"')


@derived
def _named(known: tuple[Facts, ...]) -> tuple[dict[str, CredentialKind], dict[str, CredentialKind]]:
    """Kinds by a file's name, and by the end of its path."""
    managers = {path: CredentialKind(kind) for one in known for path, kind in one.credential_files.items()}
    exact = {path: kind for path, kind in managers.items() if "/" not in path}
    tails = {path: kind for path, kind in managers.items() if "/" in path}
    return {**_EXACT, **exact}, {**_TAILS, **tails}


def prepare() -> None:
    """Make the tables of what ecosystems add: later there may be no memory for it."""
    _named()
    _manifests()


def kind_of(path: str) -> CredentialKind | None:
    """The kind of credential file that this relative path names, if its name alone says so."""
    name = path.rsplit("/", 1)[-1].lower()
    exact, tails = _named()
    if name in exact:
        return exact[name]
    if _ENV.fullmatch(name) and not _ENV_SAMPLE.search(name):
        return CredentialKind.ENV
    lowered = path.lower()
    for tail, kind in tails.items():
        if lowered == tail or lowered.endswith("/" + tail):
            return kind
    return next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), None)


def kind_of_content(path: str, content: bytes) -> CredentialKind | None:
    """The kind of credential that a small file holds, where its name is only a hint (``.pem``, ``.json``)."""
    name = path.rsplit("/", 1)[-1].lower()
    if (name.endswith(_SNIFFED) or "." not in name) and re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY", content):
        return CredentialKind.PRIVATE_KEY
    if name.endswith(".json") and b"private_key" in content and _SERVICE_ACCOUNT.search(content):
        return CredentialKind.GCLOUD
    return None


# What stays in an .npmrc: settings of behaviour. What goes: who answers, who asks, and every secret.
_NPMRC_DROP = re.compile(
    r"(^|:)_|registry|auth|password|token|^username$|^email$|^cert(file)?$|^key(file)?$|^ca(\[\])?$|^cafile$|proxy"
    r"|^//|^otp$|^userconfig$|^globalconfig$|^cache$|^prefix$|\$\{",
    re.I,
)


def filter_npmrc(content: bytes) -> tuple[bytes, int]:
    """The lines of an .npmrc that may enter the box, and how many were dropped. Of those that name a registry the bare
    address stays as a comment: so it can be told which one the project's own packages would have come from."""
    kept, dropped = [], 0
    for line in content.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        key, _, value = text.partition("=")
        if _NPMRC_DROP.search(key.strip()) or "${" in value or "://" in value:
            dropped += 1
            if (named := _REGISTRY.fullmatch(key.strip().strip("\"'"))) is not None:
                kept.append(f"; {named[0]}={_bare_address(value.strip())}")
        else:
            kept.append(text)
    return ("\n".join(kept) + "\n" if kept else "").encode(), dropped


_REGISTRY = re.compile(r"(?:@[A-Za-z0-9._~-]{1,214}:)?registry")
_ADDRESS = re.compile(r"(https?://)(?:[^/@?#]*@)?([A-Za-z0-9.:\[\]-]{1,253})(?:[/?#].*)?")


def _bare_address(value: str) -> str:
    """Scheme and host of an address; ``?`` where it is none, or is put together of variables."""
    hit = _ADDRESS.fullmatch(value.strip("\"'"))
    return f"{hit[1]}{hit[2]}/" if hit else "?"


def harmless_part(kind: CredentialKind, content: bytes) -> tuple[bytes | None, int]:
    """What of a withheld file may enter the box after all (None: nothing), and how many lines were
    dropped."""
    if kind is CredentialKind.NPMRC:
        return filter_npmrc(content)
    return None, 0


MANIFEST_BYTES = 16 << 20  # a longer one enters as it is
_ADDRESSED = (r"\.gitmodules", r"\.gitlab-ci\.ya?ml")
_USER_OF_URL = re.compile(rb"""((?:https?|git\+https?|ftp)://)[^/\s"'`@<>\\]{1,500}@""")


def is_manifest(path: str) -> bool:
    """Whether this file may name what is fetched, by addresses that hold credentials."""
    return _manifests().fullmatch(path.rsplit("/", 1)[-1].lower()) is not None


@derived
def _manifests(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join([*(name for one in known for name in one.addressed), *_ADDRESSED]))


def without_users(content: bytes) -> tuple[bytes, int]:
    """The text with ``https://user:password@host`` as ``https://host``, and how often that was so."""
    return _USER_OF_URL.subn(rb"\1", content)
