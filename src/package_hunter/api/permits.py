"""What each route asks for: one row a route. A route without a row keeps the server from starting.

docs/access.md is made of this table (`access.document`), and a test walks every route with every role.
"""

from __future__ import annotations

import re

from package_hunter.access.permissions import Permission
from package_hunter.api.page_permits import PAGES
from package_hunter.api.permit import Permit, Where

__all__ = ["BY_ROUTE", "PERMITS", "Permit", "Where", "is_among_pages", "is_open", "is_page"]

_V1 = "/api/v1"
_P, _W = Permission, Where


def _notices(place: str, where: Where) -> tuple[Permit, ...]:
    """The rows of where the teams of a place are told."""
    there, gone = f"{_V1}{place}/destinations", f"{_V1}{place}/deliveries"
    return (
        Permit("GET", there, where, _P.NOTICE_READ),
        Permit("POST", there, where, _P.NOTICE_MANAGE, "destination.add", secret=True),
        Permit("DELETE", there, where, _P.NOTICE_MANAGE, "destination.remove"),
        Permit("POST", f"{there}/test", where, _P.NOTICE_MANAGE, "destination.test"),
        Permit("GET", gone, where, _P.NOTICE_READ),
        Permit("POST", f"{gone}/retry", where, _P.NOTICE_MANAGE, "delivery.retry"),
    )


def _proposing(place: str, where: Where) -> tuple[Permit, ...]:
    there = f"{_V1}{place}/proposals"
    return (
        Permit("POST", there, where, _P.PROPOSAL_MAKE, "proposal.add"),
        Permit("POST", f"{there}/preview", where, _P.PROPOSAL_MAKE),
    )


_N = f"{_V1}/proposals/{{number}}"
_PROPOSALS = (
    Permit("GET", f"{_V1}/proposals", _W.LIST, _P.PROPOSAL_READ),
    *_proposing("/projects/{project_id}", _W.PROJECT),
    *_proposing("/groups/{group_id}", _W.GROUP),
    *_proposing("", _W.SERVER),
    Permit("GET", _N, _W.PROPOSAL, _P.PROPOSAL_READ),
    Permit("PUT", _N, _W.PROPOSAL, _P.PROPOSAL_MAKE, "proposal.edit"),
    Permit("POST", f"{_N}/withdraw", _W.PROPOSAL, _P.PROPOSAL_MAKE, "proposal.withdraw"),
    Permit("POST", f"{_N}/approve", _W.PROPOSAL, _P.PROPOSAL_APPROVE, "proposal.approve", person=True),
    Permit("POST", f"{_N}/reject", _W.PROPOSAL, _P.PROPOSAL_APPROVE, "proposal.reject", person=True),
    Permit("POST", f"{_N}/break-glass", _W.PROPOSAL, _P.GLASS_BREAK, "proposal.break-glass", person=True),
    Permit("POST", f"{_N}/review", _W.PROPOSAL, _P.PROPOSAL_APPROVE, "proposal.review", person=True),
)

