"""What parameter stores hand out (decoy/services/parameter_stores.py)."""

from __future__ import annotations

from package_hunter.decoy.forge import BASE62, Forge, checked_token, random_text

STORES = ("ssm", "secretsmanager", "kms", "gcp", "azure", "vault")
_PLACES = {
    "ssm": "http://ssm.eu-central-1.amazonaws.com/",
    "secretsmanager": "http://secretsmanager.eu-central-1.amazonaws.com/",
    "kms": "http://kms.eu-central-1.amazonaws.com/",
    "gcp": "http://secretmanager.googleapis.com/",
    "azure": "http://northwind-prod.vault.azure.net/",
    "vault": "http://vault.northwind.internal:8200/",
}


def make(forge: Forge) -> None:
    for store in STORES:
        forge.canary(f"stored-{store}", _PLACES[store], random_text(40, BASE62 + "-_"))
    forge.canary("stored-vault-token", _PLACES["vault"], "hvs." + random_text(90, BASE62 + "-_"))
    forge.canary("minted-npm-token", "http://registry/-/npm/v1/oidc/token/exchange", checked_token("npm_"))
    forge.canary(
        "minted-pypi-token",
        "http://registry/_/oidc/mint-token",
        "pypi-AgEI" + random_text(150, BASE62 + "-_"),
    )
