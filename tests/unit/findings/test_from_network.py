"""How the sentence of a secret that left names the way it took."""

from __future__ import annotations

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.findings import from_network
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.from_network import _through, secret_label, secret_place
from package_hunter.model.observation import CanaryHit, Connection, NetworkLog, Observation, Request
from tests.support.judge_samples import T0


@pytest.mark.parametrize(
    ("channel", "encoding", "said"),
    [
        ("over ssh", (), "over SSH"),
        ("over smtp", ("base64",), "over SMTP, wrapped in base64"),
        ("over h2", (), "over HTTP/2"),
        ("over ftp-data", (), "over FTP"),
        ("over mongo", (), "over MongoDB"),
        ("tls", (), "tls"),
        ("http-body", (), "http-body"),
    ],
)
def test_the_protocol_of_a_conversation_is_named(channel: str, encoding: tuple[str, ...], said: str) -> None:
    assert _through(CanaryHit(1, "one", encoding, channel, "evil.example:22", 4000, False)) == said


@pytest.mark.parametrize(
    ("kind", "place", "said"),
    [
        ("npm-token", "/home/dev/.npmrc", "npm token of /home/dev/.npmrc"),
        ("aws-secret", "env:AWS_SECRET_ACCESS_KEY", "aws secret of the environment (AWS_SECRET_ACCESS_KEY)"),
        ("job-secret", "memory:Runner.Worker", "job secret in the memory of Runner.Worker"),
        ("identity-gitlab", "http://gitlab.com/", "identity token of gitlab that gitlab.com gave out"),
        (
            "metadata-aws-secret",
            "http://169.254.169.254/latest/meta-data/",
            "aws secret that 169.254.169.254 gave out",
        ),
        ("stored-vault", "http://vault.a.internal:8200/", "secret from vault that vault.a.internal gave out"),
        ("minted-npm-token", "http://registry/-/npm/v1", "minted npm token that the registry gave out"),
    ],
)
def test_a_secret_is_named_by_what_it_is_and_where_it_was_had(kind: str, place: str, said: str) -> None:
    assert f"{secret_label(kind)} {secret_place(place)}" == said


def test_every_fake_has_a_place_that_people_know() -> None:
    places = {canary.place for canary in make_canaries("t")[0] if canary.handed_out}
    hosts = {secret_place(place).split()[-3] for place in places}
    assert all("." in host for host in hosts - {"registry"})


def _sent_unread(log: NetworkLog) -> dict[str, bool]:
    context = Context(Observation(), log, RoundFacts(), None)
    found = from_network.signals(context, ())
    return {one.subject: bool(one.facts["opaque"]) for one in found if one.kind == "data_sent"}


def test_where_a_stolen_secret_was_found_nothing_is_said_to_be_unreadable() -> None:
    cipher = bytes((i * 89 + 31) % 256 for i in range(300))
    asked = [
        Request(T0, "POST", f"http://{host}/x", (), cipher, 300, 200, port)
        for host, port in (("a.example", 1), ("b.example", 2), ("c.example", 3))
    ]
    raw = [
        Connection(T0, "tcp", "192.0.2.1", 4444, port, f"{host}.example", None, 300, 0, "raw", None, cipher)
        for host, port in (("d", 4), ("e", 5))
    ]
    hits = [
        CanaryHit(T0, "one", (), channel, f"{where}", port, lawful)
        for channel, where, port, lawful in (
            ("http-body", "a.example:80", 1, False),
            ("http-header", "b.example:80", 2, True),
            ("http-body", "c.example:80", 99, False),
            ("tcp", "d.example:4444", 4, False),
        )
    ]
    log = NetworkLog(requests=tuple(asked), connections=tuple(raw), hits=tuple(hits))
    assert _sent_unread(log) == {
        "a.example": False, "b.example": True, "c.example": True, "d.example": False, "e.example": True,
    }  # fmt: skip