_S = f"{_V1}/scans/{{scan_id}}"
_SCANS = (
    Permit("POST", f"{_S}/cancel", _W.SCAN, _P.SCAN_SUBMIT, "scan.cancel"),
    Permit("POST", f"{_S}/rescan", _W.SCAN, _P.SCAN_SUBMIT, "scan.rescan"),
    Permit("POST", f"{_S}/rejudge", _W.SCAN, _P.SCAN_SUBMIT, "scan.rejudge-ask"),
    Permit("GET", f"{_S}/rejudge", _W.SCAN, _P.SCAN_READ),
    Permit("GET", f"{_S}/steps", _W.SCAN, _P.SCAN_READ),
    Permit("GET", f"{_S}/earlier", _W.SCAN, _P.SCAN_READ),
    Permit("GET", f"{_S}/compare", _W.SCAN, _P.REPORT_READ),
    Permit("POST", f"{_S}/rerun", _W.SCAN, _P.SCAN_SUBMIT, "scan.rerun"),
    Permit("DELETE", _S, _W.SCAN, _P.SCAN_DELETE, "scan.delete"),
    Permit("GET", f"{_S}/recordings", _W.SCAN, _P.SAMPLE_READ),
    Permit("GET", f"{_S}/recordings/{{digest}}", _W.SCAN, _P.SAMPLE_READ, "recording.fetch"),
    Permit("GET", f"{_S}/recorded", _W.SCAN, _P.SAMPLE_READ),
    Permit("GET", f"{_S}/dropped", _W.SCAN, _P.SAMPLE_READ),
    Permit("GET", f"{_S}/dropped/{{digest}}", _W.SCAN, _P.SAMPLE_READ, "sample.fetch"),
    # a bundle holds the recordings
    Permit("POST", f"{_S}/bundle", _W.SCAN, _P.SAMPLE_READ),
    Permit("GET", f"{_S}/bundle", _W.SCAN, _P.SAMPLE_READ, "scan.fetch-bundle"),
    Permit("GET", f"{_S}/bundle/state", _W.SCAN, _P.REPORT_READ),
    Permit("POST", f"{_S}/holds", _W.SCAN, _P.HOLD_MANAGE, "hold.add"),
    Permit("POST", f"{_V1}/projects/{{project_id}}/holds", _W.PROJECT, _P.HOLD_MANAGE, "hold.add"),
    Permit("GET", f"{_V1}/holds", _W.LIST, _P.SCAN_READ),
    Permit("DELETE", f"{_V1}/holds/{{hold}}", _W.HOLD, _P.HOLD_MANAGE, "hold.remove"),
    Permit("GET", f"{_V1}/dead-letters", _W.LIST, _P.SCAN_READ),
)

