"""The command line of Google Cloud (cloud.google.com/sdk/gcloud/reference)."""

from __future__ import annotations

import json
import sys

from package_hunter.sandbox.image.keepers.common import HOME, content, fail, option, plain, show

ACCOUNT, PROJECT = "daniel.meyer@northwind-labs.dev", "northwind-prod"
TOKENS = ".config/gcloud/access_tokens.db"
DEFAULT = ".config/gcloud/application_default_credentials.json"
VERSION = "Google Cloud SDK 502.0.0\nbq 2.1.10\ncore 2024.11.15\ngcloud-crc32c 1.0.0\ngsutil 5.31"
USAGE = "ERROR: (gcloud) Command name argument expected.\n\nAvailable command groups for gcloud: auth, config, secrets"


def tokens() -> tuple[str, str]:
    """The access token and the identity token that gcloud keeps."""
    import sqlite3

    try:
        database = sqlite3.connect(f"file:{HOME}/{TOKENS}?mode=ro", uri=True)
        return database.execute("SELECT access_token, id_token FROM access_tokens").fetchone() or ("", "")
    except sqlite3.Error:
        return fail("ERROR: (gcloud.auth) You do not currently have an active account selected.")


def auth(rest: list[str], words: list[str]) -> None:
    verb = (rest or [""])[0]
    if verb == "print-access-token":
        print(tokens()[0])
    elif verb == "print-identity-token":
        print(tokens()[1])
    elif verb == "application-default":
        if rest[1:] == ["print-access-token"]:
            json.loads(content(DEFAULT) or b"{}")
            print(tokens()[0])
    elif verb == "list":
        if option(words, "--format") == "json":
            show([{"account": ACCOUNT, "status": "ACTIVE"}])
        else:
            print(f"ACTIVE  ACCOUNT\n*       {ACCOUNT}")


def config(rest: list[str], words: list[str]) -> None:
    values = {"project": PROJECT, "core/project": PROJECT, "account": ACCOUNT, "core/account": ACCOUNT}
    verb = (rest or [""])[0]
    if verb in ("get-value", "get"):
        print(values.get((rest[1:] or [""])[0], "(unset)"))
    elif verb == "list":
        print(f"[core]\naccount = {ACCOUNT}\nproject = {PROJECT}")
    elif verb == "config-helper":
        token = {"access_token": tokens()[0], "token_expiry": "2031-01-01T00:00:00Z"}
        show({"configuration": {"active_configuration": "default"}, "credential": token})


def main(words: list[str]) -> None:
    """``gcloud WORDS``."""
    rest = plain(words, "--format", "--project", "--account", "--configuration", "--filter")
    group = (rest or [""])[0]
    if group == "version" or "--version" in words or "-v" in words:
        print(VERSION)
    elif group == "auth":
        auth(rest[1:], words)
    elif group == "config":
        config(rest[1:], words)
    elif group == "projects":
        print(f"PROJECT_ID      NAME            PROJECT_NUMBER\n{PROJECT}  {PROJECT}  602914837465")
    elif group in ("", "help"):
        print(USAGE, file=sys.stderr)
        sys.exit(2 if not group else 0)
    else:
        fail(f"ERROR: (gcloud.{group}) PERMISSION_DENIED: The caller does not have permission")


if __name__ == "__main__":
    main(sys.argv[1:])
