"""What is told of data that left, and stable subjects."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.findings.signals import is_hidden, stable
from package_hunter.findings.traffic import carries_data, facts_in, hides_in_frames, is_opaque, name_facts

FACT = "/home/dev/projects/app"


@pytest.mark.parametrize(
    "data",
    [
        FACT.encode(),
        base64.b64encode(b"some text before it " + FACT.encode()),
        base64.urlsafe_b64encode(b"a" + FACT.encode() * 2),
        FACT.encode().hex().encode(),
        b"%2Fhome%2Fdev%2Fprojects%2Fapp",
        b'{"cwd": "' + FACT.encode() + b'"}',
    ],
)
def test_facts_are_found(data: bytes) -> None:
    assert facts_in(b"x=1&y=" + data, [FACT]) == [FACT]


def test_facts_in_names_split_over_labels_and_in_base32() -> None:
    hexed = FACT.encode().hex()
    assert name_facts(f"{hexed[:20]}.{hexed[20:]}.b.example", [FACT]) == [FACT]
    packed = base64.b32encode(FACT.encode()).decode().rstrip("=").lower()
    assert name_facts(f"{packed}.b.example", [FACT]) == [FACT]


@pytest.mark.parametrize(
    ("data", "opaque"),
    [
        (b"", False),
        (b"plain text of some length, again and again and again and again", False),
        (b"short\xff\xfe", False),
        (bytes(range(256)), True),
        (b"\x1f\x8b" + bytes(range(256)), False),
        (b"PK\x03\x04" + bytes(range(256)), False),
        (b'{"data": "' + base64.b64encode(bytes((i * 89 + 31) % 256 for i in range(300))) + b'"}', True),
        (b'{"data": "' + base64.b64encode(b"readable text, " * 20) + b'"}', False),
        ("Grüße aus dem Kasten, ".encode() * 5, False),
    ],
)
def test_opaque(data: bytes, opaque: bool) -> None:
    assert is_opaque(data) is opaque


# what a cipher puts out looks like this
CIPHER = b"".join(hashlib.sha512(bytes([i])).digest() for i in range(4))
TELEMETRY = b'{"node": "v22.11.0", "platform": "linux", "duration": 3120, "event": "install", "ok": true}'


def field(number: int, value: bytes) -> bytes:
    """A field of protobuf."""
    return bytes([number << 3 | 2, len(value)]) + value


def span(ids: bytes) -> bytes:
    """A trace as OpenTelemetry sends it, with two ids of 24 random bytes together."""
    words = [
        field(1, b"tool.version") + field(2, field(1, b"1.0.0")),
        field(1, b"node") + field(2, b"v22.11.0"),
    ]
    inner = field(1, ids[:16]) + field(2, ids[16:24]) + field(5, b"install")
    return field(1, field(2, field(2, inner + b"".join(field(9, word) for word in words))))


def archive(content: bytes) -> bytes:
    """A tar with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("package/index.js")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (span(CIPHER), "identity"),
        (b"HB01" + CIPHER[:16] + bytes(280), ""),
        (brotli.compress(TELEMETRY), "br"),
        (brotli.compress(TELEMETRY), ""),
        (zlib.compress(TELEMETRY), "deflate"),
        (zlib.compress(TELEMETRY)[2:-4], "deflate"),
        (gzip.compress(TELEMETRY), "gzip"),
        (gzip.compress(span(CIPHER)), "gzip"),
        (brotli.compress(gzip.compress(TELEMETRY)), "gzip, br"),
        (TELEMETRY.decode().encode("utf-16-le"), ""),
        (gzip.compress(archive(b"if (a[0] === 1) {\n  b(c => d?.e);\n}\n" * 9)), ""),
        (b'{"body": "' + base64.b64encode(zlib.compress(TELEMETRY)) + b'"}', ""),
    ],
)
def test_what_anyone_can_read_is_not_opaque(data: bytes, encoding: str) -> None:
    assert len(data) >= 48
    assert not is_opaque(data, encoding)


NPMRC = b"//registry.example/:_authToken=npm_q7Zk3VbT0xLw9RfYc2HsJmD5uGnAeP8iK1oB\n"


@pytest.mark.parametrize(
    "data",
    [
        CIPHER[:80],
        bytes(c ^ 0x55 for c in NPMRC),
        bytes(c ^ 0x20 ^ 0x80 for c in NPMRC),
        bytes(c ^ k for c, k in zip(NPMRC, b"secret" * 20, strict=False)),
        zlib.compress(CIPHER),
        gzip.compress(archive(CIPHER)),
        gzip.compress(archive(b"-----BEGIN KEY-----\n" + base64.encodebytes(CIPHER))),
        gzip.compress(TELEMETRY) + CIPHER,
        brotli.compress(CIPHER),
        field(1, b"install") + field(2, CIPHER[:64]),
        b"readable words before it, and after: " + CIPHER[:64] + bytes(500),
        TELEMETRY.replace(b"install", base64.b64encode(CIPHER)),
    ],
)
@pytest.mark.parametrize("encoding", ["", "br", "deflate", "gzip", "zstd"])
def test_ciphers_stay_opaque_whatever_is_said_of_them(data: bytes, encoding: str) -> None:
    assert is_opaque(data, encoding)


def _token(algorithm: str, size: int, more: str = "") -> bytes:
    head = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    claims = json.dumps({"iss": "https://ci.example", "sub": "repo:a/b", "more": more}).encode()
    parts = (head, claims, (CIPHER * 3)[:size])
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


