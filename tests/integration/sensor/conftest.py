"""Fixtures of the sensor tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe
from tests.support import requires


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    requires.needs_btf()
    requires.needs_program("clang")
    with Probe(object_path(Path(tmp_path_factory.mktemp("data")))) as loaded:
        loaded.attach()
        yield loaded
