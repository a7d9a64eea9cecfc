"""~/.git-credentials, ~/.gitconfig and ~/.netrc."""

from __future__ import annotations

from package_hunter.decoy.forge import Forge, checked_token, random_text


def make(forge: Forge) -> None:
    github = forge.canary("github-token", ".git-credentials", checked_token("ghp_"), ("github",))
    gitlab = forge.canary("gitlab-token", ".git-credentials", f"glpat-{random_text(20)}", ("gitlab",))
    forge.file(
        ".git-credentials",
        f"https://dmeyer-dev:{github}@github.com\nhttps://oauth2:{gitlab}@gitlab.com\n",
        0o600,
    )
    forge.file(
        ".gitconfig",
        "[user]\n\tname = Daniel Meyer\n\temail = daniel.meyer@northwind-labs.dev\n"
        "[credential]\n\thelper = store\n"
        "[init]\n\tdefaultBranch = main\n[pull]\n\trebase = true\n",
    )
    password = forge.canary("netrc-password", ".netrc", random_text(24))
    forge.file(".netrc", f"machine git.northwind.internal\n  login dmeyer\n  password {password}\n", 0o600)
