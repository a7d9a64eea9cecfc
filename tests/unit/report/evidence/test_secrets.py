"""Fakes and their way out."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.model.observation import Blame, Canary, CanaryHit, CanaryRead
from package_hunter.model.report import Canaries
from package_hunter.report.evidence import Exhibits
from package_hunter.report.sample import sample
from tests.support.evidence_samples import BEGAN

WHO = Blame("install", "pkg:npm/evil@1", ("demo", "evil"), "postinstall", 7, "node x.js", "so", "certain")
FILE = "/home/dev/.aws/credentials"
PLACED = (
    Canary("id", "aws-key-id", FILE, "A"),
    Canary("key", "aws-secret", FILE, "B"),
    Canary("env", "github-token", "env:GITHUB_TOKEN", "C"),
    Canary("calm", "npm-token", "/home/dev/.npmrc", "D"),
)


def hit(canary: str, where: str = "evil.example:443", lawful: bool = False) -> CanaryHit:
    return CanaryHit(BEGAN, canary, ("base64", "gzip"), "http-body", where, 1, lawful, WHO)


def test_fakes_of_one_file_go_one_way() -> None:
    read = (CanaryRead(BEGAN, "calm", "/home/dev/.npmrc", 1, WHO),)
    sent = (hit("id"), hit("key"), hit("key"), hit("env"), hit("calm", lawful=True))
    report = replace(sample(), canaries=Canaries(PLACED, read, sent, (".env",)))
    found = Exhibits(report).secrets
    assert [(way.place, dict(way.kinds)) for way in found.ways] == [
        (FILE, {"aws key id": 1, "aws secret": 1}),
        ("env:GITHUB_TOKEN", {"github token": 1}),
    ]
    [step] = found.ways[0].sent
    assert (step.what, step.wrapped, step.channel) == ("evil.example:443", "base64, gzip", "http-body")
    assert dict(step.kinds) == {"aws key id": 1, "aws secret": 2}
    assert found.lawful == ["/home/dev/.npmrc"], "no finding speaks of it"
    assert found.replaced == (".env",)


def test_a_thousand_places_to_send_to_are_counted() -> None:
    sent = tuple(hit("id", f"h{n}.example:443") for n in range(1_000))
    report = replace(sample(), canaries=Canaries(PLACED, (), sent))
    [way] = Exhibits(report).secrets.ways
    assert len(way.sent) + way.more == 1_000
