"""What a forge needs so that the gate decides there: files to be looked at, changed and committed by people.

Forms: GitLab, "Merge request approval policies", "Pipeline execution policies", "CI/CD components", "ID tokens";
GitHub, "Reusing workflows", "OpenID Connect", "REST API endpoints for rules" (repository rulesets). Every value that is
put in is checked, and written as JSON, which is YAML, too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from package_hunter.errors import UsageError
from package_hunter.governance.gate.statuses import NAME

_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_WORD = re.compile(r"[A-Za-z0-9_.:/@-]{1,255}")
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"  # v5.0.0


@dataclass(frozen=True, slots=True)
class Wish:
    """``server``: the hunter's URL; ``home``: security's project at the forge (``security/ci``); ``ref``: the branch
    of it
    that holds the definition; ``image``: with package-hunter in it; ``approvers``: the group that looks at what is to
    be
    reviewed (GitLab); ``app``: the number of the GitHub App that tells (0: any)."""

    server: str
    home: str
    ref: str = "main"
    image: str = "registry.example/security/package-hunter@sha256:DIGEST"
    approvers: str = "security"
    app: int = 0

    def check(self) -> Wish:
        """Itself; UsageError."""
        address = urlsplit(self.server)
        if address.scheme != "https" or not address.hostname or not _WORD.fullmatch(self.server):
            raise UsageError("The server's address must be https.", "It looks like https://hunter.example.")
        if not _PATH.fullmatch(self.home):
            raise UsageError(f"{self.home!r} is no project at a forge.", "It looks like security/ci.")
        for name in ("ref", "image", "approvers"):
            if not _WORD.fullmatch(getattr(self, name)):
                raise UsageError(
                    f"{name} holds what cannot be in one.", "Use letters, digits and . _ : / @ -."
                )
        return self


def gitlab(wish: Wish) -> dict[str, str]:
    """Files by name."""
    definition = f"gitlab.example/{wish.home}//hunter.yml"
    return {
        "templates/hunter-gate.yml": _gitlab_component(wish),
        "hunter.yml": _gitlab_job(wish),
        ".gitlab/security-policies/policy.yml": _gitlab_policy(wish),
        "package-hunter-policy.toml": _policy("https://gitlab.example", definition, wish),
        "README.md": _gitlab_readme(wish),
    }


def github(wish: Wish) -> dict[str, str]:
    """Files by name."""
    definition = f"{wish.home}/.github/workflows/hunter.yml"
    return {
        ".github/workflows/hunter.yml": _github_reusable(wish),
        "caller/.github/workflows/package-hunter.yml": _github_caller(wish),
        "ruleset.json": _github_ruleset(wish),
        "package-hunter-policy.toml": _policy(
            "https://token.actions.githubusercontent.com", definition, wish
        ),
        "README.md": _github_readme(wish),
    }


def _policy(issuer: str, definition: str, wish: Wish) -> str:
    return f"""\
# For package-hunter proposals make policy: whose jobs count, and that merge requests need a scan.
# The issuer is the forge's own address: put yours in.
[[pipeline]]
issuer = {json.dumps(issuer)}
definition = {json.dumps(f"{definition}@refs/heads/{wish.ref}")}

[[require]]
scan = "merge_request"
projects = ["*"]
"""


_ASK = (
    'package-hunter gate ask --fetch --wait 1800 --project "$HUNTER_PROJECT" --commit "$HUNTER_COMMIT" '
    '--ref "$HUNTER_REF"'
)


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


def _github_reusable(wish: Wish) -> str:
    return f"""\
# Called by every repository. What it does is defined here, at this ref, and the job's token says so (job_workflow_ref).
name: Package Hunter
on:
  workflow_call:
    inputs:
      project:
        description: The project's path on the Package Hunter server.
        type: string
        required: false
        default: ${{{{ github.repository }}}}
permissions: {{}}
jobs:
  scan:
    name: scan
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
    container:
      image: {json.dumps(wish.image)}
    steps:
      - uses: {CHECKOUT} # v5.0.0
        with:
          ref: ${{{{ github.sha }}}}
          persist-credentials: false
      - name: Scan, and ask the gate
        shell: sh
        env:
          PACKAGE_HUNTER_SERVER: {json.dumps(wish.server)}
          AUDIENCE: {json.dumps(wish.server)}
          HUNTER_PROJECT: ${{{{ inputs.project }}}}
          HUNTER_COMMIT: ${{{{ github.sha }}}}
          HUNTER_REF: ${{{{ github.ref }}}}
        run: |
          PACKAGE_HUNTER_ID_TOKEN=$(python3 -I -c '
          import json, os, urllib.request
          ask = urllib.request.Request(
              os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=" + os.environ["AUDIENCE"],
              headers={{"Authorization": "bearer " + os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}})
          print(json.load(urllib.request.urlopen(ask))["value"])')
          export PACKAGE_HUNTER_ID_TOKEN
          package-hunter scan . --commit "$HUNTER_COMMIT" --ref "$HUNTER_REF" --exit-zero
          package-hunter gate ask --wait 1800 --project "$HUNTER_PROJECT" --commit "$HUNTER_COMMIT"
"""


def _github_caller(wish: Wish) -> str:
    return f"""\
# In each repository. On push: there the job's token names the commit itself (of a pull request it names a merge).
name: Package Hunter
on:
  push:
permissions: {{}}
jobs:
  package-hunter:
    permissions:
      contents: read
      id-token: write
    uses: {wish.home}/.github/workflows/hunter.yml@refs/heads/{wish.ref}
"""


def _github_ruleset(wish: Wish) -> str:
    check: dict[str, object] = {"context": NAME}
    if wish.app:
        check["integration_id"] = wish.app
    ruleset = {
        "name": "Package Hunter",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": 1,
                    "dismiss_stale_reviews_on_push": True,
                    "require_code_owner_review": False,
                    "require_last_push_approval": True,
                    "required_review_thread_resolution": False,
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": True,
                    "required_status_checks": [check],
                },
            },
        ],
    }
    return json.dumps(ruleset, indent=2) + "\n"


def _github_readme(wish: Wish) -> str:
    which = f"`{NAME}`" + (f" of the app {wish.app}" if wish.app else "")
    return f"""\
# Package Hunter's gate on GitHub

1. Make a GitHub App with the permission *Checks: write* (and *Contents: read*, for the server to fetch), install it,
and
   name it in the server's file of forges (docs/gate.md). Give its number here (`--app`): then nobody else's check of
   that
   name counts.
2. Commit `.github/workflows/hunter.yml` to `{wish.home}`, which security alone may change; in each repository
   `caller/.github/workflows/package-hunter.yml`.
3. `gh api --method POST /repos/OWNER/NAME/rulesets --input ruleset.json` (or /orgs/ORG/rulesets, with a
`repository_name`
   condition): the check {which} must pass.
4. `package-hunter gate repository --project web/shop https://github.example/OWNER/NAME.git --external OWNER/NAME`.
5. Let the jobs in, without a stored secret: package-hunter's rules for CI jobs, with the audience `{wish.server}`.
6. `package-hunter proposals make policy package-hunter-policy.toml --as YOU --why "the gate"`, and have it approved.

Where the server can reach the repositories, `package-hunter gate ask --fetch` in any job does as well: what the server
fetches itself counts, whoever asked for it.
"""
