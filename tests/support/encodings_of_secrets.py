"""The ways in which a secret may be wrapped, for the tests and for docs/decoy-encodings.md."""

from __future__ import annotations

import base64
import codecs
import gzip
import io
import json
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable

import brotli

Encode = Callable[[bytes], bytes]


def _zip(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", data)
    return buffer.getvalue()


def _tar(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("secrets.txt")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _multipart(data: bytes) -> bytes:
    head = b'--x1\r\ncontent-disposition: form-data; name="f"\r\n\r\n'
    return head + base64.b64encode(data) + b"\r\n--x1--\r\n"


def _pieces(data: bytes) -> bytes:
    return json.dumps([data.decode()[i : i + 3] for i in range(0, len(data), 3)]).encode()


# All of these must be found in a body.
FOUND: dict[str, Encode] = {
    "plain": lambda d: d,
    "base64": base64.b64encode,
    "base64, second alignment": lambda d: base64.b64encode(b"x" + d),
    "base64, third alignment": lambda d: base64.b64encode(b"xy" + d),
    "base64 urlsafe": base64.urlsafe_b64encode,
    "base64 in MIME lines": base64.encodebytes,
    "base64 twice": lambda d: base64.b64encode(base64.b64encode(d)),
    "base32": base64.b32encode,
    "hex": lambda d: d.hex().encode(),
    "upper-case hex": lambda d: d.hex().upper().encode(),
    "hex with colons": lambda d: d.hex(":").encode(),
    "URL encoding": lambda d: urllib.parse.quote_from_bytes(d, safe="").encode(),
    "URL encoding of every byte": lambda d: b"".join(b"%%%02x" % b for b in d),
    "reversed": lambda d: d[::-1],
    "reversed base64": lambda d: base64.b64encode(d)[::-1],
    "base64 of reversed": lambda d: base64.b64encode(d[::-1]),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "brotli": brotli.compress,
    "zip": _zip,
    "tar.gz": _tar,
    "base64 of gzip": lambda d: base64.b64encode(gzip.compress(d)),
    "hex of zlib": lambda d: zlib.compress(d).hex().encode(),
    "gzip twice": lambda d: gzip.compress(gzip.compress(d)),
    "JSON": lambda d: json.dumps({"a": [{"v": d.decode()}]}).encode(),
    "JSON within JSON": lambda d: json.dumps({"x": json.dumps({"v": d.decode()})}).encode(),
    "JSON, list of pieces": _pieces,
    "JSON, list of bytes": lambda d: json.dumps({"type": "Buffer", "data": list(d)}).encode(),
    "multipart": _multipart,
    "UTF-16": lambda d: d.decode().encode("utf-16"),
    "UTF-16 big-endian": lambda d: d.decode().encode("utf-16-be"),
    "XOR 0x5a": lambda d: bytes(b ^ 0x5A for b in d),
    "base64 of XOR": lambda d: base64.b64encode(bytes(b ^ 0x91 for b in d)),
    "XOR of base64": lambda d: bytes(b ^ 0x17 for b in base64.b64encode(d)),
}
# Not looked for: said plainly, and held to be so.
MISSED: dict[str, Encode] = {
    "base85": base64.b85encode,
    "letters turned by 13": lambda d: codecs.encode(d.decode(), "rot13").encode(),
    "XOR with a key of 5 bytes": lambda d: bytes(b ^ b"k3y!s"[n % 5] for n, b in enumerate(d)),
    "every other byte is noise": lambda d: bytes(x for n, b in enumerate(d) for x in (b, 65 + n % 26)),
}
EVERY = {**FOUND, **MISSED}
