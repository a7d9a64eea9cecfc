"""Views, and what roles come to."""

from __future__ import annotations

import uuid

import pytest

from package_hunter.access import permissions, roles
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES, SERVER_ROLES, Role
from package_hunter.access.view import EVERYTHING, Access, View, unlimited

A, B = uuid.uuid4(), uuid.uuid4()


def test_a_view_sees_its_projects_alone() -> None:
    assert View(frozenset({A})).sees(A)
    assert not View(frozenset({A})).sees(B)
    assert not View(frozenset({A})).sees(None)
    assert EVERYTHING.sees(B)
    assert EVERYTHING.only(A) == View(frozenset({A}))
    assert View(frozenset({A})).only(B) == View(frozenset())


def test_rights_in_a_project_are_no_rights_elsewhere() -> None:
    access = Access("ana", frozenset({Permission.METRICS_READ}), {A: ROLES[Role.DEVELOPER]})
    assert access.may_in(A, Permission.SCAN_SUBMIT)
    assert not access.may_in(B, Permission.SCAN_SUBMIT)
    assert not access.may(Permission.SCAN_SUBMIT)
    assert access.view(Permission.SCAN_READ) == View(frozenset({A}))
    assert access.view(Permission.MEMBER_MANAGE) == View(frozenset())
    assert access.view(Permission.METRICS_READ) is EVERYTHING
    assert unlimited("dev").view(Permission.SCAN_READ) is EVERYTHING


@pytest.mark.parametrize("permission", Permission)
def test_each_permission_has_three_parts_a_meaning_and_a_holder(permission: Permission) -> None:
    scope, resource, action = permission.value.split(":")
    assert scope in ("project", "server")
    assert resource.isalpha()
    assert action in (
        "read",
        "submit",
        "create",
        "manage",
        "comment",
        "triage",
        "propose",
        "approve",
        "make",
        "break",
        "delete",
        "run",
    )
    assert permissions.MEANING[permission]
    assert any(permission in held for held in ROLES.values())


def test_each_role_is_described_and_an_auditor_changes_nothing() -> None:
    assert set(ROLES) == set(roles.MEANING) == set(Role)
    assert {p.value.rpartition(":")[2] for p in ROLES[Role.AUDITOR]} == {"read"}
    for role in set(Role) - SERVER_ROLES:
        assert any(p.in_projects for p in ROLES[role]), role
    assert Permission.REPORT_READ not in ROLES[Role.ADMINISTRATOR], "who runs the server reads no scan"
