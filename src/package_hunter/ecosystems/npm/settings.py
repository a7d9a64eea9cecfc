"""npm's settings as they were after the fetch: what packages write there later steers no command of ours.

The driver of lifecycle scripts (lifecycle.js) lets npm read its settings, so that a script finds the environment of
an ordinary install. A package that was installed before may have written into them (node-options, script-shell,
node-gyp, …): its code would then run inside another package's script. So the driver is told which lines were there,
by their digests (a settings file holds secrets, and commands are recorded), and npm sees those lines alone.
"""

from __future__ import annotations

import hashlib
import re

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.box import HOME

KEPT = "NPM_SETTINGS_KEPT"  # environment of the driver, which takes it away: digests of lines, 16 hex digits each
_MAX_LINES = 2_000  # a variable holds 128 KiB


def kept(tree: BoxTree, project: str) -> dict[str, str]:
    """The driver's environment: the lines of the user's and of the project's .npmrc, in no order. Lines beyond
    the 2,000th do not count."""
    lines: dict[str, None] = {}
    for path in (f"{HOME}/.npmrc", f"{project}/.npmrc"):
        text = (tree.read(path) or b"").decode("utf-8", "replace")
        lines.update(dict.fromkeys(re.split(r"[\r\n]+", text)))
    return {KEPT: ",".join(_digest(line) for line in list(lines)[:_MAX_LINES])}


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:16]
