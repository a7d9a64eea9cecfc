"""Packs a simulation as its registry would serve it: npm ones are scanned as the folder of a project, Python
ones as a source distribution, Ruby ones as a gem. Same bytes every time."""

from __future__ import annotations

import gzip
import io
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from package_hunter.errors import UsageError

VERSION = "1.0.0"


def pack(folder: Path, ecosystem: str, into: Path) -> Path:
    """What to scan for the simulation in ``folder``; archives are written to ``into``."""
    if ecosystem == "pip":
        return _sdist(_only(folder, "*/pyproject.toml"), into)
    if ecosystem == "gem":
        return _gem(_only(folder, "*/*.gemspec"), into)
    return folder


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        said = f"{folder} should hold one package ({pattern}), not {len(found)}."
        raise UsageError(said, "Use a whole checkout.")
    return found[0].parent


def _files(folder: Path) -> Iterator[tuple[str, bytes, int]]:
    for path in sorted(folder.rglob("*")):
        built = path.suffix in (".so", ".pyc", ".whl") or "__pycache__" in path.parts
        if path.is_file() and not path.is_symlink() and not built:
            yield path.relative_to(folder).as_posix(), path.read_bytes(), path.stat().st_mode & 0o755


def _tar(files: Iterator[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data, mode in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _sdist(package: Path, into: Path) -> Path:
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    top = f"{project['name'].replace('-', '_')}-{project['version']}"
    info = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"

    def files() -> Iterator[tuple[str, bytes, int]]:
        yield f"{top}/PKG-INFO", info.encode(), 0o644
        for name, data, mode in _files(package):
            yield f"{top}/{name}", data, mode

    target = into / f"{top}.tar.gz"
    target.write_bytes(gzip.compress(_tar(files()), mtime=0))
    return target


_SPEC = """--- !ruby/object:Gem::Specification
name: {name}
version: !ruby/object:Gem::Version
  version: {version}
platform: ruby
authors:
- Package Hunter
date: 2026-01-01 00:00:00.000000000 Z
dependencies: []
summary: Harmless simulation for testing Package Hunter. Not malware.
executables: []
extensions: {extensions}
extra_rdoc_files: []
files: {files}
licenses:
- Apache-2.0
metadata: {{}}
require_paths:
- lib
required_ruby_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
rubygems_version: 3.3.15
specification_version: 4
test_files: []
"""


def _gem(package: Path, into: Path) -> Path:
    """Format facts: Gem::Package; a tar of metadata.gz (the specification as YAML) and data.tar.gz."""
    files = [f for f in _files(package) if not f[0].endswith(".gemspec")]
    names = [name for name, _, _ in files]
    spec = _SPEC.format(
        name=package.name,
        version=VERSION,
        files=_list(names),
        extensions=_list([name for name in names if name.endswith("extconf.rb")]),
    )
    parts = (
        ("metadata.gz", gzip.compress(spec.encode(), mtime=0), 0o444),
        ("data.tar.gz", gzip.compress(_tar(iter(files)), mtime=0), 0o444),
    )
    target = into / f"{package.name}-{VERSION}.gem"
    target.write_bytes(_tar(iter(parts)))
    return target


def _list(names: list[str]) -> str:
    return "".join(f"\n- {name}" for name in names) or "[]"
