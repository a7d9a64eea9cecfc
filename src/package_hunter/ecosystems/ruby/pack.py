"""A gem made of a package's folder, without Ruby."""

from __future__ import annotations

import gzip
from pathlib import Path

from package_hunter.ecosystems.archives import files_of, tar

VERSION = "1.0.0"

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


def gem(package: Path, into: Path) -> Path:
    """Format facts: Gem::Package; a tar of metadata.gz (the specification as YAML) and data.tar.gz."""
    files = [f for f in files_of(package) if not f[0].endswith(".gemspec")]
    names = [name for name, _, _ in files]
    spec = _SPEC.format(
        name=package.name,
        version=VERSION,
        files=_list(names),
        extensions=_list([name for name in names if name.endswith("extconf.rb")]),
    )
    parts = (
        ("metadata.gz", gzip.compress(spec.encode(), mtime=0), 0o444),
        ("data.tar.gz", gzip.compress(tar(iter(files)), mtime=0), 0o444),
    )
    target = into / f"{package.name}-{VERSION}.gem"
    target.write_bytes(tar(iter(parts)))
    return target


def _list(names: list[str]) -> str:
    return "".join(f"\n- {name}" for name in names) or "[]"
