"""What forges say of jobs, and which rules they fit."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.access.job import JobClaims
from package_hunter.errors import UsageError
from package_hunter.identity.jobs import check_rule, fits, forge_id, job_claims, project_of

# as in GitLab's and GitHub's documentation
GITLAB: dict[str, Any] = {
    "iss": "https://gitlab.example",
    "sub": "project_path:web/shop:ref_type:branch:ref:main",
    "project_id": "22",
    "project_path": "web/shop",
    "namespace_id": "72",
    "namespace_path": "web",
    "user_login": "ana",
    "user_email": "ana@web.example",
    "pipeline_source": "push",
    "ref": "main",
    "ref_path": "refs/heads/main",
    "ref_type": "branch",
    "ref_protected": "true",
    "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
    "ci_config_ref_uri": "gitlab.example/web/shop//.gitlab-ci.yml@refs/heads/main",
    "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
}
GITHUB: dict[str, Any] = {
    "iss": "https://actions.example",
    "sub": "repo:web/shop:ref:refs/heads/main",
    "repository": "web/shop",
    "repository_id": "74",
    "repository_owner": "web",
    "actor": "ana",
    "sha": "example-sha",
    "ref": "refs/heads/main",
    "job_workflow_ref": "security/flows/.github/workflows/scan.yml@refs/heads/main",
    "job_workflow_sha": "1" * 40,
}


def test_both_forges_in_the_same_words() -> None:
    assert job_claims("gitlab", GITLAB) == JobClaims(
        "https://gitlab.example",
        "web/shop",
        GITLAB["sha"],
        "refs/heads/main",
        GITLAB["ci_config_ref_uri"],
        GITLAB["ci_config_sha"],
        ("ana@web.example", "ana"),
    )
    assert job_claims("github", GITHUB) == JobClaims(
        "https://actions.example",
        "web/shop",
        None,  # no commit at all
        "refs/heads/main",
        GITHUB["job_workflow_ref"],
        "1" * 40,
        ("ana",),
    )
    assert (forge_id("gitlab", GITLAB), forge_id("github", GITHUB)) == ("22", "74")


@pytest.mark.parametrize("odd", [None, True, "", "x" * 65, 1.5, ["22"]])
def test_numbers_that_are_none(odd: Any) -> None:
    assert forge_id("gitlab", GITLAB | {"project_id": odd}) is None


def test_claims_that_are_no_text_are_not_there() -> None:
    found = job_claims("gitlab", {"iss": "i", "project_path": ["x"], "sha": 7, "ref_path": "x" * 2_000})
    assert found == JobClaims("i", "")


@pytest.mark.parametrize(
    ("conditions", "fit"),
    [
        ({"project_path": ["web/shop"]}, True),
        ({"project_path": ["web/*"]}, True),
        ({"project_path": ["web/*/shop"]}, False),
        ({"project_path": ["*"]}, False),
        ({"project_path": ["**"]}, True),
        ({"project_path": ["we"]}, False),
        ({"project_path": ["web/shop", "ops/**"], "ref_protected": ["true"]}, True),
        ({"project_path": ["web/shop"], "ref_protected": ["false"]}, False),
        ({"project_path": ["web.shop"]}, False),
        ({"environment": ["**"]}, False),
        ({"project_id": ["22"]}, True),
        ({}, False),
    ],
)
def test_rules(conditions: dict[str, list[str]], fit: bool) -> None:
    assert fits(conditions, GITLAB) is fit


def test_claims_are_compared_by_what_they_say() -> None:
    assert fits({"project_id": ["22"], "ref_protected": ["true"]}, {"project_id": 22, "ref_protected": True})
    assert not fits({"project_path": ["web/*"]}, {"project_path": ["web/shop"]})
    assert not fits({"project_path": ["web/shop"]}, {"project_path": "web/shop\n"})


def test_the_project_by_its_claims() -> None:
    assert project_of("forge/{project_path}", GITLAB) == "forge/web/shop"
    assert project_of("shop", GITLAB) == "shop"
    assert project_of("forge/{nothing}", GITLAB) is None


@pytest.mark.parametrize(
    ("conditions", "project"),
    [
        ({}, "p"),
        ({"ref_protected": ["true"]}, "p"),
        ({"repository": ["*/shop"]}, "p"),
        ({"repository": ["**"]}, "p"),
        ({"repository_owner": ["web", "*"]}, "p"),
        ({"sub": ["repo:*"]}, "p"),  # anybody's repository
        ({"job_workflow_ref": ["security/flows/**"]}, "p"),  # anybody may call a public workflow
        ({"repository": ["web/shop"], "a b": ["x"]}, "p"),
        ({"repository": ["web/shop"]}, "p/{x"),
        ({"repository": ["web/shop"], "ref": []}, "p"),
    ],
)
def test_rules_that_would_let_strangers_in(conditions: dict[str, list[str]], project: str) -> None:
    with pytest.raises(UsageError):
        check_rule("github", conditions, project)


def test_rules_that_are_good() -> None:
    check_rule("github", {"repository_owner": ["web"], "ref": ["refs/heads/*"]}, "{repository}")
    check_rule("gitlab", {"namespace_path": ["web/**", "ops"]}, "forge/{project_path}")
