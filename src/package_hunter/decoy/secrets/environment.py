"""The environment: tokens of a CI job, and what a CI system sets around them."""

from __future__ import annotations

import secrets
import uuid

from package_hunter.decoy.forge import Forge, aws_pair, checked_token, jwt, random_text
from package_hunter.decoy.secrets.docker import DOCKER_HOST, DOCKER_USE

IDENTITY_HOST = "pipelinesghubeus7.actions.githubusercontent.com"  # where a job asks for a token of who it is
IDENTITY = f"identity@{IDENTITY_HOST}"


def make(forge: Forge) -> None:
    if not forge.ci:
        return
    forge.env["CI"] = "true"
    forge.variable("NPM_TOKEN", "npm-token", checked_token("npm_"), ("npm-registry",))
    key, secret = aws_pair()
    forge.variable("AWS_ACCESS_KEY_ID", "aws-key-id", key, ("aws",))
    forge.variable("AWS_SECRET_ACCESS_KEY", "aws-secret", secret)
    if forge.world == "gitlab":
        _gitlab(forge)
    else:
        _github(forge)


def _github(forge: Forge) -> None:
    forge.variable("GITHUB_TOKEN", "github-token", checked_token("ghs_"), ("github",))
    _actions(forge)
    forge.env.update(
        GITHUB_ACTIONS="true",
        GITHUB_REPOSITORY="northwind-labs/storefront",
        GITHUB_REPOSITORY_OWNER="northwind-labs",
        GITHUB_ACTOR="dmeyer-dev",
        GITHUB_REF="refs/heads/main",
        GITHUB_REF_NAME="main",
        GITHUB_SHA=secrets.token_hex(20),
        GITHUB_WORKFLOW="ci",
        GITHUB_JOB="build",
        GITHUB_RUN_ID=str(10**10 + secrets.randbelow(10**10)),
        GITHUB_EVENT_NAME="push",
        GITHUB_SERVER_URL="https://github.com",
        GITHUB_API_URL="https://api.github.com",
        RUNNER_OS="Linux",
        RUNNER_ARCH="X64",
    )


def _actions(forge: Forge) -> None:
    """The runner's services, and by what a job asks them: for its identity, its artefacts, its cache."""
    forge.variable(
        "ACTIONS_RUNTIME_TOKEN",
        "actions-token",
        jwt("actions", f"run-{_number()}"),
        ("actions",),
    )
    asks = jwt("actions", f"job-{_number()}")
    forge.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "actions-identity", asks, (IDENTITY,))
    job = f"https://{IDENTITY_HOST}/{secrets.randbelow(200)}//idtoken/{uuid.uuid4()}/{uuid.uuid4()}"
    forge.env.update(
        ACTIONS_ID_TOKEN_REQUEST_URL=f"{job}?api-version=2.0",
        ACTIONS_RUNTIME_URL=f"https://pipelinesghubeus6.actions.githubusercontent.com/{random_text(50)}/",
        ACTIONS_RESULTS_URL="https://results-receiver.actions.githubusercontent.com/",
        ACTIONS_CACHE_URL=f"https://acghubeus2.actions.githubusercontent.com/{random_text(50)}/",
        ACTIONS_CACHE_SERVICE_V2="True",
    )


def _number() -> int:
    """Of a run or a job: always as long, since of one kind all fakes have one form."""
    return 10**9 + secrets.randbelow(9 * 10**9)


def _gitlab(forge: Forge) -> None:
    forge.variable("CI_JOB_TOKEN", "gitlab-token", f"glcbt-64_{random_text(20)}", ("gitlab",))
    forge.variable("CI_DEPLOY_PASSWORD", "gitlab-token", f"gldt-{random_text(20)}", ("gitlab",))
    identity = jwt("https://gitlab.com", "project_path:northwind-labs/storefront:ref_type:branch:ref:main")
    forge.variable("SIGSTORE_ID_TOKEN", "gitlab-identity", identity)
    forge.variable("CI_REGISTRY_PASSWORD", "gitlab-token", f"glcbt-64_{random_text(20)}", (DOCKER_USE,))
    forge.variable(
        "CI_JOB_JWT_V2",
        "gitlab-job-identity",
        jwt("https://gitlab.com", "project_path:northwind-labs/storefront"),
    )
    number = str(10**9 + secrets.randbelow(10**9))
    forge.env.update(
        GITLAB_CI="true",
        CI_REGISTRY=DOCKER_HOST,
        CI_SERVER_HOST="gitlab.com",
        CI_SERVER_URL="https://gitlab.com",
        CI_API_V4_URL="https://gitlab.com/api/v4",
        CI_DEPLOY_USER="gitlab+deploy-token-41",
        CI_PROJECT_ID="51283344",
        CI_PROJECT_PATH="northwind-labs/storefront",
        CI_COMMIT_REF_NAME="main",
        CI_COMMIT_SHA=secrets.token_hex(20),
        CI_JOB_NAME="build",
        CI_JOB_ID=number,
        CI_PIPELINE_SOURCE="push",
    )
