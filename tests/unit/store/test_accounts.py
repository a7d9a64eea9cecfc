"""Names; the database's half is in the integration tests."""

from __future__ import annotations

import pytest

from package_hunter.errors import UsageError
from package_hunter.store import accounts


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "\x1b[31m", " a", "a ", "x" * 129])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a name"):
        accounts.check_name(name)


@pytest.mark.parametrize("name", ["ana", "Ana Müller", "ci@host.example", "x" * 128])
def test_names_that_can_be(name: str) -> None:
    assert accounts.check_name(name) == name
