"""Which registries the package managers in an image have built in, read out of the managers' own code: so their
names are known without being written here, and no project can have a say in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

from package_hunter.model.ecosystem import known

_MOST = 32 << 20  # bytes of a file that are read: yarn is one file of 5 MB


def built_in_file_hosts(image_root: Path) -> frozenset[str]:
    """Hosts that the registries which are built in keep their files at, where a manager in the image says so."""
    found: set[str] = set()
    for place in (place for facts in known() for place in facts.built_in if place.file_host_line):
        for path in sorted(path for pattern in place.files for path in image_root.glob(pattern)):
            text = path.read_bytes()[:_MOST].decode("utf-8", "replace")
            if hit := re.search(place.file_host_line, text, re.MULTILINE):
                found.add(hit[1])
    return frozenset(found)


def built_in_registries(image_root: Path) -> Mapping[str, tuple[str, ...]]:
    """Ecosystem -> addresses (each with a slash at its end) that the managers in this (mounted) image have built
    in for one and the same registry; a manager that is not in the image has no say."""
    found: dict[str, dict[str, None]] = {}
    for ecosystem, place in ((facts.name, place) for facts in known() for place in facts.built_in):
        for path in sorted(path for pattern in place.files for path in image_root.glob(pattern)):
            with path.open("rb") as file:
                text = file.read(_MOST).decode("utf-8", "replace")
            if match := re.search(place.line, text, re.MULTILINE):
                url = match[1] if match[1].endswith("/") else match[1] + "/"
                found.setdefault(ecosystem, {})[urljoin(url, place.index)] = None
                break
    return {ecosystem: tuple(urls) for ecosystem, urls in found.items()}
