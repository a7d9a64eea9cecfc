"""Stock clients log in and deliver a secret; the gateway finds it. All share one gateway."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

from package_hunter.decoy.forge import random_text
from package_hunter.decoy.gateway import Gateway
from package_hunter.model.observation import Canary
from tests.integration.decoy import conversations
from tests.integration.decoy.conversations.row import Row
from tests.support.netpair import NetPair
from tests.support.played import ENV

_AT_A_TIME = 4


def rows() -> list[Row]:
    """Those of every file beside ``conversations.row`` whose client is there."""
    found = []
    for one in pkgutil.iter_modules(conversations.__path__):
        module = importlib.import_module(f"{conversations.__name__}.{one.name}")
        found += [row for row in getattr(module, "ROWS", ()) if shutil.which(row.needs)]
    return found


def test_every_stock_client_delivers_and_is_found(
    pair: NetPair, gateway: Callable[..., Gateway], tmp_path: Path
) -> None:
    played = rows()
    canaries = [
        Canary(f"row-{number}", "npm_token", f"/row/{number}", random_text(30))
        for number in range(len(played))
    ]
    g = gateway(canaries=tuple(canaries))
    ca = str(g.names_path.parent / "ca.pem")
    env = {
        **ENV,
        "CURL_CA_BUNDLE": ca,
        "GIT_SSL_CAINFO": ca,
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": str(tmp_path),
    }
    env["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = ca

    def run(number: int) -> CompletedProcess[str]:
        secret = canaries[number].value
        script = played[number].script.format(
            secret=secret, python=sys.executable, ca=ca, hex=secret.encode().hex()
        )
        folder = tmp_path / f"row{number}"
        folder.mkdir()
        return pair.run(f"cd {folder} && {script}", env)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        done = list(pool.map(run, range(len(played))))
    log = g.stop()
    found = {hit.canary for hit in log.hits}
    wrong = {
        f"{row.protocol} {'over TLS' if row.tls else 'in the clear'}": (one.returncode, one.stderr[-800:])
        for row, one, canary in zip(played, done, canaries, strict=True)
        if one.returncode != 0 or canary.id not in found
    }
    assert wrong == {}
    assert {row.kind for row in played} <= {connection.kind for connection in log.connections}
    assert "gateway_errors" not in log.cut
