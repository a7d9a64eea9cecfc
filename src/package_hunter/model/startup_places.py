"""Where a developer's machine starts programs by itself: at login, with a commit, on a schedule, in an editor."""

from __future__ import annotations

import re
from dataclasses import dataclass

from package_hunter.model.box import HOME

_PROJECT = rf"{HOME}/projects/[^/]+"
_NAME = r"[^/]+"


@dataclass(frozen=True, slots=True)
class StartupPlace:
    """``occasion``: what happens the next morning (one of sandbox/programs/next_morning.py's). ``files``: a pattern
    of whole paths. ``says`` is how a report calls the occasion."""

    occasion: str
    files: str
    says: str


PLACES = (
    StartupPlace(
        "login",
        rf"{HOME}/(?:\.bashrc|\.bash_profile|\.bash_login|\.profile|\.bash_aliases|\.bash_logout|\.pam_environment)",
        "a login shell was opened",
    ),
    StartupPlace(
        "source",
        rf"{HOME}/\.(?:zshrc|zshenv|zprofile|zlogin|xprofile|xinitrc|xsessionrc|bash_completion|ssh/rc)",
        "a shell read it",
    ),
    StartupPlace("command", rf"{HOME}/(?:\.local/bin|bin)/{_NAME}", "the command was called"),
    StartupPlace("commit", rf"{_PROJECT}/\.git/(?:hooks/(?!.*\.sample){_NAME}|config)", "a commit was made"),
    StartupPlace(
        "commit",
        rf"{_PROJECT}/\.husky/(?:_/)?{_NAME}|{HOME}/\.gitconfig|{HOME}/\.config/git/.+",
        "a commit was made",
    ),
    StartupPlace("cron", rf"/var/spool/cron/crontabs/{_NAME}", "its schedule came"),
    StartupPlace(
        "unit",
        # a unit, also one that lies in the folder of what a target wants, and what changes one of the system's
        rf"{HOME}/\.(?:config|local/share)/systemd/user(?:\.control)?/"
        rf"(?:(?:{_NAME}\.(?:wants|requires|upholds)/)?{_NAME}\.service|{_NAME}\.d/{_NAME}\.conf)",
        "the service manager started it",
    ),
    StartupPlace("ssh", rf"{HOME}/\.ssh/config", "ssh read it"),
    StartupPlace("autostart", rf"{HOME}/\.config/autostart/{_NAME}\.desktop", "the desktop started it"),
    StartupPlace("python", r".*/(?:site|dist)-packages/[^/]+\.pth", "Python was started"),
    StartupPlace(
        "python",
        r".*/(?:site|dist)-packages/(?:site|user)customize(?:\.py|/__init__\.py)",
        "Python was started",
    ),
    StartupPlace("npm", rf"{HOME}/\.npmrc", "npm was started"),
    StartupPlace(
        "pip",
        rf"{HOME}/\.config/pip/pip\.conf|{HOME}/\.pip/pip\.conf|{HOME}/\.pydistutils\.cfg",
        "pip was started",
    ),
    StartupPlace(
        "editor",
        rf"(?:{_PROJECT}/\.vscode|{HOME}/\.config/Code/User)/tasks\.json",
        "an editor opened the folder",
    ),
    StartupPlace("vim", rf"{HOME}/\.vimrc|{HOME}/\.vim/plugin/.+", "vim was started"),
    StartupPlace(
        "assistant",
        rf"(?:{_PROJECT}|{HOME})/(?:\.claude/settings(?:\.local)?\.json|\.claude\.json|\.mcp\.json|\.cursor/(?:mcp|hooks)\.json"
        rf"|\.gemini/settings\.json|\.vscode/mcp\.json)",
        "a coding assistant was started",
    ),
)
_PATTERNS = tuple((re.compile(place.files), place) for place in PLACES)


def place_of(path: str) -> StartupPlace | None:
    """The place that a path (absolute in the box) is."""
    return next((place for pattern, place in _PATTERNS if pattern.fullmatch(path)), None)


# Folders that hold such places, and how deep; what lies below them is compared.
FOLDERS: tuple[tuple[str, int], ...] = (
    (HOME, 0),
    (f"{HOME}/.local/bin", 0),
    (f"{HOME}/bin", 0),
    (f"{HOME}/.ssh", 0),
    (f"{HOME}/.config/git", 1),
    (f"{HOME}/.config/systemd/user", 1),
    (f"{HOME}/.config/systemd/user.control", 1),
    (f"{HOME}/.local/share/systemd/user", 1),
    (f"{HOME}/.config/autostart", 0),
    (f"{HOME}/.config/pip", 0),
    (f"{HOME}/.pip", 0),
    (f"{HOME}/.config/Code/User", 0),
    (f"{HOME}/.vim/plugin", 0),
    (f"{HOME}/.claude", 0),
    (f"{HOME}/.cursor", 0),
    (f"{HOME}/.gemini", 0),
    ("/var/spool/cron/crontabs", 0),
)
PROJECT_FOLDERS: tuple[tuple[str, int], ...] = (
    ("", 0),
    (".git", 0),
    (".git/hooks", 0),
    (".husky", 1),
    (".vscode", 0),
    (".claude", 0),
    (".cursor", 0),
    (".gemini", 0),
)
