"""The kinds of destinations: one file a kind (or family), each with its settings and how it is told.

To add one: a file with a settings class (its ``kind`` a literal) and a sender, and a line in `SENDERS`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from package_hunter.notices.kinds import chat, gitlab, jira, mail, webhook
from package_hunter.notices.kinds.base import Sender

AnySettings = Annotated[
    webhook.Webhook | chat.Slack | chat.Mattermost | chat.Teams | gitlab.GitLab | jira.Jira | mail.MailTo,
    Field(discriminator="kind"),
]

SENDERS: dict[str, Sender] = {
    "webhook": webhook.send,
    "slack": chat.send,
    "mattermost": chat.send,
    "teams": chat.send,
    "gitlab": gitlab.send,
    "jira": jira.send,
    "mail": mail.send,
}
