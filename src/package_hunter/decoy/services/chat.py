"""Chat webhooks: Discord, Slack, Telegram."""

from __future__ import annotations

import secrets

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer


class ChatWebhooks:
    """Takes messages as the real ones would; the requests themselves are the evidence."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return ask.host in ("discord.com", "discordapp.com", "hooks.slack.com", "api.telegram.org")

    def answer(self, ask: Ask) -> Answer | None:
        if ask.host == "hooks.slack.com":
            return Answer(200, b"ok", type="text/plain")
        number = 10**17 + secrets.randbelow(10**17)
        if ask.host == "api.telegram.org":
            return json_answer(f'{{"ok":true,"result":{{"message_id":{number % 10**6},"date":1767225600}}}}')
        if ask.method == "POST":
            return Answer(204)
        return json_answer(f'{{"type":1,"id":"{number}","name":"ci","channel_id":"{number - 7}"}}')
