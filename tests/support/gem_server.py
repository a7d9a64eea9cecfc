"""Gems made on the spot, and a server of them on loopback that is reached as a forward proxy would be: so the
source may have a reserved name, as the box and its gateway see it."""

from __future__ import annotations

import gzip
import hashlib
import io
import secrets
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.gem_marshal import quick_spec

_SPEC = """--- !ruby/object:Gem::Specification
name: {name}
version: !ruby/object:Gem::Version
  version: {version}
platform: ruby
authors:
- A. Nonymous
bindir: bin
cert_chain: []
date: 2026-01-01 00:00:00.000000000 Z
dependencies:{dependencies}
description: made for a test
email:
executables: []
extensions:{extensions}
extra_rdoc_files: []
files:
- lib/{name}.rb
homepage:
licenses: []
metadata: {{}}
post_install_message:
rdoc_options: []
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
requirements: []
rubygems_version: 3.3.15
signing_key:
specification_version: 4
summary: made for a test
test_files: []
"""
_DEPENDENCY = """
- !ruby/object:Gem::Dependency
  name: {name}
  requirement: !ruby/object:Gem::Requirement
    requirements:
    - - ">="
      - !ruby/object:Gem::Version
        version: '0'
  type: :runtime
  prerelease: false
  version_requirements: !ruby/object:Gem::Requirement
    requirements:
    - - ">="
      - !ruby/object:Gem::Version
        version: '0'"""


def make_gem(
    name: str, version: str, needs: tuple[str, ...] = (), extconf: str = "", load: str = ""
) -> bytes:
    """A gem with one library file; ``extconf`` is run at install, ``load`` when it is required."""
    spec = _SPEC.format(
        name=name,
        version=version,
        dependencies="".join(_DEPENDENCY.format(name=need) for need in needs) or " []",
        extensions="\n- ext/extconf.rb" if extconf else " []",
    )
    files = {f"lib/{name}.rb": load or f"{name.upper()} = true\n"}
    if extconf:
        files["ext/extconf.rb"] = extconf
    parts = {
        "metadata.gz": gzip.compress(spec.encode(), mtime=0),
        "data.tar.gz": gzip.compress(_tar(files), mtime=0),
    }
    lines = "".join(f"  {part}: {hashlib.sha256(data).hexdigest()}\n" for part, data in parts.items())
    parts["checksums.yaml.gz"] = gzip.compress(f"---\nSHA256:\n{lines}".encode(), mtime=0)
    return _tar(parts)


def _tar(files: dict[str, str] | dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class GemServer:
    """A compact index; ``asked`` holds the path and the Authorization header of each request."""

    def __init__(self) -> None:
        self.gems: dict[tuple[str, str], tuple[bytes, tuple[str, ...]]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.compact = True
        self.source = f"http://gems-{secrets.token_hex(4)}.example/"  # one that no cache knows
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers.get("authorization")))
                body = outer.answer(urlsplit(self.path).path)
                self.send_response(404 if body is None else 200)
                self.send_header("content-length", str(len(body or b"")))
                self.send_header("etag", f'"{hashlib.md5(body or b"").hexdigest()}"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body or b"")

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.proxy = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add(
        self, name: str, version: str, needs: tuple[str, ...] = (), extconf: str = "", load: str = ""
    ) -> None:
        """Publish a gem."""
        self.gems[name, version] = (make_gem(name, version, needs, extconf, load), needs)

    def answer(self, path: str) -> bytes | None:
        """What lies at a path."""
        if path == "/":
            return b""
        if not self.compact:
            return gzip.compress(b"\x04\x08[\0") if path.endswith("specs.4.8.gz") else None  # no gem at all
        if path == "/versions":
            names = sorted({name for name, _ in self.gems})
            lines = [f"{name} {self._versions(name)} {self._digest(name)}\n" for name in names]
            return ("created_at: 2026-01-01T00:00:00Z\n---\n" + "".join(lines)).encode()
        if path.startswith("/info/"):
            return self._info(path.removeprefix("/info/"))
        if path.startswith("/quick/Marshal.4.8/"):
            name, _, version = path.rpartition("/")[2].removesuffix(".gemspec.rz").rpartition("-")
            known = self.gems.get((name, version))
            return quick_spec(name, version, known[1]) if known else None
        name, _, version = path.removeprefix("/gems/").removesuffix(".gem").rpartition("-")
        found = self.gems.get((name, version))
        return found[0] if found and path.startswith("/gems/") else None

    def _versions(self, name: str) -> str:
        return ",".join(version for known, version in self.gems if known == name)

    def _digest(self, name: str) -> str:
        return hashlib.md5(self._info(name) or b"").hexdigest()

    def _info(self, name: str) -> bytes | None:
        lines = [
            f"{version} {','.join(f'{need}:>= 0' for need in needs)}|checksum:{hashlib.sha256(data).hexdigest()}\n"
            for (known, version), (data, needs) in self.gems.items()
            if known == name
        ]
        return ("---\n" + "".join(lines)).encode() if lines else None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
