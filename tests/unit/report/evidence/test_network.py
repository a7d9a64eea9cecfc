"""Who talked to whom, and what left."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from package_hunter.model.observation import Blame, CanaryHit, Connection, NetworkLog, Request
from package_hunter.model.report import Canaries, Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.report.evidence import Exhibits
from package_hunter.report.evidence.network import MAX_TALKS
from package_hunter.report.sample import sample
from tests.support.evidence_samples import BEGAN

WHO = Blame("install", "pkg:npm/evil@1", ("demo", "evil"), "postinstall", 7, "node x.js", "so", "certain")
OTHER = replace(WHO, package="pkg:npm/calm@1", path=("demo", "calm"))
BODY = json.dumps(
    {"d": base64.b64encode(b"//registry.example/:_authToken=npm_FAKE0123456789").decode()}
).encode()


def connection(name: str, who: Blame = WHO, port: int = 443, sent: int = 100) -> Connection:
    return Connection(BEGAN, "tcp", "198.18.1.7", port, 41_000, name, name, sent, 10, "http", who)


def seen(network: NetworkLog) -> Report:
    canaries = replace(sample().canaries, sent=network.hits)
    return replace(sample(), network=network, canaries=canaries)


THEFT = seen(
    NetworkLog(
        connections=(connection("evil.example", sent=3_000), connection("calm.example", OTHER, sent=50)),
        requests=(
            Request(
                BEGAN + 5,
                "POST",
                "https://evil.example/in",
                (("A", "b"),),
                BODY,
                len(BODY),
                200,
                41_000,
                blame=WHO,
            ),
            Request(BEGAN + 5, "GET", "https://calm.example/", (), b"", 0, 200, 41_001, blame=OTHER),
        ),
        hits=(
            CanaryHit(BEGAN + 6, "token", ("base64",), "http-body", "evil.example:443", 41_000, False, WHO),
        ),
    )
)


def test_what_left_is_told_with_its_body_opened() -> None:
    for report in (THEFT, from_json(to_json(THEFT))):  # live, and read back without ports
        net = Exhibits(report).network
        hot, calm = net.talks
        assert (hot.destination, hot.secrets, list(hot.ways)) == (
            "evil.example",
            {"npm token": 1},
            ["base64 in http-body"],
        )
        assert (calm.destination, calm.secrets) == ("calm.example", {})
        [sent] = hot.sent
        assert sent.secrets == ("npm token",)
        assert [layer.how for layer in sent.layers] == ["", "base64"]
        assert "npm_FAKE0123456789" in sent.layers[1].text
        assert calm.sent[0].secrets == ()
        assert [doer.hot for doer in net.doers] == [True, False]


def test_a_thousand_destinations_are_counted() -> None:
    many = tuple(connection(f"h{n}.example") for n in range(1_000))
    net = Exhibits(seen(NetworkLog(connections=many))).network
    assert len(net.talks) == MAX_TALKS
    assert net.more == 1_000 - MAX_TALKS


def test_connections_to_the_same_are_one_talk() -> None:
    net = Exhibits(seen(NetworkLog(connections=(connection("a.example"),) * 5))).network
    [talk] = net.talks
    assert (talk.connections, talk.bytes_out) == (5, 500)


def test_a_hit_without_a_connection_on_record_loses_nothing() -> None:
    hit = CanaryHit(BEGAN, "token", (), "dns", "x.tunnel.example", 1, False, WHO)
    report = seen(NetworkLog(hits=(hit,)))
    assert Exhibits(report).network.talks == []
    [way] = Exhibits(report).secrets.ways
    assert way.sent[0].what == "x.tunnel.example"
    assert isinstance(report.canaries, Canaries)
