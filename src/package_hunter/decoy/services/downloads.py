"""Any other URL: a plausible thing of the asked kind, which calls home if it is executed."""

from __future__ import annotations

import gzip
import io
import ipaddress
import struct
import tarfile
import zipfile

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.encodings import encoded
from package_hunter.decoy.web import Answer, Ask

_PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
_BROWSING = ("", "html", "htm", "php", "asp", "aspx")
_DATA = {
    "json": (b'{"ok":true,"version":"1.4.2","status":"active"}\n', "application/json"),
    "txt": (b"1.4.2\n", "text/plain"),
    "xml": (b'<?xml version="1.0"?><response><status>ok</status></response>\n', "application/xml"),
    "css": (b"body{margin:0}\n", "text/css"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>\n', "image/svg+xml"),
    "png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 32, "image/png"),
    "sha256": (b"0" * 64 + b"\n", "text/plain"),
}
_SHELL = """#!/bin/sh
set -e
u="http://{name}/"
(curl -fsS -m 10 "$u" || wget -qO- -T 10 "$u") >/dev/null 2>&1 || getent hosts {name} >/dev/null 2>&1 || true
"""
_NODE = """"use strict";
require("http").get("http://{name}/").on("error", function () {{}});
"""
_PYTHON = """import urllib.request
try:
    urllib.request.urlopen("http://{name}/", timeout=10).read()
except OSError:
    pass
"""
_RUBY = """require "net/http"
begin
  Net::HTTP.get(URI("http://{name}/"))
rescue StandardError
  nil
end
"""
# A line that is a command to sh and a comment to JavaScript, then JavaScript.
_BOTH = """":" //# ; (curl -fsS http://{name}/ || wget -qO- http://{name}/) >/dev/null 2>&1; exit 0
require("http").get("http://{name}/").on("error", function () {{}});
"""

# The same where there may be no ``require``, as in what `new Function` makes.
_EVALUATED = """":" //# ; (curl -fsS http://{name}/ || wget -qO- http://{name}/) >/dev/null 2>&1; exit 0
typeof require === "function" ? require("http").get("http://{name}/").on("error", function () {{}})
  : fetch("http://{name}/").catch(function () {{}});
"""


class Downloads:
    """The last to be asked: it answers everything."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._encodings = {url: (name, members) for url, name, members in world.spec.encoded}

    def answer(self, ask: Ask) -> Answer:
        """Something of the kind that the path's ending, or the client, suggests."""
        if ask.method not in ("GET", "HEAD"):
            return Answer(200, b'{"ok":true}', type="application/json")
        if ask.url in self._encodings:
            return self._encoded(ask, *self._encodings[ask.url])
        last = ask.path.rpartition("/")[2].lower()
        ending = last.rpartition(".")[2] if "." in last else ""
        if ending in _DATA:
            body, kind = _DATA[ending]
            return Answer(200, body, type=kind)
        agent = ask.headers.get("user-agent", "").lower()
        if ending in _BROWSING and ("mozilla" in agent or ask.raw_path == "/"):
            return Answer(200, _PAGE)
        name = self._world.markers.serve(ask.url, ask.peer.destination)
        body, kind = self._thing(last, ending, agent, name)
        return Answer(200, body, type=kind)

    def _encoded(self, ask: Ask, encoding: str, members: tuple[str, ...]) -> Answer:
        """A script that the client's own language can take, in the encoding that this box is to try."""
        agent = ask.headers.get("user-agent", "").lower()
        script = _PYTHON if "python" in agent else _RUBY if "ruby" in agent else _EVALUATED
        name = self._world.markers.serve(ask.url, ask.peer.destination)
        body = encoded(script.format(name=name).encode(), encoding, members)
        kind = "application/json" if encoding.startswith("json") else "application/octet-stream"
        return Answer(200, body, type=kind)

    def _thing(self, last: str, ending: str, agent: str, name: str) -> tuple[bytes, str]:
        script = {"sh": _SHELL, "bash": _SHELL, "js": _NODE, "cjs": _NODE, "py": _PYTHON, "rb": _RUBY}.get(
            ending
        )
        if script is None and ending in _BROWSING:
            script = _PYTHON if "python" in agent else _RUBY if "ruby" in agent else _BOTH
        if script is not None:
            return script.format(name=name).encode(), "text/plain; charset=utf-8"
        program = elf(self._world.markers.address(name))
        if last.endswith((".tar.gz", ".tgz", ".tar")):
            packed = _tar(program, _SHELL.format(name=name).encode())
            return packed if ending == "tar" else gzip.compress(packed), "application/octet-stream"
        if ending in ("zip", "jar", "whl"):
            return _zip(program, _SHELL.format(name=name).encode()), "application/zip"
        if ending == "gz":
            return gzip.compress(program), "application/gzip"
        return program, "application/octet-stream"


def _tar(program: bytes, script: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in (("bin/app", program), ("install.sh", script)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _zip(program: bytes, script: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("bin/app", program), ("install.sh", script)):
            member = zipfile.ZipInfo(name)
            member.external_attr = 0o755 << 16
            archive.writestr(member, data)
    return buffer.getvalue()


def elf(address: str) -> bytes:
    """A whole x86-64 ELF program that connects to ``address``:80 and ends with 0 (ELF-64 specification)."""
    code = bytes.fromhex(
        "b829000000bf02000000be0100000031d20f05"  # socket(AF_INET, SOCK_STREAM, 0)
        "89c7488d3516000000ba10000000b82a0000000f05"  # connect(fd, &address, 16)
        "b83c00000031ff0f05"  # exit(0)
    )
    lea_end = 19 + 9  # the address follows the code: offset from the end of lea
    code = code[: lea_end - 4] + struct.pack("<i", len(code) - lea_end) + code[lea_end:]
    code += struct.pack("<H", 2) + struct.pack("!H", 80) + ipaddress.ip_address(address).packed + b"\0" * 8
    base, head = 0x400000, 64 + 56
    header = (
        b"\x7fELF\x02\x01\x01"
        + b"\0" * 9
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, head + len(code), head + len(code), 0x1000)
    return header + segment + code
