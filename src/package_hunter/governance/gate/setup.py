"""What a forge needs so that the gate decides there: files to be looked at, changed and committed by people
(`setup_gitlab`, `setup_github`). Every value that is put in is checked, and written as JSON, which is YAML, too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from package_hunter.errors import UsageError

_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_WORD = re.compile(r"[A-Za-z0-9_.:/@-]{1,255}")


@dataclass(frozen=True, slots=True)
class Wish:
    """``server``: the hunter's URL; ``home``: security's project at the forge (``security/ci``); ``ref``: the branch
    of it
    that holds the definition; ``image``: with package-hunter in it; ``approvers``: the group that looks at what is to
    be
    reviewed (GitLab); ``app``: the number of the GitHub App that tells (0: any)."""

    server: str
    home: str
    ref: str = "main"
    image: str = "registry.example/security/package-hunter@sha256:DIGEST"
    approvers: str = "security"
    app: int = 0

    def check(self) -> Wish:
        """Itself; UsageError."""
        address = urlsplit(self.server)
        if address.scheme != "https" or not address.hostname or not _WORD.fullmatch(self.server):
            raise UsageError("The server's address must be https.", "It looks like https://hunter.example.")
        if not _PATH.fullmatch(self.home):
            raise UsageError(f"{self.home!r} is no project at a forge.", "It looks like security/ci.")
        for name in ("ref", "image", "approvers"):
            if not _WORD.fullmatch(getattr(self, name)):
                raise UsageError(
                    f"{name} holds what cannot be in one.", "Use letters, digits and . _ : / @ -."
                )
        return self


def policy(issuer: str, definition: str, wish: Wish) -> str:
    """The server's own policy for it, to be proposed there."""
    return f"""\
# For package-hunter proposals make policy: whose jobs count, and that merge requests need a scan.
# The issuer is the forge's own address: put yours in.
[[pipeline]]
issuer = {json.dumps(issuer)}
definition = {json.dumps(f"{definition}@refs/heads/{wish.ref}")}

[[require]]
scan = "merge_request"
projects = ["*"]
"""
