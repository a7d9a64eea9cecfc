"""GitHub's part of `setup`: workflows and a ruleset.

Forms: GitHub, "Reusing workflows", "OpenID Connect", "REST API endpoints for rules" (repository rulesets).
"""

from __future__ import annotations

import json

from package_hunter.governance.gate.setup import Wish, policy
from package_hunter.governance.gate.statuses import NAME

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"  # v5.0.0


def github(wish: Wish) -> dict[str, str]:
    """Files by name."""
    definition = f"{wish.home}/.github/workflows/hunter.yml"
    return {
        ".github/workflows/hunter.yml": _github_reusable(wish),
        "caller/.github/workflows/package-hunter.yml": _github_caller(wish),
        "ruleset.json": _github_ruleset(wish),
        "package-hunter-policy.toml": policy("https://token.actions.githubusercontent.com", definition, wish),
        "README.md": _github_readme(wish),
    }


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
