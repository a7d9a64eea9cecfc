"""What can be told of data that left: whether we could read it, whether it names this machine, whether a host
name carries data. Linear in the length of the data; every length is bounded."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from package_hunter.findings.hidden import information, unpacked

MAX_BYTES = 64 << 10
_TEXT = frozenset(b"\t\n\r" + bytes(range(0x20, 0x7F)))
_READABLE_MAGIC = (b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\x28\xb5\x2f\xfd", b"%PDF")
_TOKEN = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")
_JWT = re.compile(rb"eyJ([A-Za-z0-9_-]{10,1024})[.](eyJ[A-Za-z0-9_-]{10,8192})[.]([A-Za-z0-9_-]{20,800})")
_SIGNATURES = {
    "HS": (32, 48, 64),
    "RS": (256, 384, 512),
    "PS": (256, 384, 512),
    "ES": (64, 96, 132),
    "Ed": (64,),
}
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
_ENCODED_LABEL = re.compile(r"[0-9a-f]{16,63}|[a-z2-7]{24,63}|[a-z0-9+/_=-]{32,63}", re.IGNORECASE)
MIN_OPAQUE = 48
# A run without eight printable characters side by side, as ciphers are all through
_UNTEXT = re.compile(rb"(?:[^\x20-\x7e]|[\x20-\x7e]{1,7}(?![\x20-\x7e]))+")
_MAX_LAYERS = 2  # of compression, one in another


def entropy(data: bytes) -> float:
    """Shannon entropy in bits a byte."""
    size = len(data)
    return -sum(n / size * math.log2(n / size) for n in Counter(data).values()) if size else 0.0


def is_text(data: bytes) -> bool:
    """Whether nine tenths of it is printable ASCII, or it is UTF-8 text."""
    if not data:
        return True
    if sum(b in _TEXT for b in data) >= 0.9 * len(data):
        return True
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(c.isprintable() or c.isspace() for c in text) >= 0.9 * len(text)


def is_opaque(data: bytes, encoding: str = "") -> bool:
    """Whether the data, or a long token in it, could hide MIN_OPAQUE bytes in what is neither text nor of a form that
    can be unpacked: so it is encrypted, or of a make that nobody knows. ``encoding`` is an HTTP body's own word."""
    return _hides(data[:MAX_BYTES], encoding, _MAX_LAYERS)


def hides_in_frames(data: bytes) -> bool:
    """The same of a binary protocol's messages, whose frames, numbers and short names are no secret: only what stands
    between its longer texts counts, piece by piece, and the texts."""
    data = data[:MAX_BYTES]
    pieces = any(
        len(piece) >= MIN_OPAQUE and information(piece) >= MIN_OPAQUE for piece in _UNTEXT.findall(data)
    )
    return pieces or any(
        len(inner) >= MIN_OPAQUE and _binary_hides(inner, "", _MAX_LAYERS) for inner in _decoded(data)
    )


def _hides(data: bytes, encoding: str, layers: int) -> bool:
    if is_text(data):
        return any(len(inner) >= MIN_OPAQUE and _binary_hides(inner, "", layers) for inner in _decoded(data))
    return len(data) >= MIN_OPAQUE and _binary_hides(data, encoding, layers)


def _binary_hides(data: bytes, encoding: str, layers: int) -> bool:
    if layers and (parts := unpacked(data, encoding)) is not None:
        return any(_hides(part, encoding.rpartition(",")[0], layers - 1) for part in parts)
    if data.startswith(_READABLE_MAGIC):
        return False
    unpadded = data.replace(b"\0", b"")  # of UTF-16, and of tar
    if is_text(unpadded):
        return bool(layers) and not is_text(data) and _hides(unpadded, "", 0)
    return information(data) >= MIN_OPAQUE


def _unbase64(token: bytes) -> bytes | None:
    token = token.rstrip(b"=")
    token = token[: len(token) - (len(token) % 4 == 1)].translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(token + b"=" * (-len(token) % 4))
    except binascii.Error:
        return None


