"""Which lines of npm's settings were there after the fetch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from package_hunter.ecosystems.npm.settings import KEPT, kept
from package_hunter.ecosystems.tree import BoxTree

PROJECT = "/home/dev/projects/app"


def digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:16]


def write(root: Path, path: str, text: bytes) -> None:
    file = root / path[1:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)


def test_lines_are_named_by_digests_alone(tmp_path: Path) -> None:
    write(tmp_path, "/home/dev/.npmrc", b"//r.example/:_authToken=secret\nfund=false\n")
    write(tmp_path, f"{PROJECT}/.npmrc", b"\xef\xbb\xbfnode-options=--a\r\n\r\n; \xff\r\n")
    (text,) = kept(BoxTree(tmp_path), PROJECT).values()
    lines = ("//r.example/:_authToken=secret", "fund=false", "", "\ufeffnode-options=--a", "; \ufffd")
    assert set(text.split(",")) == {digest(line) for line in lines}
    assert "secret" not in text


def test_no_settings_are_told_too(tmp_path: Path) -> None:
    """Then any line is a later one."""
    assert kept(BoxTree(tmp_path), PROJECT) == {KEPT: digest("")}


def test_endless_settings_end(tmp_path: Path) -> None:
    write(tmp_path, f"{PROJECT}/.npmrc", "".join(f"k{n}=1\n" for n in range(9_000)).encode())
    assert len(kept(BoxTree(tmp_path), PROJECT)[KEPT]) < 40_000
