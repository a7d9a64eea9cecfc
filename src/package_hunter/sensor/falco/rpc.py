"""Hears Falco's gRPC output (``falco.outputs.service/sub``), which Falco has up to 0.43: by its unix socket, or over
TCP with certificates on both sides.

The client asks again and again; each request lets Falco send all that waits (userspace/falco/
grpc_request_context.cpp of 0.43). Messages are small and flat, so their wire format is read here.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

from package_hunter.errors import HostError
from package_hunter.model.scales import PRIORITIES
from package_hunter.model.times import SECOND, rfc3339
from package_hunter.sensor.falco.alert import MAX_ALERT_BYTES
from package_hunter.sensor.falco.place import Rpc, Take

METHOD = "/falco.outputs.service/sub"
CERTIFICATES = ("ca.crt", "client.key", "client.crt")
_ASK_SECONDS = 0.1
_AGAIN_SECONDS = 0.5


class RpcSource:
    """Subscribed between ``start`` and ``stop``; a connection that ends is made again."""

    def __init__(self, place: Rpc) -> None:
        self._place = place
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.refused = 0

    def start(self, take: Take) -> None:
        """Subscribe. HostError where grpcio or a certificate is missing."""
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would write to stderr by itself
        try:
            import grpc
        except ImportError:
            raise HostError(
                "Falco's gRPC output needs the Python package grpcio, which is not installed.",
                "Install it (pip install 'package-hunter[grpc]'), or use Falco's http_output.",
            ) from None
        credentials = self._credentials(grpc)
        self._thread = threading.Thread(
            target=self._follow, args=(grpc, credentials, take), name="falco-grpc", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the subscription."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
            self._thread = None

    def _credentials(self, grpc: Any) -> Any:
        if self._place.certificates is None:
            return None
        try:
            parts = [(self._place.certificates / name).read_bytes() for name in CERTIFICATES]
        except OSError as error:
            raise HostError(
                f"A certificate for Falco cannot be read: {error.filename}: {os.strerror(error.errno or 0)}.",
                f"Put {', '.join(CERTIFICATES)} there: Falco's gRPC wants certificates on both sides.",
            ) from None
        return grpc.ssl_channel_credentials(*parts)

    def _follow(self, grpc: Any, credentials: Any, take: Take) -> None:
        options = [("grpc.max_receive_message_length", MAX_ALERT_BYTES)]
        target = self._place.target
        while not self._stop.is_set():
            with (
                grpc.insecure_channel(target, options)
                if credentials is None
                else grpc.secure_channel(target, credentials, options)
            ) as channel:
                try:
                    for data in channel.stream_stream(METHOD)(self._asking()):
                        take(as_json(data))
                        if self._stop.is_set():
                            return
                except grpc.RpcError as error:
                    self.refused += error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED  # a message too long
            self._stop.wait(_AGAIN_SECONDS)

    def _asking(self) -> Iterator[bytes]:
        while not self._stop.is_set():
            yield b""  # the empty message `request`
            self._stop.wait(_ASK_SECONDS)


def as_json(data: bytes) -> bytes:
    """A ``response`` in the form of Falco's JSON; bytes that are none become an object without a rule."""
    found: dict[str, Any] = {"output_fields": {}, "tags": []}
    try:
        for number, value in _fields(data):
            _put(found, number, value)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return b"{}"
    return json.dumps(found).encode()


def _put(found: dict[str, Any], number: int, value: int | bytes) -> None:
    names = {4: "rule", 5: "output", 7: "hostname", 9: "source"}
    found.setdefault("priority", PRIORITIES[0])  # proto3 leaves a zero out
    if isinstance(value, int):
        if number == 2:
            found["priority"] = PRIORITIES[value]
    elif number in names:
        found[names[number]] = _text(value)
    elif number == 1:
        found["time"] = _time(dict(_fields(value)))
    elif number == 6:
        entry = dict(_fields(value))
        found["output_fields"][_text(entry.get(1, b""))] = _text(entry.get(2, b""))
    elif number == 8:
        found["tags"].append(_text(value))


def _time(parts: dict[int, int | bytes]) -> str:
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or nanos >= SECOND:
        raise ValueError("no time")
    return rfc3339(seconds * SECOND + nanos)


def _text(value: int | bytes) -> str:
    if isinstance(value, int):
        raise TypeError("no text")
    return value.decode("utf-8", "replace")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message in protobuf's wire format: varints and bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, value
        elif kind == 2 and at + value <= len(data):
            yield tag >> 3, data[at : at + value]
            at += value
        else:
            raise ValueError("no message of Falco's")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise ValueError("a number without end")