@pytest.mark.parametrize(("algorithm", "size"), [("RS256", 256), ("ES256", 64), ("HS384", 48), ("EdDSA", 64)])
def test_a_web_token_can_be_read_but_for_its_signature(algorithm: str, size: int) -> None:
    assert not is_opaque(b'{"token": "' + _token(algorithm, size) + b'", "package": "a"}')
    assert not is_opaque(b"grant_type=x&assertion=" + _token(algorithm, size))


@pytest.mark.parametrize(
    "data",
    [
        _token("RS256", 300),
        _token("none", 256),
        _token("XX256", 256),
        _token("RS256", 256, base64.b64encode(CIPHER[:64]).decode()),
        _token("RS256", 256) + b"." + base64.b64encode(CIPHER),
        b"eyJhbGciOiJSUzI1NiJ9.eyJub3QganNvbiBh." + base64.urlsafe_b64encode((CIPHER * 3)[:256]).rstrip(b"="),
    ],
)
def test_what_only_looks_like_a_web_token_is_opaque(data: bytes) -> None:
    assert is_opaque(data)


def test_random_bytes_are_opaque() -> None:
    assert is_opaque(os.urandom(500))


def test_names_that_carry_data() -> None:
    assert carries_data("0.7b2275223a22646576222c2268223a226c6170746f70.beacon.example")
    assert not carries_data("www.example")
    assert not carries_data("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.example")


@given(st.text(max_size=300), st.binary(max_size=300))
def test_nothing_breaks_it(text: str, data: bytes) -> None:
    facts_in(data, [FACT])
    is_opaque(data)
    carries_data(text)
    name_facts(text, [FACT])
    assert isinstance(stable(text), str)
    is_hidden(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/tmp/npm-4f9a2b/run.sh", "/tmp/npm-99ce01/run.sh"),
        ("/tmp/b-lCFEnA/bun/bun", "/tmp/b-quSRYT/bun/bun"),
        ("/proc/4711/environ", "/proc/12/environ"),
        ("/home/dev/projects/app/x", "/home/dev/projects/other/x"),
        ("/home/dev/.cache/tool/1.2.3/bin", "/home/dev/.cache/tool/1.10.0/bin"),
        ("/var/spool/cron/crontabs/tmp.cdgUnX", "/var/spool/cron/crontabs/tmp.abcdef"),
        ("(/home/dev/.config/.tmpAbC123)", "(/home/dev/.config/.tmpx0Zq1P)"),
        ("/home/dev/.config/tmpq3x_9a1b.json", "/home/dev/.config/tmpabcdefgh.json"),
        ("/home/dev/.config/sedAbC123", "/home/dev/.config/sedQ9rTzu"),
        ("/home/dev/.ssh/.config.AbC123", "/home/dev/.ssh/.config.xY0z1W"),
        ("/home/dev/.bashrc.swp-12", "/home/dev/.bashrc.swp-31245"),
        ("/home/dev/a.json.tmp.7", "/home/dev/a.json.tmp.99"),
        ("x-633414e2-24f2-412a-811f-c37131ff2c61", "x-00000000-24f2-412a-811f-c37131ff2c61"),
    ],
)
def test_stable_forgets_what_changes(one: str, other: str) -> None:
    assert stable(one) == stable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/etc/cron.d/tmpwatch", "/etc/cron.d/tmp"),
        ("/home/dev/.config/.eslintrc.config", "/home/dev/.config/.eslintrc.backup"),
        ("/home/dev/a/.tmp.cdgUnX", "/home/dev/b/.tmp.cdgUnX"),
        ("/home/dev/.bashrc", "/home/dev/.profile"),
        ("203.0.113.5", "203.0.113.6"),
        ("a.example", "b.example"),
    ],
)
def test_stable_keeps_what_matters(one: str, other: str) -> None:
    assert stable(one) != stable(other)


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("/tmp/x", True),
        ("/home/dev/.dev-env/run.sh", True),
        ("/dev/shm/a", True),
        ("/home/dev/projects/app/node_modules/.bin/tsc", False),
        ("/home/dev/.npm/_npx/x", False),
        ("/usr/bin/node", False),
        ("/home/dev/.cache/bun", True),
    ],
)
def test_hidden_places(path: str, hidden: bool) -> None:
    assert is_hidden(path) is hidden


_PING = b"\x10\x0e\0\4MQTT\5\2\0\x3c\0\0\2id\x32\x20\0\5a/b/c\0\1" + b'{"event": "install"}' * 3
_DOCUMENT = (
    b"\x9f\0\0\0\2insert\0\7\0\0\0people\0\x08ordered\0\1\3lsid\0\x1e\0\0\0\5id\0\x10\0\0\0\4"
    + CIPHER[:16]
    + b"\0\0"
)


@pytest.mark.parametrize(
    ("data", "hides"),
    [
        (_PING, False),
        (_DOCUMENT + b"\2name\0\x06\0\0\0Ada Lovelace\0" * 5, False),
        (_PING + CIPHER[:64], True),
        (_DOCUMENT + b"\5v\0\x40\0\0\0\0" + CIPHER[:64] + b"\0", True),
        (_DOCUMENT + b"\2v\0\x58\0\0\0" + base64.b64encode(CIPHER[:64]) + b"\0\0", True),
    ],
)
def test_only_pieces_of_a_binary_protocols_messages_hide(data: bytes, hides: bool) -> None:
    assert hides_in_frames(data) is hides
