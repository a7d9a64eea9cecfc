"""Credential files of a project that stayed outside of its box, and the kinds of them: one list for the stage that
keeps them out and for the one that puts fakes in their place."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class CredentialKind(StrEnum):
    """What a file that may hold real credentials is. A new kind needs its fake in decoy/secrets/withheld.py."""

    AWS = "aws"
    BUNDLER = "bundler"
    CARGO = "cargo"
    COMPOSER = "composer"
    DOCKER = "docker"
    ENV = "env"
    GCLOUD = "gcloud"
    GEM = "gem"
    GIT_CREDENTIALS = "git-credentials"
    GITHUB = "github"
    HTPASSWD = "htpasswd"
    KUBE = "kube"
    LINK = "link"  # a name of something outside of the project, or of a withheld file: no fake stands for it
    MYSQL = "mysql"
    NETRC = "netrc"
    NPMRC = "npmrc"
    PASSWORD_STORE = "password-store"
    PGPASS = "pgpass"
    PIP = "pip"
    PRIVATE_KEY = "private-key"
    PYPIRC = "pypirc"
    SSH = "ssh"
    TERRAFORM = "terraform"
    VAULT = "vault"
    WALLET = "wallet"
    YARNRC = "yarnrc"


class WithheldFile(NamedTuple):
    """A file that was kept out of the box: its path (in the project, or in the box), its kind, and what of it
    entered after all."""

    path: str
    kind: CredentialKind
    rest: bytes
