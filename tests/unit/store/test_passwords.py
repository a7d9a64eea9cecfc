"""Passwords: argon2id, and what scrypt made before."""

from __future__ import annotations

import pytest

from package_hunter.store import passwords

OLD = "scrypt$16384$8$5$AAAAAAAAAAAAAAAAAAAAAA==$kSQ1bJYPD8Jgs7OVgip9Bc7Nv0GJkSsREzrHDUV/bZ4="


def test_equal_passwords_have_different_hashes() -> None:
    first, second = passwords.hash_password("correct horse"), passwords.hash_password("correct horse")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=16,p=1$")
    assert passwords.password_fits("correct horse", second)
    assert not passwords.password_fits("correct house", second)
    assert not passwords.is_outdated(first)


def test_what_scrypt_made_fits_and_is_outdated() -> None:
    assert passwords.password_fits("correct horse", OLD)
    assert not passwords.password_fits("correct house", OLD)
    assert passwords.is_outdated(OLD)
    assert passwords.kind_of(OLD) == "scrypt"


def test_a_cheaper_argon2id_is_outdated() -> None:
    cheap = passwords.UNKNOWN_USER.replace("t=16", "t=2")
    assert passwords.is_outdated(cheap)
    assert passwords.kind_of(cheap) == "argon2id"


@pytest.mark.parametrize("password", ["", "x" * 5_000, "\udc80", "\0" * 16])
def test_no_password_fits_the_unknown_user_or_a_damaged_hash(password: str) -> None:
    assert not passwords.password_fits(password, passwords.UNKNOWN_USER)
    assert not passwords.password_fits(password, "$argon2id$damaged")
