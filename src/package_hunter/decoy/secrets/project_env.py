"""The project's .env."""

from __future__ import annotations

import secrets

from package_hunter.decoy.forge import Forge, random_text


def make(forge: Forge) -> None:
    if forge.project is None:
        return
    path = f"{forge.project}/.env"
    stripe = forge.canary("stripe-key", path, f"sk_live_51{random_text(97)}")
    slack_numbers = f"{secrets.randbelow(9 * 10**11) + 10**11}-{secrets.randbelow(9 * 10**12) + 10**12}"
    slack = forge.canary("slack-token", path, f"xoxb-{slack_numbers}-{random_text(24)}")
    password = forge.canary("database-password", path, random_text(22))
    forge.file(
        path,
        f"NODE_ENV=development\nDATABASE_URL=postgres://app:{password}@db.northwind.internal:5432/app\n"
        f"STRIPE_SECRET_KEY={stripe}\nSLACK_BOT_TOKEN={slack}\nPORT=3000\n",
        0o600,
    )
