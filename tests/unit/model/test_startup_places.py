"""Files from which programs are started are known, and others are not."""

from __future__ import annotations

import pytest

from package_hunter.model.startup_places import place_of


@pytest.mark.parametrize(
    ("path", "occasion"),
    [
        ("/home/dev/.bashrc", "login"),
        ("/home/dev/.zshrc", "source"),
        ("/home/dev/.local/bin/node", "command"),
        ("/home/dev/projects/app/.git/hooks/pre-commit", "commit"),
        ("/home/dev/projects/app/.git/config", "commit"),
        ("/home/dev/.gitconfig", "commit"),
        ("/var/spool/cron/crontabs/dev", "cron"),
        ("/home/dev/.config/systemd/user/a.service", "unit"),
        ("/home/dev/.config/systemd/user/default.target.wants/a.service", "unit"),
        ("/home/dev/.local/share/systemd/user/ssh-agent.service.d/more.conf", "unit"),
        ("/home/dev/.config/systemd/user/a.service.wants/b/c.service", None),
        ("/home/dev/.config/systemd/user/a.conf", None),
        ("/home/dev/.ssh/rc", "source"),
        ("/home/dev/.ssh/config", "ssh"),
        ("/home/dev/.config/autostart/a.desktop", "autostart"),
        ("/home/dev/.local/lib/python3.11/site-packages/a.pth", "python"),
        ("/home/dev/.npmrc", "npm"),
        ("/home/dev/projects/app/.vscode/tasks.json", "editor"),
        ("/home/dev/.claude/settings.json", "assistant"),
        ("/home/dev/projects/app/.mcp.json", "assistant"),
        ("/home/dev/projects/app/.git/hooks/pre-commit.sample", None),
        ("/home/dev/projects/app/node_modules/a/.vscode/tasks.json", None),
        ("/home/dev/.cache/x", None),
        ("/home/dev/.bashrc.d", None),
    ],
)
def test_places(path: str, occasion: str | None) -> None:
    place = place_of(path)
    assert (place.occasion if place else None) == occasion
