"""Bitwarden's command line (bitwarden.com/help/cli)."""

from __future__ import annotations

import sys

from package_hunter.sandbox.image.keepers.common import fail, kept, plain, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VAULT = ".config/Bitwarden CLI/data.json"
USER = "daniel.meyer@northwind-labs.dev"
USAGE = """Usage: bw [options] [command]

Options:
  --pretty                                  Format output. JSON is tabbed with two spaces.
  --raw                                     Return raw output instead of a descriptive message.
  --session <session>                       Pass session key instead of reading from env.
  -v, --version                             output the version number
  -h, --help                                display help for command

Commands:
  login [options] [email] [password]        Log into a user account.
  unlock [options] [password]               Unlock the vault and return a new session key.
  sync [options]                            Pull the latest vault data from server.
  list [options] <object>                   List an array of objects from the vault.
  get [options] <object> <id>               Get an object from the vault.
  export [options]                          Export vault data to a CSV or JSON file."""


def as_item(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "item",
        "id": one["id"],
        "organizationId": None,
        "folderId": None,
        "type": 1,
        "name": one["title"],
        "notes": None,
        "favorite": False,
        "login": {"uris": [], "username": one["user"], "password": one["secret"], "totp": None},
    }


def get(rest: list[str], items: list[dict[str, Any]]) -> None:
    kind, name = [*rest, "", ""][:2]
    one = next((i for i in items if name and (name == i["id"] or name.lower() in i["title"].lower())), None)
    if one is None:
        fail("Not found.")
    if kind == "item":
        show(as_item(one), None)
    else:
        print({"username": one["user"], "password": one["secret"]}.get(kind, ""))


def main(words: list[str]) -> None:
    """``bw WORDS``."""
    rest = plain(words, "--session", "--search", "--format", "--output", "--passwordenv", "--passwordfile")
    verb = (rest or [""])[0]
    if verb == "" and ("--version" in words or "-v" in words):
        print("2025.1.3")
    elif verb == "status":
        show({"serverUrl": None, "userEmail": USER, "status": "unlocked"}, None)
    elif verb in ("list", "get", "export", "unlock"):
        vault = kept(VAULT, {"items": [], "session": ""})
        if verb == "unlock":
            print(vault["session"] if "--raw" in words else f'$ export BW_SESSION="{vault["session"]}"')
        elif verb == "get":
            get(rest[1:], vault["items"])
        elif verb == "list" and rest[1:] != ["items"]:
            show([], None)
        elif verb == "list":
            show([as_item(one) for one in vault["items"]], None)
        else:
            show({"encrypted": False, "folders": [], "items": [as_item(one) for one in vault["items"]]})
    elif verb in ("login", "sync"):
        print("You are already logged in as " + USER + "." if verb == "login" else "Syncing complete.")
    else:
        print(USAGE)


if __name__ == "__main__":
    main(sys.argv[1:])
