"""The desktop's keyring (libsecret's secret-tool(1))."""

from __future__ import annotations

import sys

from package_hunter.sandbox.image.keepers.common import kept, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEYRING = ".local/share/keyrings/login.keyring"
USAGE = """usage: secret-tool store --label='label' attribute value ...
       secret-tool lookup attribute value ...
       secret-tool clear attribute value ...
       secret-tool search [--all] [--unlock] attribute value ..."""


def matching(words: list[str]) -> list[dict[str, Any]]:
    """Entries with all of the attributes given; a search for none finds all."""
    wanted = dict(zip(words[::2], words[1::2]))  # noqa: B905 (older Pythons)
    return [
        item
        for item in kept(KEYRING, [])
        if all(item["attributes"].get(key) == value for key, value in wanted.items())
    ]


def main(words: list[str]) -> None:
    """``secret-tool WORDS``."""
    rest = plain(words)
    verb = (rest or [""])[0]
    if verb == "" and "--version" in words:
        print("libsecret 0.20.5")
    elif verb == "lookup" and len(rest) > 2:
        items = matching(rest[1:])
        if not items:
            sys.exit(1)
        sys.stdout.write(items[0]["secret"])
    elif verb == "search":
        for at, item in enumerate(matching(rest[1:])):
            print(
                f"[/{at + 1}]\nlabel = {item['label']}\nsecret = {item['secret']}\ncreated = 2025-03-04 08:12:51"
            )
            for key, value in item["attributes"].items():
                print(f"attribute.{key} = {value}", file=sys.stderr)
    elif verb not in ("store", "clear"):
        print(USAGE, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
