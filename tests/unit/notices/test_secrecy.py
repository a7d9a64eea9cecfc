"""Secrets of destinations at rest."""

from __future__ import annotations

import os
import stat
import threading
import uuid
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.errors import HostError
from package_hunter.notices import secrecy

OWNER = uuid.UUID(int=7)


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path)
    secrecy.prepare(made)
    return made


def test_what_is_sealed_is_read_by_the_private_key_for_its_owner_alone(
    config: Settings, tmp_path: Path
) -> None:
    key = secrecy.private_key(config)
    sealed = secrecy.seal(secrecy.public_key(config), OWNER, {"token": "s3cr3t", "ü": "\ud800"[:0]})
    assert "s3cr3t" not in sealed
    assert secrecy.open_sealed(key, OWNER, sealed) == {"token": "s3cr3t", "ü": ""}
    with pytest.raises(HostError, match="moved there"):
        secrecy.open_sealed(key, uuid.UUID(int=8), sealed)
    other = Settings(data_dir=tmp_path / "other")
    secrecy.prepare(other)
    with pytest.raises(HostError, match="another key's"):
        secrecy.open_sealed(secrecy.private_key(other), OWNER, sealed)


def test_each_sealing_is_another_text(config: Settings) -> None:
    key = secrecy.public_key(config)
    assert secrecy.seal(key, OWNER, {}) != secrecy.seal(key, OWNER, {})


@pytest.mark.parametrize("change", ["", ":", "x", "é", "0" * 16 + ":AAAA"])
def test_what_is_no_sealed_text_is_refused(config: Settings, change: str) -> None:
    with pytest.raises(HostError):
        secrecy.open_sealed(secrecy.private_key(config), OWNER, change)


def test_a_changed_byte_is_refused(config: Settings) -> None:
    sealed = secrecy.seal(secrecy.public_key(config), OWNER, {"a": 1})
    place = len(sealed) - 9
    changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
    with pytest.raises(HostError):
        secrecy.open_sealed(secrecy.private_key(config), OWNER, changed)


def test_the_private_half_is_its_owners_alone(config: Settings) -> None:
    folder = secrecy.folder(config)
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "public.pem").stat().st_mode) == 0o644
    assert sorted(path.name for path in folder.iterdir()) == ["key.pem", "public.pem"]


def test_two_that_start_at_once_come_to_one_key(tmp_path: Path) -> None:
    config, begun, failed = Settings(data_dir=tmp_path), threading.Barrier(8), []

    def prepare() -> None:
        begun.wait()
        try:
            secrecy.prepare(config)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=prepare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    own = secrecy.key_name(secrecy.private_key(config).public_key())
    assert secrecy.key_name(secrecy.public_key(config)) == own


def test_a_key_that_is_none_is_told(config: Settings) -> None:
    folder = secrecy.folder(config)
    for name, read in (("key.pem", secrecy.private_key), ("public.pem", secrecy.public_key)):
        for content in (b"", b"no key", b"\xff" * 100):
            (folder / name).write_bytes(content)
            with pytest.raises(HostError, match=name):
                read(config)
        os.unlink(folder / name)
        with pytest.raises(HostError, match=name):
            read(config)
