"""Advice fits the finding: no sentence about what was not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from package_hunter.findings.advice import (
    MADE_HERE,
    NOTHING_ASKED,
    OWN,
    OWN_HANG,
    SCHEDULE,
    SETTINGS,
    TOLD,
    advice,
)
from package_hunter.findings.catalog import Class, kinds
from package_hunter.findings.context import Context, RoundFacts
from package_hunter.findings.forms import Form
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Blame, NetworkLog, Observation, Request
from tests.support.judge_samples import BLAME, PROJECT, T0

HASH = "Ask what it fetches from there, and whether its hash is checked."


def request(method: str, url: str = "http://host.example/x", sent: int = 0) -> Request:
    return Request(T0, method, url, (), b"", sent, 200, 4000)


def given(
    kind: str,
    subject: str = "host.example",
    requests: tuple[Request, ...] = (),
    blame: Blame = BLAME,
    weight: Class = Class.SUSPICIOUS,
    **facts: Any,
) -> tuple[str, ...]:
    context = Context(Observation(), NetworkLog(requests=requests), RoundFacts(), None)
    signal = Signal(T0, kind, weight, subject, "it did", blame, facts=facts)
    one = kinds()[kind]
    own = Form("", {}, one.title, one.raised, one.lowers, one.severity, one.advice)
    return advice(one, {own: [signal]}, context, blame)


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ((request("GET"),), (HASH,)),
        ((request("POST", sent=5),), (TOLD,)),
        ((request("POST"),), (TOLD,)),
        ((request("GET", sent=20),), (TOLD, HASH)),
        ((request("POST"), request("GET")), (TOLD, HASH)),
        ((request("HEAD"),), ()),
        ((), (NOTHING_ASKED,)),
        ((request("POST", "http://other.example/"),), (NOTHING_ASKED,)),
        ((request("GET", "http://[broken"),), (NOTHING_ASKED,)),
    ],
)
def test_a_contact(requests: tuple[Request, ...], said: tuple[str, ...]) -> None:
    assert given("outbound_connection", requests=requests) == said


def test_settings_of_the_manager_are_no_stolen_keys() -> None:
    assert given("credential_access", "/home/dev/.npmrc", settings=True)[-1] == SETTINGS
    assert SETTINGS not in given("credential_access", "/home/dev/.ssh/id_rsa", settings=False)


def test_where_the_bytes_came_from() -> None:
    assert given("dropped_executable", "/tmp/x") == (MADE_HERE,)
    assert "network part" in given("dropped_executable", "/tmp/x", (request("GET"),))[0]


def test_a_schedule_is_no_file() -> None:
    assert given("persistence", "crontab") == (SCHEDULE,)
    assert given("persistence", "/home/dev/.bashrc")[0].startswith("Look at the file")


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_of_the_projects_own_script_nobody_can_remove_a_version(kind: str) -> None:
    said = given(kind, blame=PROJECT)
    assert not [s for s in said if "version" in s.lower() and "versions" not in s and "require IMDS" not in s]
    assert not any("its registry" in s or "maintainers" in s for s in said)
    assert (OWN in said) == bool(kinds()[kind].advice)
    assert (OWN_HANG in said) == (kind == "hang")


def test_a_package_keeps_the_advice_of_its_kind() -> None:
    for kind in kinds().values():
        if kind.name not in ("outbound_connection", "dropped_executable", "persistence"):  # tested above
            assert given(kind.name, "/x") == kind.advice
    assert given("git_hook", blame=PROJECT, weight=Class.INFO) == kinds()["git_hook"].advice
    assert given("exfiltration", blame=replace(PROJECT, confidence="tree")) == kinds()["exfiltration"].advice
    assert "this project as robbed" in " ".join(given("exfiltration", blame=PROJECT))
