"""The command line of Azure (learn.microsoft.com/cli/azure)."""

from __future__ import annotations

import json
import sys

from package_hunter.sandbox.image.keepers.common import content, fail, option, plain, show

CACHE = ".azure/msal_token_cache.json"
TENANT, SUBSCRIPTION = "7b1c3f52-9d0e-4a6b-8c25-31f4e60a9d77", "c2f4a1de-58b7-4f93-a0c6-94d7e21b6f30"
VERSION = """azure-cli                         2.67.0

core                              2.67.0
telemetry                          1.1.0

Dependencies:
msal                              1.31.0
azure-mgmt-resource               23.1.1"""
WELCOME = "\nWelcome to Azure CLI!\n---------------------\nUse `az -h` to see available commands."


def token() -> str:
    try:
        entries = json.loads(content(CACHE)).get("AccessToken", {})
    except ValueError:
        entries = {}
    return next((one["secret"] for one in entries.values()), "") or fail(
        "ERROR: Please run 'az login' to setup account."
    )


def account(verb: str, words: list[str]) -> None:
    subscription = {
        "environmentName": "AzureCloud",
        "id": SUBSCRIPTION,
        "isDefault": True,
        "name": "northwind-prod",
        "state": "Enabled",
        "tenantId": TENANT,
        "user": {"name": "daniel.meyer@northwind-labs.dev", "type": "user"},
    }
    if verb == "get-access-token":
        value = token()
        if option(words, "-o", "--output") == "tsv":
            print(value)
            return
        given = {"accessToken": value, "expiresOn": "2031-01-01 00:00:00.000000", "expires_on": 1924988400}
        show({**given, "subscription": SUBSCRIPTION, "tenant": TENANT, "tokenType": "Bearer"})
    elif verb in ("show", "list"):
        show([subscription] if verb == "list" else subscription)


def main(words: list[str]) -> None:
    """``az WORDS``."""
    rest = plain(words, "-o", "--output", "--query", "--resource", "--scope", "--subscription", "--tenant")
    group, verb = [*rest, "", ""][:2]
    if group == "version":
        show(
            {
                "azure-cli": "2.67.0",
                "azure-cli-core": "2.67.0",
                "azure-cli-telemetry": "1.1.0",
                "extensions": {},
            }
        )
    elif "--version" in words or "-v" in words:
        print(VERSION)
    elif group == "account":
        account(verb, words)
    elif group == "":
        print(WELCOME)
    else:
        token()
        fail(
            f"ERROR: (AuthorizationFailed) The client does not have authorization to perform action '{group} {verb}'."
        )


if __name__ == "__main__":
    main(sys.argv[1:])
