"""No fake secret's value stands in a report through what a failed command printed."""

from __future__ import annotations

from package_hunter.model.observation import Canary
from package_hunter.model.scan import Coverage, FailedCommand
from package_hunter.pipeline.last_words import without_fakes

TOKEN = "npm_" + "a1B2" * 9
KEY = "-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END KEY-----\n"
CANARIES = [
    Canary("t", "npm token", "env:NPM_TOKEN", TOKEN),
    Canary("k", "key", "/k", KEY),
    Canary("u", "user", "/u", "dev"),
]


def printed(*lines: str) -> Coverage:
    failed = FailedCommand(
        "install", "postinstall", None, 1, f"it failed. It said: “{lines[0]}”", lines[0], lines
    )
    return without_fakes(Coverage(reasons=(failed.reason,), notes=("dev",), failed=(failed,)), CANARIES)


def test_values_of_fakes_are_left_out() -> None:
    found = printed(
        f"NPM_TOKEN={TOKEN} oops", "b3BlbnNzaC1rZXktdjEAAAAA", "dev is no secret", f"cut {TOKEN[:20]}…"
    )
    (failed,) = found.failed
    assert failed.output == (
        "NPM_TOKEN=(a fake secret) oops",
        "(a fake secret)",
        "dev is no secret",
        "cut (a fake secret)…",
    )
    assert failed.line == failed.output[0] and TOKEN not in failed.reason + found.reasons[0]
    assert found.notes == ("dev",)


def test_without_a_failure_nothing_is_changed() -> None:
    plain = Coverage(reasons=(f"odd {TOKEN}",))
    assert without_fakes(plain, CANARIES) is plain
