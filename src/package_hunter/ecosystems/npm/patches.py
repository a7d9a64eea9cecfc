"""Files of other packages that the project's own patch files change: ``patches/left-pad+1.3.0.patch``, as
patch-package applies them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from package_hunter.ecosystems.tree import BoxTree

FOLDER = "patches"
_MAX_FILES, _MAX_BYTES, _MAX_PATHS = 500, 4 << 20, 5_000
_NAMED = re.compile(r"^diff --git a/(?P<path>\S{1,1000}) b/(?P=path)\r?$", re.M)


def named(tree: BoxTree, folders: Iterable[str]) -> frozenset[str]:
    """The full paths that the patch files of these folders name, all below a ``node_modules`` of the folder."""
    found: set[str] = set()
    for folder in folders:
        for name in sorted(tree.names(f"{folder}/{FOLDER}"))[:_MAX_FILES]:
            if name.endswith(".patch"):
                text = (tree.read(f"{folder}/{FOLDER}/{name}", _MAX_BYTES) or b"").decode("utf-8", "replace")
                found.update(
                    f"{folder}/{hit['path']}" for hit in _NAMED.finditer(text) if _is_package_s(hit["path"])
                )
        if len(found) > _MAX_PATHS:
            return frozenset()  # more than anyone patches: then nothing is in favour of anyone
    return frozenset(found)


def _is_package_s(path: str) -> bool:
    return path.startswith("node_modules/") and posixpath.normpath(path) == path
