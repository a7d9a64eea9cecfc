"""Packing a project: what goes in, what stays out, and that its own settings run nothing."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from package_hunter.client.pack import pack
from package_hunter.errors import NothingToScanError, UsageError
from tests.support.requires import needs_program

MANY = 1 << 20


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def packed(folder: Path, tmp_path: Path, limit: int = MANY) -> list[str]:
    result = pack(folder, tmp_path / "out.tgz", limit)
    with tarfile.open(result.path) as archive:
        members = archive.getmembers()
    assert result.files == len(members)
    assert all(m.uid == m.gid == 0 and m.mode & 0o022 == 0 for m in members)
    return [m.name.removeprefix("./") for m in members]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    needs_program("git")
    return tree(
        tmp_path / "project",
        "package.json",
        "src/a.js",
        "secret.env",
        "dist/out.js",
        "node_modules/x/index.js",
        ".hidden",
    )


def test_without_a_repository_the_ignore_file_counts(project: Path, tmp_path: Path) -> None:
    (project / ".gitignore").write_text("*.env\ndist/\n")
    assert packed(project, tmp_path) == [".gitignore", ".hidden", "package.json", "src/a.js"]


def git(project: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@host.example", "-C", project, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_what_is_tracked_is_sent_though_ignored(project: Path, tmp_path: Path) -> None:
    git(project, "init", "-q")
    (project / ".gitignore").write_text("*.env\ndist/\nnode_modules/\n")
    git(project, "add", "-f", "dist/out.js", "node_modules/x/index.js", "package.json")
    names = packed(project, tmp_path)
    assert "dist/out.js" in names
    assert "node_modules/x/index.js" in names
    assert "secret.env" not in names
    assert not any(n.startswith(".git/") for n in names)


def test_a_deleted_file_that_is_still_tracked(project: Path, tmp_path: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", "src/a.js", "package.json")
    (project / "src/a.js").unlink()
    assert "src/a.js" not in packed(project, tmp_path)


def test_a_work_tree_of_a_repository(project: Path, tmp_path: Path) -> None:
    git(project, "init", "-q")
    (project / ".gitignore").write_text("dist/\n")
    git(project, "add", "-f", "dist/out.js", ".gitignore", "package.json")
    git(project, "commit", "-qm", "x")
    git(project, "worktree", "add", "-q", str(tmp_path / "second"))
    assert packed(tmp_path / "second", tmp_path) == [".gitignore", "dist/out.js", "package.json"]


def test_a_repository_within_is_sent_whole(project: Path, tmp_path: Path) -> None:
    git(project, "init", "-q")
    tree(project / "inner", "package.json", "deep/x.js")
    git(project / "inner", "init", "-q")
    (project / "inner" / ".gitignore").write_text("*\n")
    names = packed(project, tmp_path)
    assert {"inner/package.json", "inner/deep/x.js", "inner/.gitignore"} <= set(names)


def test_the_project_s_own_git_settings_run_nothing(project: Path, tmp_path: Path) -> None:
    git(project, "init", "-q")
    marker = tmp_path / "ran"
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    config = f'[core]\n\tfsmonitor = {program}\n\thooksPath = {tmp_path}\n[filter "x"]\n\tclean = {program}\n'
    with (project / ".git/config").open("a") as file:
        file.write(config)
    (project / ".gitattributes").write_text("* filter=x\n")
    assert "package.json" in packed(project, tmp_path)
    assert not marker.exists()


def test_links_are_kept_as_links_and_odd_files_left_out(project: Path, tmp_path: Path) -> None:
    (project / "to-etc").symlink_to("/etc/hostname")
    (project / "folder").symlink_to("src")
    os.mkfifo(project / "pipe")
    os.link(project / "package.json", project / "twin.json")
    pack(project, tmp_path / "out.tgz", MANY)
    with tarfile.open(tmp_path / "out.tgz") as archive:
        members = {m.name.removeprefix("./"): m for m in archive}
        assert members["to-etc"].issym()
        assert members["to-etc"].linkname == "/etc/hostname"
        assert members["folder"].issym()
        assert "pipe" not in members
        twin = archive.extractfile(members["twin.json"])
        assert twin is not None
        assert twin.read() == b"package.json"


def test_names_that_are_no_utf8(project: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(project) + b"/bad\xff\nname")).write_text("x")
    assert any("bad" in n for n in packed(project, tmp_path))


def test_too_large_names_the_largest(project: Path, tmp_path: Path) -> None:
    (project / "huge.bin").write_bytes(b"x" * 3_000_000)
    with pytest.raises(UsageError, match=r"huge\.bin \(3 MB\)"):
        pack(project, tmp_path / "out.tgz", 2_000_000)


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToScanError):
        pack(tmp_path / "empty", tmp_path / "out.tgz", MANY)


def test_without_git_all_but_what_can_be_installed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".gitignore").write_text("*.env\n")
    (project / "folder").symlink_to("src")
    monkeypatch.setenv("PATH", str(tmp_path))
    names = packed(project, tmp_path)
    assert {"secret.env", "dist/out.js", "folder", "src/a.js"} <= set(names)
    assert "node_modules/x/index.js" not in names
    assert "git is missing" in pack(project, tmp_path / "out.tgz", MANY).notes[0]


def test_a_broken_index_is_said(project: Path, tmp_path: Path) -> None:
    git(project, "init", "-q")
    (project / ".git/index").write_bytes(b"nonsense")
    with pytest.raises(UsageError, match="git could not list"):
        pack(project, tmp_path / "out.tgz", MANY)


def test_a_folder_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "package.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert pack(Path("app"), tmp_path / "a.tgz", 1 << 20).files == 1
