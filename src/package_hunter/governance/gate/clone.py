"""A commit's tree, fetched by git in a process without rights, as a tar of exactly what the commit holds.

The repository is a stranger's. Git runs as a user of its own, with an empty configuration: one protocol, no
redirects, no
hooks, no helpers, no submodules, no filters (so no LFS), nothing checked out: files come out of the object store by
their
digests, which git checks. ``.gitattributes`` has no say (``export-ignore`` would hide files from the scan).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.governance.gate.forges import Forge
from package_hunter.governance.gate.git import UID, Git
from package_hunter.governance.gate.tree import Tree, pack


def fetch(settings: Settings, forge: Forge, url: str, commit: str, write: Callable[[bytes], None]) -> Tree:
    """Fetch a commit and hand its tree, a gzip tar, to ``write``; NotFetchedError, UnreachableError, HostError."""
    if shutil.which("git") is None:
        raise HostError("There is no git on this host.", "Install it: apt-get install git.")
    folder = Path(tempfile.mkdtemp(prefix="package-hunter-git-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, UID, UID)
        git = Git(settings, forge, url, folder)
        git.get(commit)
        return pack(settings, git, commit, write)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
