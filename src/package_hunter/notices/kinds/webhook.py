"""Webhooks as Standard Webhooks 1.0.0 has them: the body is signed together with the notice's id and the time.

Facts of the format: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from package_hunter.notices.addresses import Url, origin
from package_hunter.notices.kinds.base import DestinationSettings, Tools, require_success, to_json
from package_hunter.notices.outgoing import Asked
from package_hunter.notices.wording import Message

PREFIX = "whsec_"
_FEWEST, _MOST = 24, 64  # bytes, as the specification has it


def new_secret() -> str:
    """A signing key, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key's bytes; ValueError."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"a signing key begins with {PREFIX}")
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    if not _FEWEST <= len(key) <= _MOST:
        raise ValueError(f"a signing key has {_FEWEST} to {_MOST} bytes")
    return key


def _checked(secret: str) -> str:
    try:
        key_of(secret)
    except ValueError as error:
        raise ValueError(f"{PREFIX} and {_FEWEST} to {_MOST} bytes as base64 are wanted") from error
    return secret


class Webhook(DestinationSettings):
    """A receiver of Standard Webhooks."""

    SECRET = frozenset({"url", "secret"})

    kind: Literal["webhook"] = "webhook"
    url: Url
    secret: Annotated[str, Field(max_length=128), AfterValidator(_checked)] = Field(
        default_factory=new_secret, description="`whsec_…`; unset: one is made and told once."
    )

    def shown(self) -> str:
        """See DestinationSettings."""
        return origin(self.url)


def sign(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """The header ``webhook-signature``."""
    signed = f"{message_id}.{seconds}.".encode() + body
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def payload(message: Message) -> dict[str, Any]:
    """The body."""
    notice = message.notice
    data = {
        "place": message.place or None,
        "what": notice.what,
        "who": notice.who,
        "how": notice.how,
        "todo": notice.todo,
        "link": message.link,
        "fingerprint": notice.fingerprint,
        "facts": dict(notice.facts),
    }
    when = message.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": message.event.value, "timestamp": when, "data": data}


def send(message: Message, to: Webhook, tools: Tools) -> None:
    """See Sender."""
    body, now = to_json(payload(message)), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(to.secret, message.id, now, body),
    }
    require_success(tools.outgoing.send(Asked("POST", to.url, headers, body)))
