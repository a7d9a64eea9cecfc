"""Encodings by channels, through the gateway's own code; run as a program it writes docs/decoy-encodings.md."""

from __future__ import annotations

import random
import string
import urllib.parse
from functools import cache
from pathlib import Path

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.lawful import Registries
from package_hunter.decoy.search import Searcher
from package_hunter.decoy.watch import Watch
from package_hunter.decoy.web import Ask, Peer
from package_hunter.findings.data_out import Sent
from package_hunter.findings.odd_clothes import Material
from tests.support.encodings_of_secrets import EVERY, MISSED, ODD
from tests.support.judge_samples import BLAME, T0

PAGE = Path(__file__).resolve().parents[3] / "docs/decoy-encodings.md"
PEER = Peer("198.18.1.1", 443, 40_000, "collect.example", "collect.example", True)
CANARIES = tuple(c for c in make_canaries("t")[0] if c.kind in ("npm-token", "aws-secret", "ssh-key"))
SEARCHER = Searcher(CANARIES, [c for _ in range(2) for c in make_canaries("r")[0]])
CHANNELS = (
    "DNS", "URL query", "URL path", "header", "body", "body, many requests", "TCP", "UDP", "raw in TLS",
)  # fmt: skip
_RAW = {"TCP": "tcp", "UDP": "udp", "raw in TLS": "tls"}
# What letters, digits and dashes can write; of a secret as it is, where that has no other characters.
_LABELS = frozenset(
    ("base64", "base64, second alignment", "base64, third alignment", "base64 urlsafe", "base64 twice", "base32",
     "hex", "upper-case hex", "reversed base64", "base64 of reversed", "base64 of gzip", "hex of zlib",
     "base64 of XOR")
)  # fmt: skip
_AS_IT_IS = frozenset(("plain", "reversed", "letters turned by 13", "every other byte is noise"))
_BINARY = frozenset(
    ("gzip", "zlib", "brotli", "zip", "tar.gz", "gzip twice", "multipart", "UTF-16", "UTF-16 big-endian",
     "XOR 0x5a", "XOR of base64", "XOR with a key of 5 bytes")
)  # fmt: skip
_TEXT = """# Encodings and channels

What the gateway's search finds, from a run of its own code (`python tests/unit/decoy/test_search_channels.py` writes
this page, the test of that name holds it). Each cell: three kinds of fakes (an npm token, an AWS secret, an SSH key)
were sent whole, so wrapped, over that channel. `yes`: every one was found. `no`: not every one. `-`: the channel cannot
carry it (a name in DNS takes letters, digits and dashes; a header takes text). In DNS the text is cut into labels of
60 bytes, each a look-up of its own; "many requests" sends 7 bytes in each; raw streams come in pieces of 1,000 bytes.

The last rows are what is not looked for so: any way of hiding that needs a key, or that no packing program makes.
Much of that is found by its likeness, once a package had opened the secret (the second table).
"""
_LIKELY = """
## In odd clothes

What the search by likeness finds ([verdicts](verdicts.md)): it makes a scan suspicious, and is never proof. Five
fakes of the form of an npm token and five of an AWS secret were sent so. `likely`: all were found; else how many.

| clothes | found |
|---|---|"""


def _ask(target: str, headers: dict[str, str] | None = None) -> Ask:
    return Ask("GET", target, "collect.example", headers or {}, PEER)


def carries(channel: str, encoding: str, kind: str) -> bool:
    """Whether an encoding can be sent there at all (by its alphabet, not by what a secret happens to be)."""
    if channel == "DNS":
        return encoding in _LABELS or (encoding in _AS_IT_IS and kind != "ssh-key")
    return channel != "header" or encoding not in _BINARY


def _send(watch: Watch, channel: str, data: bytes) -> None:
    if channel == "DNS":
        text = data.decode().replace("=", "").replace("/", "_").replace("+", "-")
        for at in range(0, len(text), 60):
            watch.dns(f"{text[at : at + 60]}.collect.example", 1)
    elif channel == "URL query":
        watch.request(_ask("/p?q=" + urllib.parse.quote_from_bytes(data)))
    elif channel == "URL path":
        watch.request(_ask("/p/" + urllib.parse.quote_from_bytes(data, safe="")))
    elif channel == "header":
        watch.request(_ask("/", {"x-data": data.decode().replace("\n", " ")}))
    elif channel == "body, many requests":
        for at in range(0, len(data), 7):
            ask = _ask("/")
            ask.body = data[at : at + 7]
            watch.request(ask)
    else:
        sink = watch.body(_ask("/")) if channel == "body" else watch.raw(PEER, _RAW[channel])
        for at in range(0, len(data), 1000):
            sink.feed(data[at : at + 1000])
        sink.close()


@cache
def detected(encoding: str, channel: str) -> bool | None:
    """Whether all canaries are seen that the channel can carry in that encoding; None where it carries none."""
    seen = sent = 0
    for canary in CANARIES:
        data = EVERY[encoding](canary.value.replace("\n", "").encode())
        if not carries(channel, encoding, canary.kind):
            continue
        sent += 1
        hits: list[object] = []
        watch = Watch(CANARIES, (), lambda _kind, hit, to=hits: to.append(hit), Registries({}))  # type: ignore[misc,arg-type]
        watch.__dict__["searcher"] = SEARCHER
        _send(watch, channel, data)
        seen += any(getattr(hit, "canary", "") == canary.id for hit in hits)
    return seen == sent if sent else None


def page() -> str:
    """docs/decoy-encodings.md as it should be."""
    lines = [_TEXT, "| encoding | " + " | ".join(CHANNELS) + " |", "|---" * (len(CHANNELS) + 1) + "|"]
    for name in EVERY:
        cells = ({True: "yes", False: "no", None: "-"}[detected(name, channel)] for channel in CHANNELS)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += [_LIKELY, *(f"| {clothes} | {_found(likely(clothes))} |" for clothes in ODD)]
    return "\n".join(lines) + "\n"


def _fakes() -> list[str]:
    """The same in each run: how much of a secret repeats is chance."""
    chance = random.Random(21)
    forms = (
        ("npm_", 36, string.ascii_letters + string.digits),
        ("", 40, string.ascii_letters + string.digits + "+/"),
    )
    return [
        head + "".join(chance.choices(letters, k=size)) for head, size, letters in forms for _ in range(5)
    ]


def likely(clothes: str) -> int:
    """How many of the fakes are alike to what was sent, so dressed."""
    found = 0
    for value in _fakes():
        what = Sent(BLAME, T0, T0)
        for number, (where, channel, data) in enumerate(ODD[clothes](value.encode())):
            what.add(T0 + number, where, channel, data, number)
        found += Material(what, [value]).likeness(value) is not None
    return found


def _found(count: int) -> str:
    return {len(_fakes()): "likely", 0: "no"}.get(count, f"{count} of {len(_fakes())}")


@pytest.mark.parametrize("encoding", [name for name in EVERY if name not in MISSED])
def test_detected_in_a_body_and_in_raw_streams(encoding: str) -> None:
    assert all(detected(encoding, channel) for channel in ("body", "TCP", "UDP", "raw in TLS"))


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
