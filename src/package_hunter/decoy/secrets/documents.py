"""Documents and a desktop, some of which should not lie there."""

from __future__ import annotations

import secrets
import time

from package_hunter.decoy.forge import Forge, random_text
from package_hunter.model.box import HOME

_WORDS = (
    "anchor", "basket", "canyon", "dolphin", "ember", "fabric", "galaxy", "harbor",
    "island", "jungle", "kernel", "lantern", "magnet", "nectar", "orchid", "pepper",
    "quartz", "ribbon", "saddle", "tunnel", "umbrella", "velvet", "walnut", "yellow",
    "zebra", "breeze", "candle", "desert", "falcon", "ginger", "hazard", "insect",
    "jacket", "kitten", "lemon", "mirror", "napkin", "oyster", "pencil", "rabbit",
)  # fmt: skip


_RECENT = """<?xml version="1.0" encoding="UTF-8"?>
<xbel version="1.0" xmlns:bookmark="http://www.freedesktop.org/standards/desktop-bookmarks">
{}</xbel>
"""
_BOOKMARK = """  <bookmark href="file://{path}" added="{when}" modified="{when}" visited="{when}">
    <info><metadata owner="http://freedesktop.org"><bookmark:applications>
      <bookmark:application name="{program}" exec="&apos;{program} %u&apos;" modified="{when}" count="{count}"/>
    </bookmark:applications></metadata></info>
  </bookmark>
"""
_OPENED = (
    ("Documents/onboarding.md", "gedit"), ("Desktop/vpn.txt", "gedit"), ("Desktop/todo.txt", "gedit"),
    ("Downloads/invoice-2291.pdf", "evince"), ("Pictures/whiteboard.jpg", "eog"), ("projects", "nautilus"),
)  # fmt: skip


def make(forge: Forge) -> None:
    recent = "".join(
        _BOOKMARK.format(
            path=f"{HOME}/{path}",
            when=time.strftime(
                "%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(forge.now - secrets.randbelow(20 * 86_400))
            ),
            program=program,
            count=1 + secrets.randbelow(9),
        )
        for path, program in _OPENED
    )
    forge.file(".local/share/recently-used.xbel", _RECENT.format(recent), 0o600, days=0.5)
    phrase = " ".join(secrets.choice(_WORDS) for _ in range(24))
    forge.canary("recovery-phrase", "Documents/ledger-backup.txt", phrase)
    forge.file("Documents/ledger-backup.txt", f"Ledger Nano - keep offline!\n{phrase}\n")
    vpn = forge.canary("vpn-password", "Desktop/vpn.txt", random_text(20))
    forge.file("Desktop/vpn.txt", f"vpn.northwind.internal\ndmeyer\n{vpn}\n")
    forge.file("Desktop/todo.txt", "- review PR 214\n- renew passport\n- ask Lena about the Q3 numbers\n")
    forge.file("Documents/onboarding.md", "# Onboarding\n\n1. Request VPN access\n2. Clone the monorepo\n")
