"""The journeys through the pages take a browser a quarter of an hour: `make pages` runs all of them, each change only
the sign-in's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.requires import only_where_asked

_HERE, _ALWAYS = Path(__file__).parent, "test_sign_in.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE and item.path.name != _ALWAYS:
            item.add_marker(only_where_asked("PACKAGE_HUNTER_ALL_PAGES", "other pages"))
