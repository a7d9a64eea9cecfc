"""What a forge says of a CI job, in its signed token: the same words for GitLab and GitHub."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobClaims:
    """A job's claims, verified: signature, issuer, audience and time were right. What they say is the forge's word, and
    as good as the rule that trusts it.

    ``issuer``: the forge's URL. ``project``: its path there (GitLab's ``project_path``, GitHub's ``repository``).
    ``commit``: 40 or 64 hex digits (``sha``; of a pull request GitHub names the merge commit, not the branch's head).
    ``ref``: in full, ``refs/heads/main``, ``refs/merge-requests/7/head``, ``refs/pull/7/merge``.
    ``pipeline_definition``: which file at which ref defines what the job does (GitLab's ``ci_config_ref_uri``, GitHub's
    ``job_workflow_ref``); ``definition_commit``: the commit that it was read at (``ci_config_sha``,
    ``job_workflow_sha``). ``owners``: who started it, as the forge names them: an e-mail address or a login.
    None, or empty: the token does not say.

    Sources: GitLab, "OpenID Connect (OIDC) authentication using ID tokens"; GitHub, "OpenID Connect reference".
    """

    issuer: str
    project: str
    commit: str | None = None
    ref: str | None = None
    pipeline_definition: str | None = None
    definition_commit: str | None = None
    owners: tuple[str, ...] = ()
