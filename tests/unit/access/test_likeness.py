"""Names that a person would take for each other."""

from __future__ import annotations

import pytest

from package_hunter.access.likeness import alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana", "\u0430n\u0430"),  # Cyrillic
        ("ana", "Ana"),
        ("ana", "a\u200bna"),  # nobody sees a zero width space
        ("ana", "\uff41na"),  # full width
        ("marie", "rnarie"),
        ("lisa", "Iisa"),
        ("admin1", "adminl"),
        ("bob", "b0b"),
        ("a b", "a\u00a0b"),
    ],
    ids=lambda text: ascii(text),
)
def test_alike(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ana", "anna"), ("ana", "\u00e1na"), ("dev-1", "dev-2"), ("bo", "bob"), ("\u674e", "\u738b")],
    ids=lambda text: ascii(text),
)
def test_not_alike(one: str, other: str) -> None:
    assert not alike(one, other)
