"""Messengers: Telegram's, Discord's and Slack's bot APIs and webhooks, by name and, on any host, by the form of their
paths (many go through a relay).

Forms: Telegram Bot API, Discord API (webhooks, users, channels), Slack Web API and incoming webhooks.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_TELEGRAM = re.compile(r"/(?:file/)?bot(\d{5,16}):[\w-]{30,64}/(?:test/)?([A-Za-z]{2,40})")
_DISCORD_HOOK = re.compile(
    r"/api(?:/v\d{1,2})?/webhooks/(\d{15,22})/([\w-]{40,100})(?:/(slack|github|messages/.*))?"
)
_SLACK_HOOK = re.compile(r"/(?:services|workflows)/T[A-Z0-9]{1,20}/[A-Z0-9]{1,20}/\w{1,60}(?:/.*)?")
_DISCORD = ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")
_SLACK = ("slack.com", "hooks.slack.com")


class ChatWebhooks:
    """Takes messages as the real ones would; the requests themselves are the evidence."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._began = int(time.time())

    def matches(self, ask: Ask) -> bool:
        path = ask.raw_path
        named = ask.host in (*_DISCORD, *_SLACK, "api.telegram.org")
        formed = (_TELEGRAM, _DISCORD_HOOK, _SLACK_HOOK)
        return named or any(form.fullmatch(path) for form in formed)

    def answer(self, ask: Ask) -> Answer | None:
        path = ask.raw_path
        if ask.host == "api.telegram.org" or _TELEGRAM.fullmatch(path):
            return self._telegram(ask)
        if ask.host in _SLACK or _SLACK_HOOK.fullmatch(path):
            return self._slack(ask)
        return self._discord(ask)

    def _telegram(self, ask: Ask) -> Answer:
        asked = _TELEGRAM.fullmatch(ask.raw_path)
        if asked is None:
            return json_answer('{"ok":false,"error_code":404,"description":"Not Found"}', 404)
        bot, method = asked[1], asked[2].lower()
        return json_answer(json.dumps({"ok": True, "result": self._told(int(bot), method, ask)}))

    def _told(self, bot: int, method: str, ask: Ask) -> Any:
        number = self._world.steady.number
        me = {"id": bot, "is_bot": True, "first_name": "build", "username": f"build_{bot % 1000}_bot"}
        chat = {"id": number(f"chat {bot}", 10**8, 10**10), "first_name": "A", "type": "private"}
        message = {
            "message_id": number(f"message {ask.url} {ask.body[:999]!r}", 2, 9999),
            "from": me,
            "chat": chat,
        }
        message["date"] = self._began
        if method == "getme":
            return me
        if method == "getupdates":
            return []
        if method == "getchat":
            return chat
        if method == "getfile":
            return {"file_id": "1", "file_unique_id": "1", "file_path": "documents/file_0.txt"}
        if method == "senddocument":
            message["document"] = {"file_id": "BQACAgIAAxk", "file_unique_id": "AgAD", "file_size": ask.size}
        return message if method.startswith(("send", "forward", "copy", "edit")) else True

    def _slack(self, ask: Ask) -> Answer:
        if ask.host != "slack.com" or not ask.raw_path.startswith("/api/"):
            return Answer(200, b"ok", type="text/plain")
        method = ask.raw_path.removeprefix("/api/")
        stamp = f"{self._began}.{self._world.steady.number(f'slack {ask.body[:999]!r}', 100000, 999999)}"
        team = {"team": "Northwind Labs", "team_id": "T02K8QD1R", "user": "ci", "user_id": "U03FJ2L7A"}
        known: dict[str, dict[str, Any]] = {
            "auth.test": {"url": "https://northwind-labs.slack.com/", **team},
            "chat.postMessage": {"channel": "C024BE91L", "ts": stamp, "message": {"text": "", "ts": stamp}},
            "conversations.list": {"channels": [{"id": "C024BE91L", "name": "general", "is_member": True}]},
            "conversations.history": {"messages": [], "has_more": False},
            "files.getUploadURLExternal": {
                "upload_url": "https://files.slack.com/upload/v1/1",
                "file_id": "F1",
            },
        }
        return json_answer(json.dumps({"ok": True, **known.get(method, {})}))

    def _discord(self, ask: Ask) -> Answer:
        hook = _DISCORD_HOOK.fullmatch(ask.raw_path)
        number = self._world.steady.number
        if hook is not None:
            if ask.method == "GET":
                shown = {
                    "type": 1,
                    "id": hook[1],
                    "name": "ci",
                    "channel_id": str(number(f"c {hook[1]}", 10**17, 10**18)),
                }
                return json_answer(
                    json.dumps({**shown, "token": hook[2], "guild_id": str(number("g", 10**17, 10**18))})
                )
            return json_answer(json.dumps(self._posted(ask))) if "wait=true" in ask.query else Answer(204)
        if ask.method == "POST":
            return json_answer(json.dumps(self._posted(ask))) if "/channels/" in ask.raw_path else Answer(204)
        if ask.raw_path.endswith("/messages"):
            return json_answer("[]")
        me = {
            "id": str(number("discord user", 10**17, 10**18)),
            "username": "ci",
            "bot": True,
            "discriminator": "0",
        }
        return json_answer(json.dumps(me))

    def _posted(self, ask: Ask) -> dict[str, Any]:
        number = self._world.steady.number(f"discord {ask.url} {ask.body[:999]!r}", 10**17, 10**18)
        when = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(self._began))
        return {"id": str(number), "type": 0, "content": "", "channel_id": str(number - 7), "timestamp": when}
