"""Tokens that a CI system or a cloud mints for who a job is (decoy/services/identity.py), forged ahead: what is to be
found when it leaves must be known before."""

from __future__ import annotations

from package_hunter.decoy.forge import Forge, jwt

_ISSUERS = {
    "github": (
        "http://run-actions-2-azure-eastus.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com",
        "repo:northwind-labs/storefront:ref:refs/heads/main",
    ),
    "gitlab": (
        "http://gitlab.com/",
        "https://gitlab.com",
        "project_path:northwind-labs/storefront:ref_type:branch:ref:main",
    ),
    "gcp": ("http://iamcredentials.googleapis.com/", "https://accounts.google.com", "107345110268215098321"),
    "azure": (
        "http://login.microsoftonline.com/",
        "https://login.microsoftonline.com/8d2f1c77-0c3e-4a83-9a51-5f0c8b9a7d11/v2.0",
        "ci-runner",
    ),
}


def make(forge: Forge) -> None:
    for name, (place, issuer, subject) in _ISSUERS.items():
        forge.canary(f"identity-{name}", place, jwt(issuer, subject))
