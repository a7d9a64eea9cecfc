"""Requests over HTTP/2 are what they are over HTTP/1.1: recorded, searched, marked, answered with the same bytes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter.decoy.forge import random_text
from package_hunter.decoy.gateway import Gateway
from package_hunter.model.observation import Canary
from tests.support.netpair import NetPair
from tests.support.played import ENV

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
_MADE = "https://api.github.com/user/repos"

_MANY = """{python} - <<'PY'
import socket, ssl
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded
context = ssl.create_default_context(cafile="{ca}")
context.set_alpn_protocols(["h2"])
line = context.wrap_socket(socket.create_connection(("many.example", 443)), server_hostname="many.example")
http = H2Connection()
http.initiate_connection()
for number in range(60):
    http.send_headers(2 * number + 1, [
        (":method", "POST"), (":path", f"/many/{{number}}"), (":authority", "many.example"), (":scheme", "https"),
    ])
for number in range(60):
    http.send_data(2 * number + 1, b"body %d" % number, end_stream=True)
line.sendall(http.data_to_send())
ended = set()
while len(ended) < 60:
    data = line.recv(65536)
    assert data, sorted(ended)
    for event in http.receive_data(data):
        if isinstance(event, StreamEnded):
            ended.add(event.stream_id)
        if isinstance(event, ResponseReceived):
            assert dict(event.headers)[b":status"] == b"200", event
        if isinstance(event, DataReceived):
            http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    line.sendall(http.data_to_send())
PY"""


def test_requests_over_http_2_are_requests(
    pair: NetPair, gateway: Callable[..., Gateway], tmp_path: Path
) -> None:
    head, body = (Canary(name, "npm_token", f"/{name}", random_text(30)) for name in ("head", "body"))
    g = gateway(canaries=(head, body))
    ca = str(g.names_path.parent / "ca.pem")
    env = {**ENV, "CURL_CA_BUNDLE": ca, "HOME": str(tmp_path)}
    (tmp_path / "big").write_bytes(b"0123456789abcdef" * 65_536)
    (tmp_path / "asked").write_text('{"name":"x"}')

    def run(script: str) -> str:
        done = pair.run(f"cd {tmp_path} && {script}", env)
        assert done.returncode == 0, done.stderr[-800:]
        return done.stdout

    says = "-w '%{http_version}' -o /dev/null"
    assert run(f"curl -sS {says} -H 'X-Key: {head.value}' https://head.example/a?b=c") == "2"
    assert run(f"curl -sS {says} --http2-prior-knowledge -d {body.value} http://body.example/") == "2"
    assert run(f"curl -sS {says} --data-binary @big https://big.example/up") == "2"
    assert run(f"curl -sS {says} --http2 -d @asked {_MADE}") == "2"
    run("curl -sS --http2 -o two https://api.ipify.org/ && curl -sS --http1.1 -o one https://api.ipify.org/")
    run("test -s one && cmp one two")
    run(_MANY.format(python=sys.executable, ca=ca))

    log = g.stop()
    asked = {request.url: request for request in log.requests}
    assert dict(asked["https://head.example/a?b=c"].headers)["x-key"] == head.value
    assert asked["http://body.example/"].body == body.value.encode()
    assert asked["https://big.example/up"].body_bytes == 1 << 20
    assert {f"https://many.example/many/{number}" for number in range(60)} <= set(asked)
    assert asked["https://many.example/many/7"].body == b"body 7"
    channels = {(hit.canary, hit.channel) for hit in log.hits}
    assert {("head", "http-header"), ("body", "http-body")} <= channels
    assert "repository_change" in {mark.kind for mark in log.marks}
    assert "gateway_errors" not in log.cut
