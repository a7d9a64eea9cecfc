"""Encodings by channels, through the gateway's own code; run as a program it prints docs/decoy.md's table."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.parse
import zlib
from collections.abc import Callable

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.lawful import Registries
from package_hunter.decoy.watch import Watch
from package_hunter.decoy.web import Ask, Peer

PEER = Peer("198.18.1.1", 443, 40_000, "collect.example", "collect.example", True)
CANARIES = tuple(c for c in make_canaries("t")[0] if c.kind in ("npm-token", "aws-secret", "ssh-key"))
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda d: d,
    "base64": base64.b64encode,
    "base64 urlsafe": base64.urlsafe_b64encode,
    "base32": base64.b32encode,
    "hex": lambda d: d.hex().encode(),
    "URL encoding": lambda d: urllib.parse.quote_from_bytes(d, safe="").encode(),
    "reversed": lambda d: d[::-1],
    "base64 of gzip": lambda d: base64.b64encode(gzip.compress(d)),
    "base64 of XOR": lambda d: base64.b64encode(bytes(b ^ 0x33 for b in d)),
    "JSON in JSON": lambda d: json.dumps(json.dumps({"v": d.decode()})).encode(),
    "UTF-16": lambda d: d.decode().encode("utf-16-le"),
    "XOR": lambda d: bytes(b ^ 0x5A for b in d),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
}
DNS_SAFE = ("plain", "base64", "base64 urlsafe", "base32", "hex", "base64 of gzip", "base64 of XOR")
BINARY = ("UTF-16", "XOR", "gzip", "zlib")
CHANNELS = ("DNS", "URL", "header", "body", "body, many requests", "TCP", "UDP")


def _ask(target: str, headers: dict[str, str] | None = None) -> Ask:
    return Ask("GET", target, "collect.example", headers or {}, PEER)


def _send(watch: Watch, channel: str, data: bytes) -> None:
    if channel == "DNS":
        text = data.decode().replace("=", "").replace("/", "_").replace("+", "-")
        for at in range(0, len(text), 60):
            watch.dns(f"{text[at : at + 60]}.collect.example", 1)
    elif channel == "URL":
        watch.request(_ask("/p?q=" + urllib.parse.quote_from_bytes(data)))
    elif channel == "header":
        watch.request(_ask("/", {"x-data": data.decode().replace("\n", " ")}))
    elif channel == "body, many requests":
        for at in range(0, len(data), 7):
            ask = _ask("/")
            ask.body = data[at : at + 7]
            watch.request(ask)
    else:
        sink = watch.body(_ask("/")) if channel == "body" else watch.raw(PEER, channel.lower())
        for at in range(0, len(data), 1000):
            sink.feed(data[at : at + 1000])
        sink.close()


def detected(encoding: str, channel: str) -> bool | None:
    """Whether all canaries are seen; None where the channel cannot carry that encoding."""
    if (channel == "DNS" and encoding not in DNS_SAFE) or (channel == "header" and encoding in BINARY):
        return None
    seen = 0
    for canary in CANARIES:
        hits: list[object] = []
        watch = Watch(CANARIES, (), lambda _kind, hit, to=hits: to.append(hit), Registries({}))  # type: ignore[misc,arg-type]
        _send(watch, channel, ENCODINGS[encoding](canary.value.replace("\n", "").encode()))
        seen += any(getattr(hit, "canary", "") == canary.id for hit in hits)
    return seen == len(CANARIES)


@pytest.mark.parametrize("channel", CHANNELS)
def test_detected(channel: str) -> None:
    assert [e for e in ENCODINGS if detected(e, channel) is False] == []


if __name__ == "__main__":
    print("| encoding | " + " | ".join(CHANNELS) + " |\n|---" * 1 + "|---" * len(CHANNELS) + "|")
    for name in ENCODINGS:
        cells = ({True: "yes", False: "no", None: "-"}[detected(name, channel)] for channel in CHANNELS)
        print(f"| {name} | " + " | ".join(cells) + " |")
