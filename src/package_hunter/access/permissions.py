"""Everything that can be allowed. Code asks for a permission, never for a role."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """``scope:resource:action``. One of the scope *project* is held in a project (or a group of them, or everywhere),
    one of the scope *server* only everywhere."""

    PROJECT_READ = "project:project:read"
    SCAN_READ = "project:scan:read"
    SCAN_SUBMIT = "project:scan:submit"
    SCAN_DELETE = "project:scan:delete"
    SAMPLE_READ = "project:sample:read"
    REPORT_READ = "project:report:read"
    HOLD_MANAGE = "project:hold:manage"
    INVENTORY_READ = "project:inventory:read"
    INVENTORY_SUBMIT = "project:inventory:submit"
    GATE_READ = "project:gate:read"
    FINDING_READ = "project:finding:read"
    FINDING_COMMENT = "project:finding:comment"
    FINDING_TRIAGE = "project:finding:triage"
    POLICY_READ = "project:policy:read"
    PROPOSAL_READ = "project:proposal:read"
    PROPOSAL_MAKE = "project:proposal:make"
    PROPOSAL_APPROVE = "project:proposal:approve"
    GLASS_BREAK = "project:glass:break"
    MEMBER_READ = "project:member:read"
    MEMBER_MANAGE = "project:member:manage"
    NOTICE_READ = "project:notice:read"
    NOTICE_MANAGE = "project:notice:manage"
    PROJECT_CREATE = "server:project:create"
    GROUP_CREATE = "server:group:create"
    ROLE_READ = "server:role:read"
    ROLE_MANAGE = "server:role:manage"
    USER_READ = "server:user:read"
    USER_MANAGE = "server:user:manage"
    TOKEN_READ = "server:token:read"
    TOKEN_MANAGE = "server:token:manage"
    REPOSITORY_MANAGE = "server:repository:manage"
    IDENTITY_READ = "server:identity:read"
    IDENTITY_MANAGE = "server:identity:manage"
    WORKER_READ = "server:worker:read"
    WORKER_MANAGE = "server:worker:manage"
    METRICS_READ = "server:metrics:read"
    DRILL_READ = "server:drill:read"
    DRILL_RUN = "server:drill:run"
    HISTORY_READ = "server:history:read"

    @property
    def in_projects(self) -> bool:
        """Whether it can be held in a project."""
        return self.value.startswith("project:")


MEANING: dict[Permission, str] = {
    Permission.PROJECT_READ: "know that the project is there",
    Permission.SCAN_READ: "see its scans and how they stand",
    Permission.SCAN_SUBMIT: "have something scanned in it",
    Permission.SCAN_DELETE: "delete scans that no hold and no open finding keeps",
    Permission.SAMPLE_READ: "fetch recordings of its boxes, and the files that packages dropped there (sealed)",
    Permission.HOLD_MANAGE: "place and lift legal holds; delete scans although an open finding rests on them",
    Permission.REPORT_READ: "read reports: findings, alerts, evidence",
    Permission.INVENTORY_READ: "see what it holds: packages, who asks for them, verdicts of their files",
    Permission.INVENTORY_SUBMIT: "hand in what it holds: SBOMs",
    Permission.GATE_READ: "ask the gate about its commits, and read what it answered",
    Permission.FINDING_READ: "see its findings, their states and notes",
    Permission.FINDING_COMMENT: "write notes on findings",
    Permission.FINDING_TRIAGE: "claim findings and set their states (not of proof, nor against an enforced rule)",
    Permission.POLICY_READ: "see the policies that hold in it, and what their rules decided",
    Permission.PROPOSAL_READ: "see proposals, their impact, and who approved them",
    Permission.PROPOSAL_MAKE: "propose changes, and edit proposals of others (who then may not approve them)",
    Permission.PROPOSAL_APPROVE: "approve, reject and review what others propose",
    Permission.GLASS_BREAK: "apply a proposal at once in an emergency; everybody concerned is told",
    Permission.MEMBER_READ: "see who has which role in it",
    Permission.MEMBER_MANAGE: "give and take roles in it, up to one's own rights",
    Permission.NOTICE_READ: "see where its teams are told what happens, and how that went",
    Permission.NOTICE_MANAGE: "say where its teams are told: what is told leaves this server",
    Permission.PROJECT_CREATE: "make projects",
    Permission.GROUP_CREATE: "make groups",
    Permission.ROLE_READ: "see who has which role everywhere",
    Permission.ROLE_MANAGE: "give and take any role, anywhere",
    Permission.USER_READ: "list users",
    Permission.USER_MANAGE: "make and remove users",
    Permission.TOKEN_READ: "list tokens",
    Permission.TOKEN_MANAGE: "make and revoke tokens",
    Permission.REPOSITORY_MANAGE: "say where projects' repositories are: what the server fetches with its own rights",
    Permission.IDENTITY_READ: "see identity providers, their groups' roles, and the rules of CI jobs",
    Permission.IDENTITY_MANAGE: "set identity providers and the rules of CI jobs up",
    Permission.WORKER_READ: "see the workers: what each can, and how it stands",
    Permission.WORKER_MANAGE: "let a worker take no more scans, or take them again",
    Permission.METRICS_READ: "read the server's figures (of projects: paths, and how many scans)",
    Permission.DRILL_READ: "see how the standing drill went",
    Permission.DRILL_RUN: "begin a standing drill",
    Permission.HISTORY_READ: "read and export the history of changes",
}
"""What each is, in a few words: docs/access.md."""
