"""What the host's managers say of their configuration; one that is ended in the middle said nothing."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems import asking
from package_hunter.ecosystems.asking import Question, asked
from package_hunter.errors import HelperDiedError, HostError


def say(script: str) -> str:
    return asked(Question(["/bin/sh", "-c", script], {}), None)


def test_what_it_prints_is_the_answer_whatever_its_exit_code() -> None:
    assert say("echo one") == "one\n"
    assert say("echo two; exit 3") == "two\n"


@pytest.mark.parametrize("number", [9, 15])
def test_half_an_answer_is_none(number: int) -> None:
    with pytest.raises(HelperDiedError, match=f"signal {number}") as told:
        say(f"echo registry=; kill -{number} $$; sleep 60")
    assert told.value.again


def test_a_host_that_is_too_busy_to_answer_is_no_fault_of_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_SECONDS", 0.2)
    with pytest.raises(HostError, match="busy") as told:
        say("sleep 60")
    assert told.value.again
