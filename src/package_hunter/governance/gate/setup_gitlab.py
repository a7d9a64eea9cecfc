"""GitLab's part of `setup`: policies, the pipeline that they put in, a component.

Forms: GitLab, "Merge request approval policies", "Pipeline execution policies", "CI/CD components", "ID tokens".
"""

from __future__ import annotations

import json

from package_hunter.governance.gate.setup import Wish, policy
from package_hunter.governance.gate.statuses import NAME

_ASK = (
    'package-hunter gate ask --fetch --wait 1800 --project "$HUNTER_PROJECT" --commit "$HUNTER_COMMIT" '
    '--ref "$HUNTER_REF"'
)


def gitlab(wish: Wish) -> dict[str, str]:
    """Files by name."""
    definition = f"gitlab.example/{wish.home}//hunter.yml"
    return {
        "templates/hunter-gate.yml": _gitlab_component(wish),
        "hunter.yml": _gitlab_job(wish),
        ".gitlab/security-policies/policy.yml": _gitlab_policy(wish),
        "package-hunter-policy.toml": policy("https://gitlab.example", definition, wish),
        "README.md": _gitlab_readme(wish),
    }


def _gitlab_component(wish: Wish) -> str:
    return f"""\
# A CI/CD component: the job asks the gate, which fetches the commit itself. It holds no secret and is believed nothing.
spec:
  inputs:
    project:
      description: The project's path on the Package Hunter server.
      default: $CI_PROJECT_PATH
    stage:
      default: .pre
---
package-hunter-gate:
  stage: "$[[ inputs.stage ]]"
{_gitlab_body(wish, "$[[ inputs.project ]]")}"""


def _gitlab_job(wish: Wish) -> str:
    return f"""\
# What the pipeline execution policy puts into every project's pipeline. Only {wish.home} can change it.
package-hunter-gate:
  stage: .pipeline-policy-pre
{_gitlab_body(wish, "$CI_PROJECT_PATH")}"""


def _gitlab_body(wish: Wish, project: str) -> str:
    return f"""\
  image: {json.dumps(wish.image)}
  needs: []
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  id_tokens:
    PACKAGE_HUNTER_ID_TOKEN:
      aud: {json.dumps(wish.server)}
  variables:
    GIT_STRATEGY: none
    PACKAGE_HUNTER_SERVER: {json.dumps(wish.server)}
    HUNTER_PROJECT: "{project}"
    HUNTER_COMMIT: $CI_COMMIT_SHA
    HUNTER_REF: $CI_COMMIT_REF_NAME
  script:
    - |
      set -- --merge-request "${{CI_MERGE_REQUEST_IID:-}}"
      [ -n "${{CI_MERGE_REQUEST_IID:-}}" ] || set --
      {_ASK} "$@"
"""


def _gitlab_policy(wish: Wish) -> str:
    return f"""\
# In the security policy project that is linked to your groups.
pipeline_execution_policy:
  - name: Package Hunter asks the gate
    description: Every pipeline asks the gate of {wish.server} first.
    enabled: true
    pipeline_config_strategy: inject_policy
    content:
      include:
        - project: {json.dumps(wish.home)}
          file: hunter.yml
          ref: {json.dumps(wish.ref)}
    skip_ci:
      allowed: false
approval_policy:
  - name: Package Hunter findings need security
    description: What Package Hunter found anew needs an approval; where its scan is missing, too.
    enabled: true
    rules:
      - type: scan_finding
        branch_type: protected
        scanners:
          - dependency_scanning
        vulnerabilities_allowed: 0
        severity_levels:
          - critical
          - high
          - medium
        vulnerability_states:
          - new_needs_triage
          - new_dismissed
    actions:
      - type: require_approval
        approvals_required: 1
        group_approvers:
          - {json.dumps(wish.approvers)}
      - type: send_bot_message
        enabled: true
    approval_settings:
      block_branch_modification: true
      prevent_pushing_and_force_pushing: true
      prevent_approval_by_author: true
      prevent_approval_by_commit_author: true
      remove_approvals_with_new_commit: true
    fallback_behavior:
      fail: closed
"""


def _gitlab_readme(wish: Wish) -> str:
    return f"""\
# Package Hunter's gate on GitLab

1. Commit `hunter.yml` and `templates/hunter-gate.yml` to `{wish.home}`, which security alone may change.
2. Commit `.gitlab/security-policies/policy.yml` to the security policy project of your groups (Ultimate). Without it,
   include the component in each project, and ask for its job in the merge checks ("Pipelines must succeed").
3. Make an external status check in each project (Settings, Merge requests; Ultimate), and tell the server of it:
   `package-hunter gate repository --project web/shop https://gitlab.example/web/shop.git --external web/shop
   --status-check NUMBER`. Turn on "Status checks must succeed". Without Ultimate, leave the number out: the gate is
   told
   as a commit status named `{NAME}`.
4. Let the jobs in, without a stored secret: package-hunter's rules for CI jobs, with the audience `{wish.server}`.
5. `package-hunter proposals make policy package-hunter-policy.toml --as YOU --why "the gate"`, and have it approved.

The job proves nothing: the server fetches the commit itself. A `[[pipeline]]` is needed only where the server cannot
reach the repository; then the job scans (`package-hunter scan . --commit "$CI_COMMIT_SHA"`), and counts where GitLab's
token names that definition (`ci_config_ref_uri`; look whether your GitLab fills it in where the definition lies in
another project).
"""
