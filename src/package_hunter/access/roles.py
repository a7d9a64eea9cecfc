"""Roles: sets of permissions. No code asks for a role; what one may do is decided here alone."""

from __future__ import annotations

from enum import StrEnum

from package_hunter.access.permissions import Permission as P


class Role(StrEnum):
    """What an account can be in a project, in a group, or everywhere."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    ANALYST = "analyst"
    SECURITY_ADMIN = "security-admin"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    MONITOR = "monitor"


_VIEW = frozenset(
    {
        *(P.PROJECT_READ, P.SCAN_READ, P.REPORT_READ, P.FINDING_READ, P.POLICY_READ),
        *(P.PROPOSAL_READ, P.MEMBER_READ, P.GATE_READ, P.INVENTORY_READ),
    }
)
_SUBMIT = _VIEW | {P.SCAN_SUBMIT, P.FINDING_COMMENT, P.PROPOSAL_MAKE, P.INVENTORY_SUBMIT}
_TRIAGE = _SUBMIT | {P.FINDING_TRIAGE, P.SAMPLE_READ}
_APPROVE = frozenset({P.PROPOSAL_APPROVE, P.GLASS_BREAK})

ROLES: dict[Role, frozenset[P]] = {
    Role.VIEWER: _VIEW,
    Role.DEVELOPER: _SUBMIT,
    Role.ANALYST: _TRIAGE | {P.NOTICE_READ},
    Role.SECURITY_ADMIN: _TRIAGE
    | _APPROVE
    | {P.MEMBER_MANAGE, P.PROJECT_CREATE, P.GROUP_CREATE}
    | {P.NOTICE_READ, P.NOTICE_MANAGE, P.DRILL_READ, P.DRILL_RUN}
    | {P.SCAN_DELETE, P.HOLD_MANAGE},
    Role.AUDITOR: _VIEW
    | {P.NOTICE_READ, P.ROLE_READ, P.USER_READ, P.TOKEN_READ, P.METRICS_READ, P.HISTORY_READ}
    | {P.IDENTITY_READ, P.DRILL_READ, P.WORKER_READ},
    Role.ADMINISTRATOR: frozenset(
        {
            *(P.PROJECT_READ, P.MEMBER_READ, P.MEMBER_MANAGE, P.PROJECT_CREATE, P.GROUP_CREATE),
            *(P.ROLE_READ, P.ROLE_MANAGE, P.USER_READ, P.USER_MANAGE, P.TOKEN_READ, P.TOKEN_MANAGE),
            P.REPOSITORY_MANAGE,
            *(P.IDENTITY_READ, P.IDENTITY_MANAGE, P.METRICS_READ),
            *(P.DRILL_READ, P.DRILL_RUN, P.WORKER_READ, P.WORKER_MANAGE),
        }
    ),
    Role.MONITOR: frozenset({P.METRICS_READ, P.DRILL_READ, P.WORKER_READ}),
}

SERVER_ROLES = frozenset({Role.ADMINISTRATOR, Role.MONITOR})
"""Those that mean something only everywhere."""

MEANING: dict[Role, str] = {
    Role.VIEWER: "reads",
    Role.DEVELOPER: "reads, has things scanned, comments, proposes changes",
    Role.ANALYST: "as a developer; decides on findings",
    Role.SECURITY_ADMIN: "as an analyst; approves what others propose; leads a project or group, its members",
    Role.AUDITOR: "reads all, who may do what and the history included; changes nothing",
    Role.ADMINISTRATOR: "runs the server: users, tokens, roles; reads no scan",
    Role.MONITOR: "reads the server's figures",
}
"""What each is, in a few words: docs/access.md."""
