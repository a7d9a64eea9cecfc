"""Falco's gRPC output as Falco 0.43 has it, for tests: its messages and its server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.requires import needs_module


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field in protobuf's wire format."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def response(
    rule: str,
    priority: int = 5,
    time_ns: int = 1795435200_000000007,
    tags: Sequence[str] = ("one", "two"),
    **fields: str,
) -> bytes:
    """One alert; times in ns since the epoch."""
    entries = (field(6, field(1, key) + field(2, value)) for key, value in fields.items())
    return b"".join(
        (
            field(1, field(1, time_ns // 10**9) + field(2, time_ns % 10**9)),
            field(2, priority) if priority else b"",
            field(4, rule),
            field(5, "something happened"),
            *entries,
            field(7, "host"),
            *(field(8, tag) for tag in tags),
            field(9, "syscall"),
        )
    )


class Server:
    """``sub`` as Falco's server does it: each request is answered with all that waits."""

    def __init__(self, address: str, credentials: Any = None) -> None:
        grpc = needs_module("grpc")
        self.waiting: list[bytes] = []
        handler = grpc.stream_stream_rpc_method_handler(self._sub)
        service = grpc.method_handlers_generic_handler("falco.outputs.service", {"sub": handler})
        self._server = grpc.server(ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((service,))
        if credentials is None:
            self._server.add_insecure_port(address)
        else:
            self._server.add_secure_port(address, credentials)
        self._server.start()

    def _sub(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            assert request == b""
            while self.waiting:
                yield self.waiting.pop(0)

    def stop(self) -> None:
        self._server.stop(0).wait(10)
