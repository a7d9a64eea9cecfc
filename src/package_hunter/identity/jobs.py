"""CI jobs: what the tokens of GitLab and GitHub say, in one form, and which rule they fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from package_hunter.access.job import JobClaims
from package_hunter.errors import UsageError

KINDS = ("gitlab", "github")
MAX_LIFETIME = 86_400.0
"""Seconds that a forge's token may be good for."""

# claims that bind a job to an owner: without one of them a rule would let in every project of a public forge
BINDING = frozenset(
    {
        *("project_path", "project_id", "namespace_path", "namespace_id"),
        *(
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
            "enterprise",
            "enterprise_id",
        ),
    }
)
_CLAIM = re.compile(r"\{(\w{1,64})\}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MAX_TEXT = 1_000


def job_claims(kind: str, claims: Mapping[str, Any]) -> JobClaims:
    """What the gate and the inventory read. ``kind``: ``gitlab`` or ``github``."""

    def text(name: str) -> str | None:
        value = claims.get(name)
        return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None

    gitlab = kind == "gitlab"
    owners = ("user_email", "user_login") if gitlab else ("actor",)
    sha = text("sha")
    return JobClaims(
        issuer=str(claims["iss"]),
        project=text("project_path" if gitlab else "repository") or "",
        commit=sha if sha is not None and _COMMIT.fullmatch(sha) else None,
        ref=text("ref_path") if gitlab else text("ref"),
        pipeline_definition=text("ci_config_ref_uri" if gitlab else "job_workflow_ref"),
        definition_commit=text("ci_config_sha" if gitlab else "job_workflow_sha"),
        owners=tuple(name for name in map(text, owners) if name is not None),
    )


def forge_id(kind: str, claims: Mapping[str, Any]) -> str | None:
    """The project's number at its forge, which no other project ever gets; None where the token has none."""
    value = claims.get("project_id" if kind == "gitlab" else "repository_id")
    found = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return found if 0 < len(found) <= 64 else None


def fits(conditions: Mapping[str, Sequence[str]], claims: Mapping[str, Any]) -> bool:
    """Whether every condition holds: the claim is there, and like one of the patterns."""
    return bool(conditions) and all(
        any(_like(text, claims.get(claim)) for text in wanted) for claim, wanted in conditions.items()
    )


def _like(text: str, value: Any) -> bool:
    said = _text(value)
    return said is not None and pattern(text).fullmatch(said) is not None


def pattern(text: str) -> re.Pattern[str]:
    """``*`` stands for anything but a slash, ``**`` for anything; all else for itself."""
    made = "".join(
        {"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", text)
    )
    return re.compile(made, re.DOTALL)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def project_of(template: str, claims: Mapping[str, Any]) -> str | None:
    """The path of our project: claims put in for ``{claim}``; None where one is missing."""
    missing = False

    def put(found: re.Match[str]) -> str:
        nonlocal missing
        value = _text(claims.get(found[1]))
        missing = missing or not value
        return value or ""

    made = _CLAIM.sub(put, template)
    return None if missing else made


def check_rule(kind: str, conditions: Mapping[str, Sequence[str]], template: str) -> None:
    """UsageError where a rule would let in strangers, or can never hold."""
    bound = {claim: wanted for claim, wanted in conditions.items() if claim in BINDING}
    if not any(wanted and not any(_is_open(text) for text in wanted) for wanted in bound.values()):
        raise UsageError(
            "The rule does not say whose jobs it is for.",
            "Name a project or an owner: --when project_path=group/project, --when 'repository=owner/*', …",
        )
    for claim, wanted in conditions.items():
        if not re.fullmatch(r"\w{1,64}", claim) or not wanted or max(map(len, wanted)) > _MAX_TEXT:
            raise UsageError(f"{claim[:64]!r} cannot be a condition.", "Give CLAIM=PATTERN.")
    if kind not in KINDS or "{" in _CLAIM.sub("", template) or "}" in _CLAIM.sub("", template):
        raise UsageError(f"{template[:255]!r} is no project.", "Give a path; claims stand in {braces}.")


def _is_open(text: str) -> bool:
    """Whether the pattern's beginning, where the owner stands, is anybody's."""
    return text.startswith("*")
