"""Hosts that are services and hand out no stage: what was asked of them is no download."""

from __future__ import annotations

from package_hunter.decoy.services import calendars, geo_ip

HOSTS = frozenset(
    (*geo_ip.HOSTS, *calendars.HOSTS, "api.github.com", "gitlab.com", "discord.com", "slack.com")
)
