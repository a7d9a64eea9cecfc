"""Worlds: conditions that malware looks at before it acts. Adding one is adding a row.

A world is run in a box of its own, from the fetch on. What shows in some worlds only is gated behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from package_hunter.errors import UsageError
from package_hunter.model.scan import BoxFile, Phase

_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
# Not LD_PRELOAD: a variable is what code looks at first, and what rules look at, too.
_SHIFTED = (BoxFile("/etc/ld.so.preload", f"{_FAKETIME}\n".encode(), owner="root"),)
_LATER = {"FAKETIME": "+400d", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
# What the account of a hosted runner may: all, without a password. Nobody in a box can become root; what is run so is
# run as the user, whose the runner's processes are.
_SUDO = b"""#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -V | --version) echo "Sudo version 1.9.13p3"; exit 0 ;;
    -l | --list) echo "User dev may run the following commands on devbox:"; echo "    (ALL) NOPASSWD: ALL"; exit 0 ;;
    -v | -k | -K) exit 0 ;;
    -u | -g | -h | -p | -C | -D | -R | -T | -U | -r | -t) shift ;;
    -s | -i) shift; [ $# -gt 0 ] || exec "${SHELL:-/bin/sh}"; exec "${SHELL:-/bin/sh}" -c "$*" ;;
    --) shift; break ;;
    -*) ;;
    *=*) export "$1" ;;
    *) break ;;
  esac
  shift
done
case "$1" in
  "") echo "usage: sudo -h | -K | -k | -V" >&2; exit 1 ;;
  whoami) echo root ;;
  id) if [ "$2" = -u ]; then echo 0; else echo "uid=0(root) gid=0(root) groups=0(root)"; fi ;;
  *) exec "$@" ;;
esac
"""
_PRODUCTION = {
    "NODE_ENV": "production",
    "RAILS_ENV": "production",
    "RACK_ENV": "production",
    "APP_ENV": "production",
    "DJANGO_ENV": "production",
    "FLASK_ENV": "production",
}


@dataclass(frozen=True, slots=True)
class World:
    """``canaries`` is the world that decoy.make_canaries is asked for; ``env`` is added to every command but
    those of the fetch (certificates would be out of date 400 days later); ``files`` are planted in the box."""

    name: str
    about: str
    canaries: str = "default"
    env: Mapping[str, str] = field(default_factory=dict)
    files: tuple[BoxFile, ...] = ()


WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        World("default", "a developer's laptop with the environment of a CI job"),
        World("laptop", "a developer's laptop, no CI", "laptop"),
        World(
            "ci",
            "a CI job on GitHub's runners",
            "github",
            files=(BoxFile("/usr/bin/sudo", _SUDO, 0o755, owner="root"),),
        ),
        World("gitlab", "a CI job on GitLab's runners", "gitlab"),
        World(
            "later",
            "the same laptop 400 days later",
            env=_LATER,
            files=_SHIFTED,
        ),
        World(
            "locale",
            "another language and time zone",
            env={"LANG": "ru_RU.UTF-8", "LC_ALL": "ru_RU.UTF-8", "LANGUAGE": "ru", "TZ": "Europe/Moscow"},
        ),
        World("production", "a server in production", env=_PRODUCTION),
        # All that the default is not, in one box: what waits for any one of them shows itself here.
        World(
            "elsewhere",
            "400 days later, in production, on a machine without CI",
            "laptop",
            env={**_LATER, **_PRODUCTION},
            files=_SHIFTED,
        ),
    )
}


def chosen(text: str) -> tuple[World, ...]:
    """Worlds out of a comma-separated list; ``all`` is every one. Raises UsageError for an unknown name."""
    names = list(WORLDS) if text == "all" else [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in WORLDS]
    if unknown or not names:
        known = "; ".join(f"{world.name}: {world.about}" for world in WORLDS.values())
        raise UsageError(f"There is no world “{', '.join(unknown)}”.", f"Known are all, or: {known}.")
    return tuple(WORLDS[name] for name in dict.fromkeys(names))


def in_world(phase: Phase, world: World) -> Phase:
    """The phase as it is run in that world."""
    if phase.name == "fetch" or not world.env:
        return replace(phase, world=world.name)
    commands = tuple(replace(item, env={**item.env, **world.env}) for item in phase.commands)
    return replace(phase, commands=commands, world=world.name)
