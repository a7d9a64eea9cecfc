"""Which registries the package managers in an image have built in, read out of the managers' own code: so their
names are known without being written here, and no project can have a say in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

_URL = r"(https?://[^\s'\"\]]+)"
_NODE = "usr/local/lib/node_modules"
_MOST = 32 << 20  # bytes of a file that are read: yarn is one file of 5 MB
# Ecosystem; files (patterns below the image's root); the line that names the registry; the index below that
# address. Whoever has the same ecosystem has the same registry built in, under whatever name: yarn classic sends
# the token of npm's to its own name for it.
_TABLE = (
    (
        "npm",
        (f"{_NODE}/npm/node_modules/@npmcli/config/lib/definitions/definitions.js",),
        rf"new Definition\('registry', \{{\s*default: '{_URL}'",
        "",
    ),
    ("npm", (f"{_NODE}/yarn/lib/cli.js",), rf"\bYARN_REGISTRY = '{_URL}'", ""),
    (
        "pypi",
        (
            "usr/lib/python3*/dist-packages/pip/_internal/models/index.py",
            "usr/local/lib/python3*/*-packages/pip/_internal/models/index.py",
        ),
        rf"^PyPI = PackageIndex\(\s*\"{_URL}\"",
        "simple/",
    ),
    (
        "gem",
        ("usr/lib/ruby/*/rubygems/defaults.rb", "usr/local/lib/ruby/*/rubygems/defaults.rb"),
        rf"def self\.default_sources\s+%w\[{_URL}\]",
        "",
    ),
)


# the line of pip that says where its built-in index has its files
_FILE_HOST = r"^PyPI = PackageIndex\(\s*\"[^\"]+\",\s*file_storage_domain=\"([\w.-]+)\""


def built_in_file_hosts(image_root: Path) -> frozenset[str]:
    """Hosts that the registries which are built in keep their files at, where a manager in the image says so."""
    paths = sorted(
        path for row in _TABLE if row[0] == "pypi" for place in row[1] for path in image_root.glob(place)
    )
    texts = (path.read_bytes()[:_MOST].decode("utf-8", "replace") for path in paths)
    return frozenset(hit[1] for text in texts if (hit := re.search(_FILE_HOST, text, re.MULTILINE)))


def built_in_registries(image_root: Path) -> Mapping[str, tuple[str, ...]]:
    """Ecosystem -> addresses (each with a slash at its end) that the managers in this (mounted) image have built
    in for one and the same registry; a manager that is not in the image has no say."""
    found: dict[str, dict[str, None]] = {}
    for ecosystem, places, pattern, index in _TABLE:
        for path in sorted(path for place in places for path in image_root.glob(place)):
            with path.open("rb") as file:
                text = file.read(_MOST).decode("utf-8", "replace")
            if match := re.search(pattern, text, re.MULTILINE):
                url = match[1] if match[1].endswith("/") else match[1] + "/"
                found.setdefault(ecosystem, {})[urljoin(url, index)] = None
                break
    return {ecosystem: tuple(urls) for ecosystem, urls in found.items()}
