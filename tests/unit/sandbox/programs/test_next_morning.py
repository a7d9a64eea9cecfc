"""Every start-up file is set off as a machine would, and what is hostile in it stops nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from package_hunter.model.startup_places import PLACES
from package_hunter.sandbox import programs
from tests.support.requires import needs_program

PROGRAM = Path(programs.__file__).parent / "next_morning.py"


def morning(occasion: str, file: Path, home: Path) -> subprocess.CompletedProcess[str]:
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), occasion, str(file)],
        env=env,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("occasion", "name", "text"),
    [
        ("login", ".bashrc", "{}\n"),
        ("login", ".bash_logout", "{}\n"),
        ("source", ".zshrc", "{}\n"),
        ("cron", "dev", "# m h\nMAILTO=x\n*/5 * * * * {}\n"),
        ("cron", "dev", "@reboot {}\n"),
        ("unit", "a.service", "[Service]\nType=simple\nExecStart=-/bin/sh -c '{}'\n"),
        ("unit", "more.conf", "[Service]\nExecStart=\nExecStartPost=!/bin/sh -c '{}'\n"),
        ("source", "rc", "{}\n"),
        ("ssh", "config", "Host x\n  User me\n  ProxyCommand {}\n"),
        ("ssh", "config", 'Match host *.corp exec "{}"\n  User me\n'),
        ("ssh", "config", "host *\n\tlocalcommand={}\n"),
        ("autostart", "a.desktop", "[Desktop Entry]\nExec=sh -c '{}' %U\n"),
        ("editor", "tasks.json", '// tasks\n{{"tasks": [{{"type": "shell", "command": "{}",}}]}}'),
        ("assistant", "settings.json", '{{"hooks": {{"Stop": [{{"hooks": [{{"command": "{}"}}]}}]}}}}'),
        ("assistant", "mcp.json", '{{"mcpServers": {{"x": {{"command": "sh", "args": ["-c", "{}"]}}}}}}'),
    ],
)
def test_what_the_file_starts_is_started(occasion: str, name: str, text: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    file = tmp_path / name
    file.write_text(text.format(f"touch {mark}"))
    done = morning(occasion, file, tmp_path)
    assert done.returncode == 0, done.stderr
    assert mark.exists(), done.stderr


def test_a_hook_that_no_command_of_ours_calls_is_called_all_the_same(tmp_path: Path) -> None:
    project = tmp_path / "projects/app"
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    for name in ("pre-commit", "post-rewrite"):
        hook = project / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/{name}\n")
        hook.chmod(0o755)
        subprocess.run(["git", "config", "user.email", "dev@x.example"], cwd=project, check=True)
        assert morning("commit", hook, tmp_path).returncode == 0
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("setting", ["node-options=--require {}/evil.js", "script-shell={}/evil.sh"])
def test_what_npms_settings_name_is_loaded(setting: str, tmp_path: Path) -> None:
    needs_program("npm")
    mark = tmp_path / "mark"
    # as one that waits for a program: not for `node -e`, nor for npm itself without one
    (tmp_path / "evil.js").write_text(f"if (process.argv[1]) require('fs').writeFileSync('{mark}', '')")
    (tmp_path / "evil.sh").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (tmp_path / "evil.sh").chmod(0o755)
    file = tmp_path / ".npmrc"
    file.write_text(setting.format(tmp_path) + "\n")
    assert morning("npm", file, tmp_path).returncode == 0
    assert mark.exists()


def test_a_command_and_a_python_start_file(tmp_path: Path) -> None:
    tool = tmp_path / "ls"
    tool.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/called\n')
    tool.chmod(0o755)
    assert morning("command", tool, tmp_path).returncode == 0
    assert (tmp_path / "called").read_text() == "--version\n"


@pytest.mark.parametrize(
    "text", ["", "\0\xff", "[" * 100_000, json.dumps({"a": None}), '{"command": "\\u0000"}', "x" * 100_000]
)
@pytest.mark.parametrize("occasion", ["cron", "unit", "autostart", "ssh", "editor", "assistant"])
def test_hostile_files_stop_nothing(occasion: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(text, encoding="latin-1")
    assert morning(occasion, file, tmp_path).returncode == 0


def test_each_place_has_its_occasion(tmp_path: Path) -> None:
    text = PROGRAM.read_text()
    for place in PLACES:
        assert f"def {place.occasion}(path: str)" in text, place
