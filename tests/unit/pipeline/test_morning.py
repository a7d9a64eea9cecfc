"""Start-up files that changed are found, and each gets its command."""

from __future__ import annotations

from pathlib import Path

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.pipeline.morning import StartupFiles, morning
from package_hunter.sandbox.programs import NEXT_MORNING

PROJECT = "/home/dev/projects/app"


def put(root: Path, path: str, text: str) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_what_is_new_or_another_has_its_command(tmp_path: Path) -> None:
    put(tmp_path, "/home/dev/.bashrc", "alias ll='ls -l'\n")
    put(tmp_path, "/home/dev/.profile", "umask 022\n")
    put(tmp_path, f"{PROJECT}/index.js", "")
    before = StartupFiles.of(BoxTree(tmp_path), PROJECT)
    put(tmp_path, "/home/dev/.bashrc", "alias ll='ls -l'\ncurl x.example\n")
    put(tmp_path, f"{PROJECT}/.git/hooks/pre-push", "#!/bin/sh\n")
    put(tmp_path, f"{PROJECT}/index.js", "changed")
    changed = before.changed(StartupFiles.of(BoxTree(tmp_path), PROJECT))
    assert [path for path, _ in changed] == ["/home/dev/.bashrc", f"{PROJECT}/.git/hooks/pre-push"]
    phase = morning(changed, PROJECT)
    assert phase.name == "morning"
    assert [command.argv[3:] for command in phase.commands] == [
        (NEXT_MORNING, "login", "/home/dev/.bashrc"),
        (NEXT_MORNING, "commit", f"{PROJECT}/.git/hooks/pre-push"),
    ]
    assert all(c.because_of[0] == c.argv[-1] and not c.essential for c in phase.commands)


def test_who_wrote_is_told_by_what_is_read_on_that_occasion(tmp_path: Path) -> None:
    """A login reads all of the shell's files; each unit and each program is started by itself."""
    units = [f"/home/dev/.config/systemd/user/default.target.wants/{name}.service" for name in "ab"]
    shells = ["/home/dev/.bashrc", "/home/dev/.profile"]
    before = StartupFiles.of(BoxTree(tmp_path), PROJECT)
    for path in (*units, *shells, "/home/dev/bin/x", "/home/dev/bin/y"):
        put(tmp_path, path, "x\n")
    commands = morning(before.changed(StartupFiles.of(BoxTree(tmp_path), PROJECT)), PROJECT).commands
    because = {command.argv[-1]: command.because_of for command in commands}
    assert [because[unit] for unit in units] == [(unit,) for unit in units]
    assert because["/home/dev/bin/x"] == ("/home/dev/bin/x",)
    assert [set(because[path]) for path in shells] == [set(shells)] * 2


def test_nothing_changed_nothing_runs(tmp_path: Path) -> None:
    put(tmp_path, "/home/dev/.bashrc", "")
    now = StartupFiles.of(BoxTree(tmp_path), PROJECT)
    assert now.changed(now) == []


def test_links_are_not_followed_and_floods_are_cut(tmp_path: Path) -> None:
    put(tmp_path, "/outside", "secret")
    (tmp_path / "home/dev/.local/bin").mkdir(parents=True)
    before = StartupFiles.of(BoxTree(tmp_path), PROJECT)
    (tmp_path / "home/dev/.bashrc").symlink_to("/outside")
    for number in range(100):
        put(tmp_path, f"/home/dev/.local/bin/t{number}", "#!/bin/sh\n")
    changed = before.changed(StartupFiles.of(BoxTree(tmp_path), PROJECT))
    assert changed[0][0] == "/home/dev/.bashrc"
    assert len(morning(changed, PROJECT).commands) == 40
