"""Stock clients log in and deliver a secret; the gateway finds it. Those of one file share a gateway.

``python -m tests.integration.decoy.table`` writes the table of docs/decoy.md from what these runs saw.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from package_hunter.decoy.forge import random_text
from package_hunter.decoy.gateway import Gateway
from package_hunter.model.observation import Canary, NetworkLog
from tests.integration.decoy.conversations import rows
from tests.integration.decoy.conversations.row import Row
from tests.integration.decoy.conversations.seen import seen_as, tell
from tests.support.netpair import NetPair
from tests.support.played import ENV
from tests.support.requires import needs_program

_AT_A_TIME = 4


def _made(played: Iterable[Row]) -> list[dict[str, Canary]]:
    return [
        {
            name: Canary(f"{name}-{number}", "npm_token", f"/row/{number}", random_text(30))
            for name in ("PASSWORD", "SECRET")
        }
        for number, _ in enumerate(played)
    ]


def _wrong(row: Row, done: CompletedProcess[str], own: dict[str, Canary], log: NetworkLog) -> object:
    """What is not as the row says; None: nothing."""
    if done.returncode:
        return done.returncode, done.stdout[-400:], done.stderr[-800:]
    tls, kinds, found = seen_as(log, {name: canary.id for name, canary in own.items()})
    if found != row.canaries or row.kind not in kinds:
        return found, kinds
    return None if row.tls in tls else tls


@pytest.mark.parametrize("file", rows())
def test_every_stock_client_delivers_and_is_found(
    pair: NetPair, gateway: Callable[..., Gateway], tmp_path: Path, file: str
) -> None:
    played = rows()[file]
    for program in {row.needs for row in played}:
        needs_program(program)
    canaries = _made(played)
    g = gateway(canaries=tuple(canary for own in canaries for canary in own.values()))
    ca = str(g.names_path.parent / "ca.pem")
    env = {**ENV, "CA": ca, "CURL_CA_BUNDLE": ca, "GIT_SSL_CAINFO": ca, "PYTHON": sys.executable}
    env |= {"GIT_TERMINAL_PROMPT": "0", "HOME": str(tmp_path)}

    def run(number: int) -> CompletedProcess[str]:
        folder = tmp_path / f"row{number}"
        folder.mkdir()
        own = {name: canary.value for name, canary in canaries[number].items()}
        own["HEX"] = own["SECRET"].encode().hex()
        return pair.run(played[number].script, env | own, str(folder))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        done = list(pool.map(run, range(len(played))))
    log = g.stop()
    wrong = {}
    for row, one, own in zip(played, done, canaries, strict=True):
        if (fault := _wrong(row, one, own, log)) is not None:
            wrong[f"{row.protocol}, {row.client}, TLS: {row.tls}"] = fault
    assert wrong == {}
    assert "gateway_errors" not in log.cut
    tell(played)


def test_all_hosts_of_a_scan_show_one_key(pair: NetPair, gateway: Callable[..., Gateway]) -> None:
    needs_program("ssh-keyscan")
    gateway()
    scan = "ssh-keyscan -t ed25519 a.evil.example b.evil.example 2>/dev/null | cut -d' ' -f3 | sort | uniq -c"
    assert pair.run(scan).stdout.split()[:1] == ["2"]
