"""The ways in which a secret may be wrapped, for the tests and for docs/decoy-encodings.md."""

from __future__ import annotations

import base64
import codecs
import gzip
import io
import json
import random
import string
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


def _own_alphabet(digits: bytes) -> bytes:
    """Base64 or hex whose letters are other ones, each always the same."""
    letters = sorted(set(range(33, 127)) - set(b'"\\'))
    random.Random(5).shuffle(letters)
    return bytes(letters[digit % len(letters)] for digit in digits)


def _words(digits: bytes) -> bytes:
    chance = random.Random(6)
    words = {digit: "".join(chance.choices(string.ascii_lowercase, k=5)) for digit in sorted(set(digits))}
    return " ".join(words[digit] for digit in digits).encode()


def _keyed(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(data))


def _cut(data: bytes, size: int) -> list[bytes]:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    random.Random(3).shuffle(parts)
    return parts


# What is searched for by likeness, as messages (place, channel, data): see docs/verdicts.md.
Messages = list[tuple[str, str, bytes]]
_LONG_KEY = bytes(random.Random(9).randbytes(64))


def _body(data: bytes) -> Messages:
    return [("collect.example", "body", data)]


ODD: dict[str, Callable[[bytes], Messages]] = {
    "base85": lambda d: _body(base64.b85encode(d)),
    "Ascii85": lambda d: _body(base64.a85encode(d)),
    "letters turned by 13": lambda d: _body(codecs.encode(d.decode(), "rot13").encode()),
    "base64 in an alphabet of its own": lambda d: _body(_own_alphabet(base64.b64encode(d))),
    "hex in an alphabet of its own": lambda d: _body(_own_alphabet(d.hex().encode())),
    "a word for each hex digit": lambda d: _body(_words(d.hex().encode())),
    "a word for each character": lambda d: _body(_words(d)),
    "an emoji for each hex digit": lambda d: _body(
        "".join(chr(0x1F600 + int(x, 16)) for x in d.hex()).encode()
    ),
    "XOR with a key of 5 bytes": lambda d: _body(_keyed(d, b"k3y!s")),
    "base64 of XOR with a key of 16 bytes": lambda d: _body(base64.b64encode(_keyed(d, b"0f1e2d3c4b5a6978"))),
    "every other byte is noise": lambda d: _body(bytes(x for n, b in enumerate(d) for x in (b, 65 + n % 26))),
    "pieces of 6, in any order, over hosts": lambda d: [
        (f"h{n}.example", "body", part) for n, part in enumerate(_cut(d, 6))
    ],
    "pieces of 6, in any order, over query keys": lambda d: [
        ("collect.example", "url", b"k%d=%s" % (n, part)) for n, part in enumerate(_cut(d, 6))
    ],
    "hex pieces, in any order, over look-ups": lambda d: [
        ("collect.example", "dns", part.hex().encode()) for part in _cut(d, 6)
    ],
    "pieces of 3, in any order": lambda d: [("collect.example", "body", part) for part in _cut(d, 3)],
    "XOR with a key as long as it": lambda d: _body(_keyed(d, _LONG_KEY)),
}
