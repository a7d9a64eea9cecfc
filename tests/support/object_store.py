"""An object store for tests: moto's S3 over HTTP, behind a line that can be cut, slowed down and mended."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest import mock

from moto.server import ThreadedMotoServer

BUCKET = "hunter"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}


@dataclass
class Line:
    """A TCP proxy. ``cut`` ends what goes through it and refuses the rest; ``mend`` lets it through again; after
    ``limit`` bytes towards the store it cuts itself."""

    target: tuple[str, int]
    limit: int | None = None
    up: bool = True
    passed: int = 0
    _pairs: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def names(self, prefix: str) -> list[str]:
        """What lies in the bucket below a prefix, asked past the line, and without the library: whoever has used that
        can fork no process that uses it."""
        url = f"http://{self.target[0]}:{self.target[1]}/{BUCKET}?list-type=2&prefix={prefix}"
        with urllib.request.urlopen(url) as answer:
            return re.findall(r"<Key>([^<]+)</Key>", answer.read().decode())

    def cut(self) -> None:
        with self._lock:
            self.up = False
            pairs, self._pairs = self._pairs, []
        for end in pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        self.limit, self.up = None, True

    def close(self) -> None:
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                if not self.up:
                    here.close()
                    continue
                there = socket.create_connection(self.target)
                with self._lock:
                    self._pairs += [here, there]
                for ends in ((here, there, True), (there, here, False)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                self.passed += counted * len(data)
                if counted and self.limit is not None and self.passed > self.limit:
                    return self.cut()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def object_store() -> Iterator[Line]:
    """A fresh bucket named ``hunter``, and the line to it; credentials are in the environment meanwhile."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for path, method in (("moto-api/reset", "POST"), (BUCKET, "PUT")):
        urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/{path}", method=method)).close()
    line = Line((host, port))
    try:
        with mock.patch.dict(os.environ, ENVIRONMENT):
            yield line
    finally:
        line.close()
        server.stop()