def _unsigned(data: bytes) -> bytes:
    """The data without the signatures of its JSON web tokens (RFC 7519): what such a token says anyone can read, and
    its signature has the length that its algorithm gives (RFC 7518 3.1, RFC 8037 3.1)."""
    return _JWT.sub(lambda token: token[0][: -len(token[3])] if _is_signed(token) else token[0], data)


def _is_signed(token: re.Match[bytes]) -> bool:
    head, claims, signature = (_unbase64(part) for part in (b"eyJ" + token[1], token[2], token[3]))
    try:
        algorithm = json.loads(head or b"")["alg"]
        claimed = json.loads(claims or b"")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    sizes = _SIGNATURES.get(algorithm[:2], ()) if isinstance(algorithm, str) else ()
    plain = isinstance(claimed, dict) and not is_opaque(claims or b"")
    return plain and signature is not None and len(signature) in sizes


def _decoded(data: bytes) -> Iterator[bytes]:
    data = _unsigned(data)
    for match in _TOKEN.finditer(data):
        token = match.group()
        if re.fullmatch(rb"[0-9a-fA-F]+", token):
            yield binascii.unhexlify(token[: len(token) & ~1])
        elif (inner := _unbase64(token)) is not None and entropy(token) > 4.0:
            yield inner
    for match in _HEX.finditer(data):
        yield binascii.unhexlify(match.group())


def _unbase32(text: str) -> bytes | None:
    text = text.upper()
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:  # of binascii, or as it is no ASCII
        return None


def views(data: bytes) -> Iterator[bytes]:
    """The data as it is, URL-decoded, and what its long base64 and hex tokens hold."""
    data = data[:MAX_BYTES]
    yield data
    plain = unquote_to_bytes(data)
    if plain != data:
        yield plain
    yield from _decoded(plain)


def facts_in(data: bytes, facts: Iterable[str]) -> list[str]:
    """Which of the facts are named in the data, plain or encoded."""
    wanted = {f: f.encode() for f in facts if len(f) >= 6}
    seen = list(views(data))
    return [fact for fact, raw in wanted.items() if any(raw in view for view in seen)]


def base_domain(name: str) -> str:
    """The last two labels: good enough to put look-ups of one owner together."""
    return ".".join(name.rstrip(".").lower().split(".")[-2:])


def payload_of(name: str) -> bytes:
    """What the labels below the base domain hold, joined: names carry data in pieces."""
    return "".join(name.rstrip(".").split(".")[:-2]).encode("ascii", "replace")


def joined_payload(names: Iterable[str]) -> bytes:
    """What the names carry together, each name once; labels that are mere counters are left out."""
    joined = bytearray()
    for name in dict.fromkeys(names):
        labels = name.rstrip(".").split(".")[:-2]
        joined += "".join(x for x in labels if not (x.isdigit() and len(x) < 6)).encode("ascii", "replace")
        if len(joined) > MAX_BYTES:
            break
    return bytes(joined[:MAX_BYTES])


def name_facts(name: str, facts: Iterable[str]) -> list[str]:
    """Which of the facts a looked-up name carries, in its labels one by one or joined."""
    labels = name.rstrip(".").split(".")[:-2]
    pieces = [*(label.encode("ascii", "replace") for label in labels), payload_of(name)]
    pieces += [inner for label in [*labels, "".join(labels)] if (inner := _unbase32(label))]
    wanted = list(facts)
    return sorted({fact for piece in pieces for fact in facts_in(piece, wanted)})


def carries_data(name: str) -> bool:
    """Whether a host name looks like data: long encoded labels below the base domain."""
    labels = name.rstrip(".").split(".")[:-2]
    encoded = [label for label in labels if _ENCODED_LABEL.fullmatch(label) and _is_random(label)]
    return sum(map(len, encoded)) >= 24


def _is_random(label: str) -> bool:
    if re.fullmatch(r"[0-9a-fA-F]+", label):
        return len(set(label.lower())) >= 6
    return entropy(label.lower().encode()) > 3.3 and any(c.isdigit() for c in label)
