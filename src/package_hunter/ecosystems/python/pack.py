"""A source distribution made of a package's folder."""

from __future__ import annotations

import gzip
import tomllib
from collections.abc import Iterator
from pathlib import Path

from package_hunter.ecosystems.archives import files_of, tar


def sdist(package: Path, into: Path) -> Path:
    """The archive, of what pyproject.toml says, in ``into``."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    top = f"{project['name'].replace('-', '_')}-{project['version']}"
    info = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"

    def files() -> Iterator[tuple[str, bytes, int]]:
        yield f"{top}/PKG-INFO", info.encode(), 0o644
        for name, data, mode in files_of(package):
            yield f"{top}/{name}", data, mode

    target = into / f"{top}.tar.gz"
    target.write_bytes(gzip.compress(tar(files()), mtime=0))
    return target
