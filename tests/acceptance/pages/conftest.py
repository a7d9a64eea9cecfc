"""The journeys through the pages take a browser a quarter of an hour: `make pages` runs all of them, each change only
the sign-in's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HERE, _ALWAYS = Path(__file__).parent, "test_sign_in.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("PACKAGE_HUNTER_ALL_PAGES"):
        return
    for item in items:
        if (
            item.path.parent == _HERE and item.path.name != _ALWAYS
        ):  # skipped before a server is started for it
            item.add_marker(
                pytest.mark.skip(reason="PACKAGE_HUNTER_ALL_PAGES names no other pages: make pages")
            )
