"""GitHub's command line (cli.github.com/manual)."""

from __future__ import annotations

import os
import re
import sys

from package_hunter.sandbox.image.keepers.common import content, fail, plain

HOSTS = ".config/gh/hosts.yml"
VERSION = "gh version 2.63.2 (2024-12-05)\nhttps://github.com/cli/cli/releases/tag/v2.63.2"
USAGE = """Work seamlessly with GitHub from the command line.

USAGE
  gh <command> <subcommand> [flags]

CORE COMMANDS
  auth:          Authenticate gh and git with GitHub
  issue:         Manage issues
  pr:            Manage pull requests
  repo:          Manage repositories"""


def token() -> str:
    """The environment's before the file's, as the real one has it."""
    given = os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN")
    found = re.search(rb"oauth_token: (\S+)", content(HOSTS))
    return given or (found[1].decode() if found else "") or fail("no oauth token found for github.com")


def status(shown: bool) -> None:
    source = (
        "GH_TOKEN"
        if os.environ.get("GH_TOKEN")
        else "GITHUB_TOKEN"
        if os.environ.get("GITHUB_TOKEN")
        else HOSTS
    )
    value = token()
    secret = value if shown else value[:4] + "*" * 36
    print(f"github.com\n  ✓ Logged in to github.com account dmeyer-dev ({source})\n  - Active account: true\n"
          f"  - Git operations protocol: https\n  - Token: {secret}\n"
          "  - Token scopes: 'gist', 'read:org', 'repo', 'workflow'")  # fmt: skip


def api(rest: list[str]) -> None:
    """A read by the token, asked truly of the code host."""
    path = (rest or [""])[0].lstrip("/")
    address = f"https://api.github.com/{path}"
    header = f"Authorization: token {token()}"
    os.execvp("curl", ["curl", "-fsS", "-m", "20", "-H", header, address])  # noqa: S606


def main(words: list[str]) -> None:
    """``gh WORDS``."""
    rest = plain(words, "-h", "--hostname", "-u", "--user", "-R", "--repo")
    group, verb = [*rest, "", ""][:2]
    if group == "version" or (group == "" and "--version" in words):
        print(VERSION)
    elif group == "auth":
        if verb == "token":
            print(token())
        elif verb == "status":
            status("-t" in words or "--show-token" in words)
    elif group == "api":
        api(rest[1:])
    elif group in ("", "help"):
        print(USAGE)
    else:
        token()


if __name__ == "__main__":
    main(sys.argv[1:])
