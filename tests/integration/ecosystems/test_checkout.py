"""git takes the repository that a project gets."""

from __future__ import annotations

import subprocess
from pathlib import Path

from package_hunter.ecosystems.checkout import git_files
from tests.support.requires import needs_program


def test_git_reads_it(tmp_path: Path) -> None:
    needs_program("git")
    for file in git_files("/p", {"package.json": b"{}\n", "README": b"x"}, 1_700_000_000.0):
        path = tmp_path / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)

    def git(*arguments: str) -> str:
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True, check=True).stdout

    assert git("log", "--format=%s %at %ae") == "Initial commit 1698012800 dev@northwind.example\n"
    assert git("show", "HEAD:package.json") == "{}\n"
    assert git("fsck", "--full") == ""
    assert git("branch", "--show-current") == "main\n"
