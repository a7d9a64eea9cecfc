"""Documents and a desktop, some of which should not lie there."""

from __future__ import annotations

import secrets

from package_hunter.decoy.forge import Forge, random_text

_WORDS = (
    "anchor", "basket", "canyon", "dolphin", "ember", "fabric", "galaxy", "harbor",
    "island", "jungle", "kernel", "lantern", "magnet", "nectar", "orchid", "pepper",
    "quartz", "ribbon", "saddle", "tunnel", "umbrella", "velvet", "walnut", "yellow",
    "zebra", "breeze", "candle", "desert", "falcon", "ginger", "hazard", "insect",
    "jacket", "kitten", "lemon", "mirror", "napkin", "oyster", "pencil", "rabbit",
)  # fmt: skip


def make(forge: Forge) -> None:
    phrase = " ".join(secrets.choice(_WORDS) for _ in range(24))
    forge.canary("recovery-phrase", "Documents/ledger-backup.txt", phrase)
    forge.file("Documents/ledger-backup.txt", f"Ledger Nano - keep offline!\n{phrase}\n")
    vpn = forge.canary("vpn-password", "Desktop/vpn.txt", random_text(20))
    forge.file("Desktop/vpn.txt", f"vpn.northwind.internal\ndmeyer\n{vpn}\n")
    forge.file("Desktop/todo.txt", "- review PR 214\n- renew passport\n- ask Lena about the Q3 numbers\n")
    forge.file("Documents/onboarding.md", "# Onboarding\n\n1. Request VPN access\n2. Clone the monorepo\n")
