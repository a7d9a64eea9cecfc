"""A gateway in a namespace pair; registries are played on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.decoy.gateway import Gateway, GatewayProcess, GatewaySpec
from package_hunter.ecosystems.known import GATEWAY
from tests.support.netpair import NetPair
from tests.support.played import CANARIES, LocalRegistry
from tests.support.requires import needs_program, needs_root


@pytest.fixture(scope="module")
def pair() -> Iterator[NetPair]:
    needs_root()
    for program in ("ip", "nft", "curl"):
        needs_program(program)
    with NetPair() as made:
        yield made


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that a process without rights reaches. Not below pytest's own, which every further run of it on this
    host shuts for others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def gateway(pair: NetPair, place: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways; each gets canaries of its own (``.canaries``)."""
    started: list[Gateway] = []

    def start(stands: Callable[[tuple[str, ...]], bool] = lambda labels: True, **changes: object) -> Gateway:
        run = place / f"run{len(started)}"
        run.mkdir()
        spec = GatewaySpec("scan", run, place / "cache", canaries=CANARIES)
        made = Gateway(replace(spec, **changes), GatewayProcess(GATEWAY))  # type: ignore[arg-type]
        started.append(made)
        made.start(pair.path, stands=stands)
        (run / "ca.pem").write_bytes(made.ca_pem)
        return made

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def registry() -> Iterator[Callable[[dict[str, dict[str, dict[str, str]]]], LocalRegistry]]:
    made: list[LocalRegistry] = []

    def make(packages: dict[str, dict[str, dict[str, str]]]) -> LocalRegistry:
        made.append(LocalRegistry(packages))
        return made[-1]

    yield make
    for one in made:
        one.close()
