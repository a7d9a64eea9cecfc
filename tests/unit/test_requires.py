"""What is missing on a host skips a test with a reason, and fails it where nothing may be missing (as in CI)."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import requires

NEEDS: list[tuple[Callable[[], object], str]] = [
    (lambda: requires.needs_shared("no/such/part"), r"needs \.\./shared/no/such/part"),
    (lambda: requires.needs_program("no-such-program"), "needs the program no-such-program"),
    (lambda: requires.needs_module("no_such_module"), "needs the Python module no_such_module"),
]


@pytest.mark.parametrize(("need", "reason"), NEEDS)
def test_what_is_missing_skips_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, need: Callable[[], object], reason: str
) -> None:
    monkeypatch.delenv("PACKAGE_HUNTER_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match=reason):
        need()


@pytest.mark.parametrize(("need", "reason"), NEEDS)
def test_what_is_missing_fails_where_nothing_may_be(
    monkeypatch: pytest.MonkeyPatch, need: Callable[[], object], reason: str
) -> None:
    monkeypatch.setenv("PACKAGE_HUNTER_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match=reason):
        need()


def test_without_any_of_the_material_beside_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(requires, "SHARED", tmp_path / "shared")
    monkeypatch.setenv("PACKAGE_HUNTER_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="not part of this repository"):
        requires.needs_shared()
    (tmp_path / "shared").mkdir()
    assert requires.needs_shared() == tmp_path / "shared"


@pytest.mark.parametrize("everything", ["0", "1"])
def test_what_nobody_asked_for_is_skipped_in_ci_too(monkeypatch: pytest.MonkeyPatch, everything: str) -> None:
    monkeypatch.setenv("PACKAGE_HUNTER_REQUIRE_ALL", everything)
    with pytest.raises(pytest.skip.Exception, match="A_FALCO names no Falco"):
        requires.needs_asking("A_FALCO", "Falco")
    monkeypatch.setenv("A_FALCO", "/usr/bin/falco")
    assert requires.needs_asking("A_FALCO", "Falco") == "/usr/bin/falco"


def _skips(path: Path) -> list[str]:
    """Calls that skip by themselves, whatever PACKAGE_HUNTER_REQUIRE_ALL says."""
    calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    names = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    return sorted(names & {"skip", "importorskip"})


def test_no_test_skips_by_itself() -> None:
    helper = Path(requires.__file__)
    files = [path for path in sorted((requires.ROOT / "tests").rglob("*.py")) if path != helper]
    found = {str(path.relative_to(requires.ROOT)): _skips(path) for path in files if _skips(path)}
    assert found == {}, "use a function of tests/support/requires.py: its absence fails in CI"
