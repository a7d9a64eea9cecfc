"""A registry that only the project names is told, where no lock file holds its packages to their bytes."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.npm import named
from package_hunter.intake.secrets import filter_npmrc
from package_hunter.model.scan import Package

HOSTS = frozenset({"registry.example"})


def _package(name: str) -> Package:
    return Package(f"pkg:npm/{name}@1.0.0", name, "1.0.0")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (b"registry=https://registry.example/npm/", {}),
        (b"registry=https://u:p@npm.corp.example:8443/x", {"": "npm.corp.example"}),
        (b"@a:registry = https://npm.corp.example", {"@a": "npm.corp.example"}),
        (b"registry=https://${HOST}/", {"": "?"}),
        (b"save-exact=true\n; registry=https://forged.example/", {}),
        (b"", {}),
    ],
)
def test_what_a_projects_settings_name(settings: bytes, expected: dict[str, str]) -> None:
    assert named.strange(filter_npmrc(settings)[0].decode(), HOSTS) == expected


def test_nothing_is_judged_where_registries_are_not_known() -> None:
    assert named.strange("; registry=https://npm.corp.example/\n", None) == {}


def test_only_what_was_to_come_from_there_is_told() -> None:
    scoped = {"@a": "npm.corp.example"}
    assert named.reasons(scoped, [_package("ms"), _package("@b/x")]) == []
    (told,) = named.reasons(scoped, [_package("ms"), _package("@a/x"), _package("@a/y")])
    assert "npm.corp.example" in told and "@a/x@1.0.0 and 1 more" in told
    assert (
        len(named.reasons({"": "one.example", "@a": "two.example"}, [_package("ms"), _package("@a/x")])) == 2
    )
