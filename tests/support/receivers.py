"""Places that notices go to, for tests: a real HTTP server on loopback that answers as it is told, and keeps what it
was sent."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from package_hunter.notices.guard import Guard, networks
from package_hunter.notices.issues import NoBook
from package_hunter.notices.kinds.base import Issues, Tools
from package_hunter.notices.outbox import Event, Notice
from package_hunter.notices.outgoing import Outgoing
from package_hunter.notices.smtp import MailServer
from package_hunter.notices.wording import Message

LOOPBACK = Guard(networks("127.0.0.0/8,::1/128"))


@dataclass(frozen=True)
class Got:
    """A request that came in; names of headers in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Told:
    """What to answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Got], Told]


class Receiver:
    """Answers each request by ``answer``, which may be changed while it runs."""

    def __init__(self, answer: Answering = lambda _: Told()) -> None:
        self.got: list[Got] = []
        self.answer = answer
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Got(self.command, self.path, headers, self.rfile.read(length))
                receiver.got.append(asked)
                told = receiver.answer(asked)
                self.send_response(told.status)
                for name, value in ({"Content-Length": str(len(told.body))} | told.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(told.body)

            do_GET = do_POST = do_PUT = handle_one

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def over_tls(self, context: ssl.SSLContext, name: str = "localhost") -> None:
        """Speak TLS."""
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://{name}:{self.port}"


@contextmanager
def receiver(answer: Answering = lambda _: Told()) -> Iterator[Receiver]:
    """A receiver that runs."""
    made = Receiver(answer)
    with running(made):
        yield made


@contextmanager
def running(made: Receiver) -> Iterator[Receiver]:
    """Let it answer."""
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


HOSTILE = (
    "pkg </what>\r\nBcc: everybody@example.org\r\n\r\n<script>alert(1)</script> <!channel> @all @everyone "
    "[click](https://evil.example/x) **bold** `code` |x| {code} \u202egnp.exe\u202c zero\u200bwidth "
    "\n/close\n/assign @root\n# head \x1b[31mred\x00 &amp; https://evil.example/steal?a=b www.evil.example \ud800"
)
"""What somebody might call a package who wants to be more than a name."""


def message(event: Event = Event.PROOF_FOUND, **parts: Any) -> Message:
    """A notice on its way."""
    values: dict[str, Any] = {
        "what": "A package read a token and sent it away.",
        "who": "left-pad 1.3.0, in its preinstall script",
        "how": "The fake token was seen in a request to a host that is not its owner's.",
        "todo": "Do not install it; rotate npm tokens.",
        "look": "/api/v1/scans/1",
        "fingerprint": "ab12" * 8,
    } | parts
    notice = Notice(**values)
    when = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    return Message(
        "msg_0123456789abcdef", event, when, "web/shop", notice, "https://hunter.example/api/v1/scans/1"
    )


def hostile_message(event: Event = Event.PROOF_FOUND) -> Message:
    """A notice whose every text was chosen by an attacker."""
    return message(event, what=HOSTILE, who=HOSTILE, how=HOSTILE, todo=HOSTILE)


def tools(mail: MailServer | None = None, issues: Issues | None = None, seconds: float = 5.0) -> Tools:
    """What senders work with; only loopback is reached."""
    return Tools(Outgoing(LOOPBACK, seconds=seconds), mail, issues or NoBook())


class Book:
    """An issue book in memory."""

    def __init__(self) -> None:
        self.remote: str | None = None
        self.url: str | None = None
        self.open: bool | None = None
        self.later = False

    def known(self) -> str | None:
        """See Issues."""
        return self.remote

    def settled_later(self) -> bool:
        """See Issues."""
        return self.later

    def note(self, remote: str | None, url: str | None, is_open: bool) -> None:
        """See Issues."""
        self.remote, self.url, self.open = remote or self.remote, url or self.url, is_open
