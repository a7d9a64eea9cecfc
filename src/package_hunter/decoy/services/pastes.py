"""Hosts of pastes, gists and files for everybody: what is posted can be had again under the address that is given
for it. What was never posted is a download like any other."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_MAX_POSTS, _MAX_BYTES = 200, 4 << 20  # kept of a scan
_PLAIN = (
    "0x0.st", "ix.io", "sprunge.us", "termbin.com", "paste.rs", "transfer.sh", "bashupload.com", "temp.sh", "oshi.at",
    "clbin.com", "paste.c-net.org", "x0.at", "uguu.se", "tmpfiles.org", "catbox.moe", "litterbox.catbox.moe",
)  # fmt: skip
_DOCUMENTS = ("hastebin.com", "toptal.com", "hst.sh", "haste.zneix.eu", "paste.gg", "bytebin.lucko.me")
_JSON = ("file.io", "gofile.io", "api.gofile.io", "store1.gofile.io", "jsonkeeper.com", "jsonbin.io", "api.jsonbin.io",
         "rentry.co", "paste.ee", "api.paste.ee", "dpaste.com", "dpaste.org", "jsonsilo.com", "npoint.io")  # fmt: skip
_PASTEBIN = ("pastebin.com", "www.pastebin.com")
_GISTS = ("gist.github.com", "gist.githubusercontent.com")
HOSTS = frozenset((*_PLAIN, *_DOCUMENTS, *_JSON, *_PASTEBIN, *_GISTS))
_KEY = re.compile(r"[A-Za-z0-9]{8}")


class Pastes:
    """Keeps what is posted, for as long as the scan."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._kept: dict[str, bytes] = {}
        self._bytes = 0

    def matches(self, ask: Ask) -> bool:
        return ask.host in HOSTS

    def answer(self, ask: Ask) -> Answer | None:
        if ask.method in ("POST", "PUT"):
            return self._posted(ask)
        key = next((part for part in reversed(ask.raw_path.split("/")) if part in self._kept), None)
        return Answer(200, self._kept[key], type="text/plain; charset=utf-8") if key is not None else None

    def _posted(self, ask: Ask) -> Answer:
        key = self._keep(ask)
        address = f"https://{ask.host}/{key}"
        if ask.host in _PASTEBIN or ask.host in _PLAIN:
            return Answer(
                200, address.encode() + b"\n" * (ask.host in _PLAIN), type="text/plain; charset=utf-8"
            )
        if ask.host in _DOCUMENTS:
            return json_answer(json.dumps({"key": key, "url": address}))
        data = {"id": key, "downloadPage": address, "directLink": address}
        said = {
            "success": True,
            "status": "ok",
            "id": key,
            "key": key,
            "link": address,
            "url": address,
            "data": data,
        }
        return json_answer(json.dumps(said), 201)

    def _keep(self, ask: Ask) -> str:
        content = posted(ask)
        key = self._world.steady.hex(f"paste {ask.host} {content!r}", 4)
        if (
            key not in self._kept
            and len(self._kept) < _MAX_POSTS
            and self._bytes + len(content) <= _MAX_BYTES
        ):
            self._kept[key] = content
            self._bytes += len(content)
        return key


def posted(ask: Ask) -> bytes:
    """What of a request is the paste: a form's field or file, else its whole body."""
    kind = ask.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        try:
            fields = parse_qs(ask.body.decode("latin-1"), max_num_fields=100)
        except ValueError:
            return ask.body
        named = [
            fields[name][0]
            for name in ("api_paste_code", "content", "text", "f:1", "sprunge")
            if name in fields
        ]
        return named[0].encode("latin-1") if named else ask.body
    if kind.startswith("multipart/form-data"):
        part = ask.body.partition(b"\r\n\r\n")[2]
        return part.partition(b"\r\n--")[0] if part else ask.body
    return ask.body
