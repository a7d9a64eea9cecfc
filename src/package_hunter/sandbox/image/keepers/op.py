"""1Password's command line (developer.1password.com/docs/cli)."""

from __future__ import annotations

import os
import re
import sys

from package_hunter.sandbox.image.keepers.common import fail, kept, option, plain, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VAULT = ".config/1Password/1password.vault"
ACCOUNT = {
    "url": "northwind-labs.1password.com",
    "email": "daniel.meyer@northwind-labs.dev",
    "user_uuid": "VQWJ4TLNBZHQ3GZRX5PDE7KM2A",
    "account_uuid": "KD5CNYRQ2JFZ7HBTVX3MWPLE4U",
}
OF_ITEMS = {"id": "nq3m6jx2vdkr5tcwhy4lzbpe7a", "name": "Private"}
USAGE = """1Password CLI brings 1Password to your terminal.

Usage:  op [command] [flags]

Management Commands:
  account     Manage your locally configured 1Password accounts
  item        Perform CRUD operations on the 1Password items in your vaults
  vault       Manage permissions and perform CRUD operations on your 1Password vaults

Commands:
  inject      Inject secrets into a config file
  read        Read a secret reference
  run         Pass secrets as environment variables to a process
  signin      Sign in to a 1Password account
  whoami      Get information about a signed-in account"""


def fields(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": "username", "type": "STRING", "purpose": "USERNAME", "label": "username", "value": item["user"]},
        {"id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "password",
         "value": item["secret"]},
    ]  # fmt: skip


def overview(item: dict[str, Any]) -> dict[str, Any]:
    return {"id": item["id"], "title": item["title"], "version": 2, "vault": OF_ITEMS, "category": "LOGIN"}


def found(name: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = kept(VAULT, [])
    item = next((one for one in items if name.lower() in (one["title"].lower(), one["id"])), None)
    return item or fail(f'[ERROR] "{name}" isn\'t an item. Specify the item with its UUID, name, or domain.')


def read(reference: str) -> str:
    parts = reference.removeprefix("op://").split("/")
    if not reference.startswith("op://") or len(parts) < 3:
        fail(f"[ERROR] invalid secret reference '{reference}'")
    item = found(parts[1])
    return str(item["user"] if parts[-1] == "username" else item["secret"])


def item_command(rest: list[str], words: list[str]) -> None:
    verb, name = (rest or [""])[0], (rest[1:] or [""])[0]
    as_json = option(words, "--format") == "json"
    if verb in ("list", "ls"):
        items = kept(VAULT, [])
        if as_json:
            show([overview(one) for one in items])
        else:
            print("ID                            TITLE                     VAULT")
            for one in items:
                print(f"{one['id']:<30}{one['title']:<26}{OF_ITEMS['name']}")
    elif verb == "get":
        item = found(name)
        wanted = option(words, "--fields")
        if wanted is not None:
            values = {"username": item["user"], "password": item["secret"]}
            asked = [part.rpartition("=")[2] for part in wanted.split(",")]
            print(",".join(values.get(part, "") for part in asked))
        elif as_json:
            show({**overview(item), "fields": fields(item)})
        else:
            print(f"ID:          {item['id']}\nTitle:       {item['title']}\nVault:       {OF_ITEMS['name']}")
            print(
                f"Category:    LOGIN\nFields:\n  username:    {item['user']}\n  password:    {item['secret']}"
            )
    else:
        print(USAGE)


def run_command(words: list[str]) -> None:
    command = words[words.index("--") + 1 :] if "--" in words else words[1:]
    values = {k: read(v) if v.startswith("op://") else v for k, v in os.environ.items()}
    if not command:
        fail("[ERROR] command required")
    os.execvpe(command[0], command, values)  # noqa: S606


def main(words: list[str]) -> None:
    """``op WORDS``."""
    rest = plain(words, "--format", "--fields", "--vault", "--account", "--session", "-o", "--out-file")
    verb = (rest or [""])[0]
    if verb == "" and ("--version" in words or "-v" in words):
        print("2.30.3")
    elif verb == "whoami":
        print(f"URL:        https://{ACCOUNT['url']}\nEmail:      {ACCOUNT['email']}\n"
              f"User ID:    {ACCOUNT['user_uuid']}")  # fmt: skip
    elif verb == "account":
        show([ACCOUNT]) if option(words, "--format") == "json" else print(
            f"URL                             EMAIL\n{ACCOUNT['url']:<32}{ACCOUNT['email']}"
        )
    elif verb == "vault":
        show([{**OF_ITEMS, "items": len(kept(VAULT, []))}]) if option(words, "--format") == "json" else print(
            f"ID                            NAME\n{OF_ITEMS['id']:<30}{OF_ITEMS['name']}"
        )
    elif verb == "item":
        item_command(rest[1:], words)
    elif verb == "read":
        print(read((rest[1:] or [""])[0]))
    elif verb == "inject":
        print(re.sub(r"\{\{\s*(op://[^}\s]+)\s*\}\}", lambda m: read(m[1]), sys.stdin.read(1 << 20)), end="")
    elif verb == "run":
        run_command(words)
    elif verb != "signin":
        print(USAGE)


if __name__ == "__main__":
    main(sys.argv[1:])
