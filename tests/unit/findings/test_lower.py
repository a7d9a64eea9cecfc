"""What speaks in favour of a package makes a signal milder, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings.catalog import Class
from package_hunter.findings.lower import LOGINS, MANAGER_SETTINGS, TRIED, soften
from package_hunter.findings.signals import Signal
from tests.support.judge_samples import BLAME, PROJECT, T0

READ = Signal(T0, "credential_access", Class.SUSPICIOUS, "/home/dev/.npmrc", "read", BLAME)
RAN = Signal(T0, "remote_code_execution", Class.SUSPICIOUS, "host.example", "ran", BLAME)
CONTACT = Signal(T0, "outbound_connection", Class.SUSPICIOUS, "host.example", "contacted", BLAME)


def weights(*signals: Signal) -> dict[str, Class]:
    return {s.kind: s.weight for s in soften(signals, frozenset({"host.example"}))}


def test_an_installer_that_looks_for_the_proxy_and_tries_what_it_fetched_read_no_secrets() -> None:
    (read, ran, contact) = soften([READ, RAN, CONTACT], frozenset({"host.example"}))
    assert read.weight is Class.INFO and MANAGER_SETTINGS in read.explain
    assert ran.weight is Class.SUSPICIOUS, "that it ran it unchecked stays"
    assert contact.weight is Class.SUSPICIOUS


def test_a_build_that_looks_for_a_login_as_whatever_fetches_does_read_no_secrets() -> None:
    login = replace(READ, subject="/home/dev/.netrc")
    (read,) = soften([login], frozenset())
    assert read.weight is Class.INFO and LOGINS in read.explain
    sent = Signal(T0, "data_sent", Class.INFO, "x", "sent", BLAME)
    assert weights(login, sent)["credential_access"] is Class.SUSPICIOUS
    assert weights(replace(login, subject="/home/dev/.pypirc"))["credential_access"] is Class.SUSPICIOUS


@pytest.mark.parametrize(
    "kind", ["data_sent", "host_facts_sent", "dns_channel", "dropped_executable", "persistence"]
)
def test_with_more_it_is_no_look_for_the_proxy(kind: str) -> None:
    more = Signal(T0, kind, Class.SUSPICIOUS if kind != "data_sent" else Class.INFO, "x", "did", BLAME)
    assert weights(READ, RAN, more)["credential_access"] is Class.SUSPICIOUS


def test_other_secrets_and_unknown_doers_are_never_milder() -> None:
    assert (
        weights(replace(READ, subject="/home/dev/.ssh/id_rsa"), RAN)["credential_access"] is Class.SUSPICIOUS
    )
    assert weights(replace(READ, blame=PROJECT), RAN)["credential_access"] is Class.SUSPICIOUS
    assert weights(replace(READ, blame=None), RAN)["credential_access"] is Class.SUSPICIOUS


PROBE = Signal(
    T0, "dropped_executable", Class.SUSPICIOUS, "/tmp/t/probe", "ran", BLAME,
    facts={"hidden": True, "linked": True, "left_running": False},
)  # fmt: skip


def test_what_a_build_compiles_and_tries_in_a_temporary_folder_is_told_for_information() -> None:
    (probe,) = soften([PROBE], frozenset())
    assert probe.weight is Class.INFO and TRIED in probe.explain


@pytest.mark.parametrize("facts", [{"linked": False}, {"left_running": True}, {"linked": None}])
def test_another_program_or_one_that_stays_is_none_of_these(facts: dict[str, object]) -> None:
    assert weights(replace(PROBE, facts={**PROBE.facts, **facts}))["dropped_executable"] is Class.SUSPICIOUS


def test_where_its_processes_are_not_known_it_is_none() -> None:
    bare = {key: value for key, value in PROBE.facts.items() if key != "left_running"}
    assert weights(replace(PROBE, facts=bare))["dropped_executable"] is Class.SUSPICIOUS


@pytest.mark.parametrize("kind", ["exfiltration", "credential_access", "data_sent", "reverse_shell"])
def test_a_package_that_takes_or_sends_something_tries_no_compiler(kind: str) -> None:
    more = Signal(T0, kind, Class.SUSPICIOUS, "/home/dev/.aws/credentials", "did", BLAME)
    assert weights(PROBE, more)["dropped_executable"] is Class.SUSPICIOUS
