"""OSV's versions and ranges."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.inventory.versions import named

NPM, PYPI, GEM = "pkg:npm/a", "pkg:pypi/a", "pkg:gem/a"


def span(kind: str, *events: tuple[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": [{what: value} for what, value in events]}]}


ALL = span("SEMVER", ("introduced", "0"))
FROM = span(
    "SEMVER", ("introduced", "1.0.0"), ("fixed", "1.2.0"), ("introduced", "2.0.0"), ("last_affected", "2.1.0")
)
LATER = span("ECOSYSTEM", ("introduced", "0"), ("fixed", "2.0rc1"))


@pytest.mark.parametrize(
    ("version", "base", "said", "hit"),
    [
        ("1.0.0", NPM, {"versions": ["1.0.0", "1.0.1"]}, True),
        ("1.0", NPM, {"versions": ["1.0.0"]}, False),
        ("", NPM, ALL, False),
        ("whatever", GEM, ALL, True),
        ("0.9.9", NPM, FROM, False),
        ("1.0.0-rc.1", NPM, FROM, False),
        ("1.0.0", NPM, FROM, True),
        ("1.2.0-beta.2", NPM, FROM, True),
        ("1.2.0", NPM, FROM, False),
        ("2.1.0", NPM, FROM, True),
        ("2.1.1", NPM, FROM, False),
        ("10.0.0", NPM, FROM, False),
        ("2.0b1", PYPI, LATER, True),
        ("2.0", PYPI, LATER, False),
        ("1.0", GEM, LATER, False),  # no order is known: nobody is accused
        ("nonsense", NPM, FROM, False),
        ("nonsense", PYPI, LATER, False),
    ],
)
def test_a_version_is_named_or_not(version: str, base: str, said: dict[str, Any], hit: bool) -> None:
    assert named(version, base, said) is hit


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"versions": "1.0.0"},
        {"versions": [1, None, ["1.0.0"]]},
        {"ranges": [None, 7, {"events": "all"}, {"type": "SEMVER", "events": [None, {"introduced": 0}]}]},
        {"ranges": {"type": "SEMVER"}},
        {"ranges": [{"type": "SEMVER", "events": []}]},
    ],
)
def test_a_broken_record_names_nothing(said: dict[str, Any]) -> None:
    assert named("1.0.0", NPM, said) is False
