"""Addresses that users give: what can be one, and what may be shown of it."""

from __future__ import annotations

import re
from typing import Annotated

import httpx
from pydantic import AfterValidator, Field

MAX_URL = 2_000
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_TEXT = re.compile(r"[\x21-\x7e]+")


def check_url(text: str) -> str:
    """The address of a place that is told something; ValueError where it cannot be one."""
    if not _TEXT.fullmatch(text):
        raise ValueError("an address has printable ASCII characters without spaces only")
    try:
        url = httpx.URL(text)
        host, port = url.raw_host.decode("ascii"), url.port
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError("this is no address") from error
    if url.scheme not in ("https", "http") or not host or len(host) > 253:
        raise ValueError("give https://HOST/PATH")
    if url.userinfo or url.fragment:
        raise ValueError("an address here has no user, password or fragment")
    if port is not None and not 0 < port < 65_536:
        raise ValueError("there is no such port")
    return str(url)


def check_mail(text: str) -> str:
    """A mail address; ValueError where it is none."""
    if len(text) > 254 or not _MAIL.fullmatch(text):
        raise ValueError("this is no mail address that can be written to")
    return text


def origin(url: str) -> str:
    """Of an address whose path may be a secret: where it leads to."""
    parsed = httpx.URL(url)
    port = "" if parsed.port is None else f":{parsed.port}"
    tail = "/…" if parsed.raw_path not in (b"", b"/") else ""
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}://{host}{port}{tail}"


Url = Annotated[
    str, Field(max_length=MAX_URL, examples=["https://hooks.example/ph"]), AfterValidator(check_url)
]
Mail = Annotated[str, Field(max_length=254, examples=["security@example.org"]), AfterValidator(check_mail)]
