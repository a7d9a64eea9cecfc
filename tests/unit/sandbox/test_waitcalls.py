"""The table of calls that wait."""

from __future__ import annotations

import pytest

from package_hunter.sandbox.waitcalls import _CALLS, Form, calls


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_each_number_is_one_call(machine: str) -> None:
    numbers = [number for call in _CALLS if (number := getattr(call, machine)) >= 0]
    assert len(numbers) == len(set(numbers)) == len(calls(machine))
    assert calls(machine)[98 if machine == "aarch64" else 202].name == "futex"


def test_whoever_is_told_a_time_is_told_it_in_an_argument() -> None:
    for call in _CALLS:
        assert (call.form is Form.NONE) == (call.timeout < 0), call
        assert call.timeout < 6 and call.clock < 6


def test_of_another_machine_nothing_is_known() -> None:
    assert calls("riscv64") == {}
