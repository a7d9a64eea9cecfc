"""The package manager's lawful traffic is left out, nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.model.finding import Evidence
from package_hunter.model.observation import CanaryRead, Connection, Request
from package_hunter.model.report import Canaries
from package_hunter.report import traffic, words
from package_hunter.report.text import render
from tests.support import judge_samples as samples

FETCH = replace(samples.BLAME, phase="fetch", package=None, script=None, path=(), confidence="tree")
HOST = "registry.example"
CONNECTION = replace(samples.NETWORK.connections[0], name=HOST, sni=HOST, kind="http", blame=FETCH)
TARBALL = replace(
    samples.NETWORK.requests[0],
    url=f"https://{HOST}/left-pad/-/left-pad-1.3.0.tgz",
    registry=True,
    blame=FETCH,
)
PUBLISH = replace(TARBALL, method="PUT", url=f"https://{HOST}/left-pad", registry=False, blame=samples.BLAME)


def seen(connections: tuple[Connection, ...], requests: tuple[Request, ...]) -> list[Connection]:
    network = replace(samples.NETWORK, connections=connections, requests=requests)
    return list(traffic.contacts(samples.report(network=network)))


def test_fetching_from_the_registry_is_no_contact() -> None:
    assert seen((CONNECTION,), (TARBALL,)) == []


def test_who_asks_the_registry_for_more_is_seen() -> None:
    theirs = replace(CONNECTION, blame=samples.BLAME)
    assert seen((CONNECTION, theirs), (TARBALL, PUBLISH)) == [theirs]


@pytest.mark.parametrize("kind", ["raw", "unknown"])
def test_another_protocol_to_the_registrys_name_is_seen(kind: str) -> None:
    odd = replace(CONNECTION, kind=kind)
    assert seen((odd,), (TARBALL,)) == [odd]


def test_a_name_that_is_no_registry_is_seen_even_in_the_fetch() -> None:
    assert seen((replace(CONNECTION, name="evil.example"),), (TARBALL,)) != []


def test_reads_by_the_program_that_a_file_is_for() -> None:
    lawful = CanaryRead(samples.T0, "npm-token", "/home/dev/.npmrc", 1, FETCH)
    accused = replace(
        samples.FINDING,
        kind="credential_access",
        evidence=(Evidence(samples.T0, "node steal.js read it", {"path": "/home/dev/.npmrc"}),),
    )
    canaries = Canaries((samples.CANARY,), (lawful, samples.READ))
    report = samples.report(findings=(accused,), canaries=canaries)
    assert list(traffic.unlawful_reads(report)) == [samples.READ], "the same file, read by somebody else"
    assert list(traffic.lawful_reads(report)) == [lawful]
    text = render(report, color=False, width=100)
    assert "~/.npmrc: read by maldep 1.0.0, preinstall script" in text
    assert "Fakes read by the programs that they are for: ~/.npmrc" in text


def test_addresses_that_the_box_made_up_mean_nothing() -> None:
    assert not traffic.real_address("198.18.1.7")
    assert not traffic.real_address("2001:2:0:1::2")
    assert not traffic.real_address("no address")
    assert traffic.real_address("203.0.113.9")


@pytest.mark.parametrize(
    ("blame", "who"),
    [
        (None, words.UNKNOWN),
        (FETCH, "the package manager, fetching"),
        (samples.BLAME, "maldep 1.0.0, preinstall script"),
        (samples.PROJECT, "the project's own postinstall script"),
        (replace(samples.BLAME, phase="import", script="require"), "maldep 1.0.0, on import"),
        (replace(FETCH, phase="import"), words.UNKNOWN),
    ],
)
def test_who_did_it(blame: object, who: str) -> None:
    assert words.who(blame) == who  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("read /home/dev/.npmrc", "read ~/.npmrc"),
        ("/home/dev/projects/app/x.js and /home/dev/y", "./x.js and ~/y"),
        ("/mnt/home/dev/x", "/mnt/home/dev/x"),
        ("\x1b[31m/home/dev/x", "\\x1b[31m/home/dev/x"),
    ],
)
def test_the_boxs_folders_as_a_person_writes_them(text: str, short: str) -> None:
    assert words.short(text) == short