PERMITS: tuple[Permit, ...] = (
    Permit("POST", "/monitor/project/{manager}", _W.TARGET, _P.SCAN_SUBMIT, stream=True),
    Permit("GET", "/", _W.SCAN, _P.REPORT_READ),
    Permit("POST", f"{_V1}/scans", _W.TARGET, _P.SCAN_SUBMIT, stream=True),
    Permit("GET", f"{_V1}/scans", _W.LIST, _P.SCAN_READ),
    Permit("GET", f"{_V1}/scans/{{scan_id}}", _W.SCAN, _P.SCAN_READ),
    Permit("GET", f"{_V1}/scans/{{scan_id}}/report", _W.SCAN, _P.REPORT_READ),
    Permit("GET", f"{_V1}/scans/{{scan_id}}/events", _W.SCAN, _P.SCAN_READ),
    *_SCANS,
    Permit("GET", f"{_V1}/rules", _W.TARGET, _P.POLICY_READ),
    Permit("GET", f"{_V1}/rules/explain", _W.TARGET, _P.POLICY_READ),
    Permit("GET", f"{_V1}/rules/fields", _W.ACCOUNT, None),
    Permit("POST", f"{_V1}/rules/try", _W.TARGET, _P.SAMPLE_READ),
    Permit("GET", f"{_V1}/rule-sets", _W.LIST, _P.POLICY_READ),
    Permit("GET", f"{_V1}/rule-sets/{{scope}}/{{name}}", _W.SCOPE, _P.POLICY_READ),
    Permit("POST", f"{_V1}/rules/check", _W.ACCOUNT, None),
    Permit("POST", f"{_V1}/rules/match", _W.ACCOUNT, None),
    Permit("GET", f"{_V1}/simulations", _W.ACCOUNT, None),
    Permit("POST", f"{_V1}/simulations/{{name}}", _W.TARGET, _P.SCAN_SUBMIT),
    Permit("GET", f"{_V1}/workers", _W.SERVER, _P.WORKER_READ),
    Permit("POST", f"{_V1}/workers/drain", _W.SERVER, _P.WORKER_MANAGE, "worker.drain"),
    Permit("POST", f"{_V1}/workers/resume", _W.SERVER, _P.WORKER_MANAGE, "worker.resume"),
    Permit("GET", f"{_V1}/queue", _W.SERVER, _P.WORKER_READ),
    Permit("GET", f"{_V1}/gate", _W.TARGET, _P.GATE_READ),
    Permit("GET", f"{_V1}/gate/answers", _W.TARGET, _P.GATE_READ),
    Permit("POST", f"{_V1}/gate/fetches", _W.TARGET, _P.SCAN_SUBMIT),
    Permit("GET", f"{_V1}/repositories", _W.SERVER, _P.REPOSITORY_MANAGE),
    Permit("POST", f"{_V1}/repositories", _W.SERVER, _P.REPOSITORY_MANAGE, "repository.set"),
    Permit("DELETE", f"{_V1}/repositories", _W.SERVER, _P.REPOSITORY_MANAGE, "repository.remove"),
    Permit("GET", f"{_V1}/who-has", _W.LIST, _P.INVENTORY_READ),
    Permit("GET", f"{_V1}/packages/{{purl:path}}", _W.LIST, _P.INVENTORY_READ),
    Permit("GET", f"{_V1}/behaviours", _W.LIST, _P.FINDING_READ),
    Permit("POST", f"{_V1}/sboms", _W.TARGET, _P.INVENTORY_SUBMIT, "sbom.add", stream=True),
    Permit("GET", f"{_V1}/findings", _W.LIST, _P.FINDING_READ),
    Permit("POST", f"{_V1}/findings/preview", _W.MEANT, _P.FINDING_TRIAGE),
    Permit("POST", f"{_V1}/findings/state", _W.MEANT, _P.FINDING_TRIAGE, "finding.state"),
    Permit("GET", f"{_V1}/findings/{{finding_id}}", _W.FINDING, _P.FINDING_READ),
    Permit("PUT", f"{_V1}/findings/{{finding_id}}/state", _W.FINDING, _P.FINDING_TRIAGE, "finding.state"),
    Permit("PUT", f"{_V1}/findings/{{finding_id}}/claim", _W.FINDING, _P.FINDING_TRIAGE, "finding.claim"),
    Permit("DELETE", f"{_V1}/findings/{{finding_id}}/claim", _W.FINDING, _P.FINDING_TRIAGE, "finding.claim"),
    Permit("GET", f"{_V1}/findings/{{finding_id}}/evidence", _W.FINDING, _P.REPORT_READ),
    Permit("GET", f"{_V1}/findings/{{finding_id}}/history", _W.FINDING, _P.FINDING_READ),
    Permit("GET", f"{_V1}/findings/{{finding_id}}/notes", _W.FINDING, _P.FINDING_READ),
    Permit("POST", f"{_V1}/findings/{{finding_id}}/notes", _W.FINDING, _P.FINDING_COMMENT, "finding.note"),
    Permit("GET", f"{_V1}/policies", _W.LIST, _P.POLICY_READ),
    Permit("POST", f"{_V1}/policies/check", _W.ACCOUNT, None),
    Permit("GET", f"{_V1}/policies/{{scope}}", _W.SCOPE, _P.POLICY_READ),
    Permit("GET", f"{_V1}/projects/{{project_id}}/policy", _W.PROJECT, _P.POLICY_READ),
    Permit("GET", f"{_V1}/health", _W.OPEN, None),
    Permit("GET", f"{_V1}/openapi.json", _W.OPEN, None),
    Permit("GET", "/metrics", _W.SERVER, _P.METRICS_READ),
    Permit("GET", f"{_V1}/drill", _W.SERVER, _P.DRILL_READ),
    Permit("POST", f"{_V1}/drill", _W.SERVER, _P.DRILL_RUN, "drill.run"),
    Permit("GET", f"{_V1}/me", _W.ACCOUNT, None),
    Permit("POST", f"{_V1}/session", _W.OPEN, None),
    Permit("GET", f"{_V1}/session", _W.PERSON, None),
    Permit("DELETE", f"{_V1}/session", _W.PERSON, None, "session.end"),
    Permit("POST", f"{_V1}/session/confirm", _W.PERSON, None, "session.confirm"),
    Permit("GET", f"{_V1}/sessions", _W.PERSON, None),
    Permit("DELETE", f"{_V1}/sessions", _W.PERSON, None, "session.end"),
    Permit("DELETE", f"{_V1}/sessions/{{session_id}}", _W.PERSON, None, "session.end"),
    Permit("POST", f"{_V1}/session/confirm/{{provider}}", _W.PERSON, None),
    Permit("GET", f"{_V1}/oidc", _W.OPEN, None),
    Permit("GET", f"{_V1}/oidc/callback", _W.OPEN, None, any_query=True),
    Permit("GET", f"{_V1}/oidc/{{provider}}/login", _W.OPEN, None),
    Permit("POST", f"{_V1}/job-token", _W.OPEN, None),
    Permit("POST", f"{_V1}/invitation", _W.OPEN, None),
    Permit("POST", f"{_V1}/me/password", _W.PERSON, None, "user.password"),
    Permit("POST", f"{_V1}/me/totp", _W.PERSON, None),
    Permit("POST", f"{_V1}/me/totp/confirm", _W.PERSON, None, "totp.add"),
    Permit("POST", f"{_V1}/me/totp/codes", _W.PERSON, None, "totp.recovery"),
    Permit("POST", f"{_V1}/me/totp/remove", _W.PERSON, None, "totp.remove"),
    Permit("GET", f"{_V1}/me/identities", _W.PERSON, None),
    Permit("POST", f"{_V1}/me/identities/{{provider}}", _W.PERSON, None),
    Permit("DELETE", f"{_V1}/me/identities/{{provider}}", _W.PERSON, None, "link.remove"),
    Permit("GET", f"{_V1}/me/tokens", _W.PERSON, None),
    Permit("POST", f"{_V1}/me/tokens", _W.PERSON, None, "token.add"),
    Permit("DELETE", f"{_V1}/me/tokens", _W.PERSON, None, "token.revoke"),
    Permit("GET", f"{_V1}/me/views", _W.PERSON, None),
    Permit("PUT", f"{_V1}/me/views", _W.PERSON, None),
    Permit("DELETE", f"{_V1}/me/views", _W.PERSON, None),
    Permit("GET", f"{_V1}/overview", _W.ACCOUNT, None),
    Permit("GET", f"{_V1}/projects", _W.LIST, _P.PROJECT_READ),
    Permit("POST", f"{_V1}/projects", _W.SERVER, _P.PROJECT_CREATE, "project.add"),
    Permit("GET", f"{_V1}/projects/{{project_id}}", _W.PROJECT, _P.PROJECT_READ),
    Permit("GET", f"{_V1}/projects/{{project_id}}/members", _W.PROJECT, _P.MEMBER_READ),
    Permit("POST", f"{_V1}/projects/{{project_id}}/members", _W.PROJECT, _P.MEMBER_MANAGE, "member.add"),
    Permit("DELETE", f"{_V1}/projects/{{project_id}}/members", _W.PROJECT, _P.MEMBER_MANAGE, "member.remove"),
    Permit("GET", f"{_V1}/groups", _W.LIST, _P.PROJECT_READ),
    Permit("POST", f"{_V1}/groups", _W.SERVER, _P.GROUP_CREATE, "group.add"),
    Permit("GET", f"{_V1}/groups/{{group_id}}/members", _W.GROUP, _P.MEMBER_READ),
    Permit("POST", f"{_V1}/groups/{{group_id}}/members", _W.GROUP, _P.MEMBER_MANAGE, "member.add"),
    Permit("DELETE", f"{_V1}/groups/{{group_id}}/members", _W.GROUP, _P.MEMBER_MANAGE, "member.remove"),
    Permit("GET", f"{_V1}/members", _W.SERVER, _P.ROLE_READ),
    Permit("POST", f"{_V1}/members", _W.SERVER, _P.ROLE_MANAGE, "member.add"),
    Permit("DELETE", f"{_V1}/members", _W.SERVER, _P.ROLE_MANAGE, "member.remove"),
    Permit("GET", f"{_V1}/users", _W.SERVER, _P.USER_READ),
    Permit("POST", f"{_V1}/users", _W.SERVER, _P.USER_MANAGE, "user.add"),
    Permit("DELETE", f"{_V1}/users", _W.SERVER, _P.USER_MANAGE, "user.remove"),
    Permit("POST", f"{_V1}/users/invitations", _W.SERVER, _P.USER_MANAGE, "user.invite", secret=True),
    Permit("DELETE", f"{_V1}/users/totp", _W.SERVER, _P.USER_MANAGE, "totp.remove"),
    Permit("DELETE", f"{_V1}/users/lock", _W.SERVER, _P.USER_MANAGE, "user.unlock"),
    Permit("DELETE", f"{_V1}/users/sessions", _W.SERVER, _P.USER_MANAGE, "session.end"),
    Permit("GET", f"{_V1}/tokens", _W.SERVER, _P.TOKEN_READ),
    Permit("POST", f"{_V1}/tokens", _W.SERVER, _P.TOKEN_MANAGE, "token.add", secret=True),
    Permit("DELETE", f"{_V1}/tokens", _W.SERVER, _P.TOKEN_MANAGE, "token.revoke"),
    Permit("GET", f"{_V1}/identity/providers", _W.SERVER, _P.IDENTITY_READ),
    Permit("POST", f"{_V1}/identity/providers", _W.SERVER, _P.IDENTITY_MANAGE, "provider.add"),
    Permit("DELETE", f"{_V1}/identity/providers", _W.SERVER, _P.IDENTITY_MANAGE, "provider.remove"),
    Permit("GET", f"{_V1}/identity/mappings", _W.SERVER, _P.IDENTITY_READ),
    Permit("GET", f"{_V1}/identity/ci-rules", _W.SERVER, _P.IDENTITY_READ),
    Permit("POST", f"{_V1}/identity/ci-rules", _W.SERVER, _P.IDENTITY_MANAGE, "ci-rule.add"),
    Permit("DELETE", f"{_V1}/identity/ci-rules", _W.SERVER, _P.IDENTITY_MANAGE, "ci-rule.remove"),
    Permit("GET", f"{_V1}/history", _W.SERVER, _P.HISTORY_READ),
    Permit("GET", f"{_V1}/history/chain", _W.SERVER, _P.HISTORY_READ),
    *_notices("/projects/{project_id}", _W.PROJECT),
    *_notices("/groups/{group_id}", _W.GROUP),
    *_notices("", _W.SERVER),
    *_PROPOSALS,
)
"""Of the API. Pages have rows of their own, `page_permits.PAGES`."""
_ALL = (*PERMITS, *PAGES)


