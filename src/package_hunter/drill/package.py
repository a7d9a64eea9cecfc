"""What a drill submits: a project of one dependency that does what attacks do, and says what it is. Its files are part
of this package, so a server needs no checkout. Each drill has a name of its own: its finding is nobody's old one."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from importlib import resources

_FILES = {
    f"dependency/{name}": (resources.files(__package__) / "data" / name).read_bytes()
    for name in ("README.md", "build.js", "index.js")
}
"""By path; read with this module: a process that gave up its rights may not reach them later."""
_WORDS = "Harmless simulation of Package Hunter's standing drill. Not malware."
_PREFIX = "package-hunter-drill"


def name_of(drill: uuid.UUID) -> str:
    """The dependency's name."""
    return f"{_PREFIX}-{drill.hex[:12]}"


def archive(drill: uuid.UUID) -> bytes:
    """A gzip tar of the project; the same for the same drill."""
    name, files = name_of(drill), dict(_FILES)
    files["dependency/package.json"] = _json(
        {
            "name": name,
            "version": "1.0.0",
            "description": _WORDS,
            "license": "Apache-2.0",
            "main": "index.js",
            "scripts": {"postinstall": "node ./build.js"},
        }
    )
    files["package.json"] = _json(
        {
            "name": "standing-drill",
            "version": "1.0.0",
            "private": True,
            "description": _WORDS,
            "dependencies": {name: "file:./dependency"},
        }
    )
    return _tar(files)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def _tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()
