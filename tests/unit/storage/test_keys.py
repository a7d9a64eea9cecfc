"""The key file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from package_hunter.errors import UsageError
from package_hunter.storage.keys import Keys, key_of


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_key_seals_and_all_open(tmp_path: Path) -> None:
    keys = Keys.read(written(tmp_path / "keys", f"# new\n{'ab' * 32}  # since March\n\n{'CD' * 32}\n"))
    first, second = key_of(b"\xab" * 32), key_of(b"\xcd" * 32)
    assert keys.sealing == first
    assert (keys.get(first.id), keys.get(second.id)) == (first, second)
    assert first.secret not in first.id and first.id != second.id


def test_no_file_is_no_key() -> None:
    assert Keys.read(None).sealing is None


@pytest.mark.parametrize("text", ["", "# nothing\n", "ab" * 31, "ab" * 33, "zz" * 32, f"{'ab' * 32}\nhello"])
def test_what_holds_no_keys_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="64 hex digits"):
        Keys.read(written(tmp_path / "keys", text))


def test_a_file_for_everybody_a_pipe_and_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="others than its owner"):
        Keys.read(written(tmp_path / "keys", "ab" * 32, 0o644))
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(UsageError, match="no file"):
        Keys.read(tmp_path / "pipe")
    with pytest.raises(UsageError, match="cannot be read"):
        Keys.read(tmp_path / "none")