def _pattern(path: str) -> str:
    """Of paths as FastAPI has them; ``{name:path}`` holds any number of parts."""
    return re.sub(r"\\{\w+(:path)?\\}", lambda hit: ".+" if hit[1] else "[^/]+", re.escape(path))


def _any_of(paths: set[str]) -> re.Pattern[str]:
    return re.compile("|".join(_pattern(path) for path in sorted(paths)))


_OPEN = frozenset((permit.method, permit.path) for permit in _ALL if permit.where is Where.OPEN)
_OPEN_PATTERNS = tuple((method, _any_of({path})) for method, path in _OPEN if "{" in path)
_PAGES = _any_of({permit.path for permit in PAGES})
_PAGE_ROOTS = frozenset(permit.path.split("/")[1] for permit in PAGES) - {"", "api"}


def is_open(method: str, path: str) -> bool:
    """Whether nobody is asked who he is."""
    asked = "GET" if method == "HEAD" else method
    if (asked, path) in _OPEN:
        return True
    return any(asked == one and pattern.fullmatch(path) for one, pattern in _OPEN_PATTERNS)


def is_page(path: str) -> bool:
    """Whether a page for people is there: it is answered as one, whatever the answer."""
    return _PAGES.fullmatch(path) is not None


def is_among_pages(path: str) -> bool:
    """Whether it lies where pages are: a page, or what would be one were it not mistyped (`/people/nobody`)."""
    return is_page(path) or path[1:].partition("/")[0] in _PAGE_ROOTS


BY_ROUTE = {(permit.method, permit.path): permit for permit in _ALL}
