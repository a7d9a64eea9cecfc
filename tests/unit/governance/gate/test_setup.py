"""What `gate setup` writes: YAML, JSON, TOML and shell that hold, with the keys that the forges document."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from package_hunter.errors import UsageError
from package_hunter.governance.gate.setup import Wish
from package_hunter.governance.gate.setup_github import github
from package_hunter.governance.gate.setup_gitlab import gitlab
from package_hunter.policy.load import read_policy

WISH = Wish("https://hunter.example", "security/ci", app=12345).check()
LAB, HUB = gitlab(WISH), github(WISH)
# of GitLab's "Merge request approval policies" and "Pipeline execution policies"
APPROVAL = {"name", "description", "enabled", "rules", "actions", "approval_settings", "fallback_behavior"}
SETTINGS = {
    *("block_branch_modification", "prevent_approval_by_author", "prevent_approval_by_commit_author"),
    *("remove_approvals_with_new_commit", "require_password_to_approve", "prevent_pushing_and_force_pushing"),
}
FINDING = {
    *("type", "branches", "branch_type", "scanners", "vulnerabilities_allowed", "severity_levels"),
    *("vulnerability_states", "vulnerability_attributes", "vulnerability_age"),
}
EXECUTION = {"name", "description", "enabled", "content", "pipeline_config_strategy", "skip_ci", "suffix"}
JOB = {"stage", "image", "needs", "rules", "id_tokens", "variables", "script"}
# of GitHub's "Create a repository ruleset"
RULESET = {"name", "target", "enforcement", "bypass_actors", "conditions", "rules"}
RULES = {"deletion", "non_fast_forward", "pull_request", "required_status_checks"}
WORKFLOW_JOB = {"name", "runs-on", "permissions", "container", "steps", "uses"}


def one(text: str) -> Any:
    return list(yaml.safe_load_all(text))[-1]


def test_gitlabs_policies_have_the_documented_keys() -> None:
    policy = one(LAB[".gitlab/security-policies/policy.yml"])
    assert set(policy) == {"approval_policy", "pipeline_execution_policy"}
    (approval,), (execution,) = policy["approval_policy"], policy["pipeline_execution_policy"]
    assert set(approval) <= APPROVAL
    assert set(approval["approval_settings"]) <= SETTINGS
    assert set(approval["rules"][0]) <= FINDING
    assert approval["fallback_behavior"] == {"fail": "closed"}
    assert approval["actions"][0] == {
        "type": "require_approval",
        "approvals_required": 1,
        "group_approvers": ["security"],
    }
    assert set(execution) <= EXECUTION
    assert execution["content"] == {
        "include": [{"project": "security/ci", "file": "hunter.yml", "ref": "main"}]
    }
    assert execution["skip_ci"] == {"allowed": False}


@pytest.mark.parametrize("name", ["hunter.yml", "templates/hunter-gate.yml"])
def test_gitlabs_job_asks_the_gate_and_has_no_secret(name: str) -> None:
    job = one(LAB[name])["package-hunter-gate"]
    assert set(job) == JOB
    assert job["id_tokens"] == {"PACKAGE_HUNTER_ID_TOKEN": {"aud": "https://hunter.example"}}
    script = "\n".join(job["script"])
    subprocess.run(["sh", "-n"], input=script.encode(), check=True)
    assert "allow_failure" not in job
    assert "--fetch" in script


def test_the_jobs_script_passes_the_merge_request_on() -> None:
    script = "\n".join(one(LAB["hunter.yml"])["package-hunter-gate"]["script"]).replace(
        "package-hunter gate", "echo"
    )
    given = {"HUNTER_PROJECT": "a b", "HUNTER_COMMIT": "c", "HUNTER_REF": "$(id)", "PATH": "/usr/bin:/bin"}
    for extra, last in (({"CI_MERGE_REQUEST_IID": "7"}, "--merge-request 7"), ({}, "--ref $(id)")):
        out = subprocess.run(
            ["sh", "-euc", script], env=given | extra, capture_output=True, text=True, check=True
        )
        assert out.stdout.strip().endswith(last)


def test_githubs_ruleset_has_the_documented_keys() -> None:
    ruleset = json.loads(HUB["ruleset.json"])
    assert set(ruleset) == RULESET
    assert {rule["type"] for rule in ruleset["rules"]} == RULES
    (checks,) = [r["parameters"] for r in ruleset["rules"] if r["type"] == "required_status_checks"]
    assert checks["required_status_checks"] == [{"context": "package-hunter", "integration_id": 12345}]
    assert ruleset["bypass_actors"] == []


def test_githubs_workflows_fit_each_other() -> None:
    reusable = yaml.load(HUB[".github/workflows/hunter.yml"], yaml.BaseLoader)
    caller = yaml.load(HUB["caller/.github/workflows/package-hunter.yml"], yaml.BaseLoader)
    assert set(reusable["on"]) == {"workflow_call"}
    assert set(caller["on"]) == {"push"}
    (job,), (call,) = reusable["jobs"].values(), caller["jobs"].values()
    assert set(job) <= WORKFLOW_JOB
    assert call["uses"] == "security/ci/.github/workflows/hunter.yml@refs/heads/main"
    assert call["permissions"] == job["permissions"] == {"contents": "read", "id-token": "write"}
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in job["steps"] if "uses" in step)
    run = job["steps"][-1]["run"]
    assert "${{" not in run, "values come by the environment, not into the script"
    subprocess.run(["sh", "-n"], input=run.encode(), check=True)


@pytest.mark.parametrize(("files", "uri"), [(LAB, "//hunter.yml"), (HUB, "/.github/workflows/hunter.yml")])
def test_the_policy_is_one_that_the_server_takes(files: dict[str, str], uri: str) -> None:
    policy = read_policy(tomllib.loads(files["package-hunter-policy.toml"]), "it")
    assert policy.pipelines[0].definition.endswith(f"security/ci{uri}@refs/heads/main")
    assert policy.requirements


@pytest.mark.parametrize(
    "wish",
    [
        Wish("http://hunter.example", "security/ci"),
        Wish("https://hunter.example\n  evil: true", "security/ci"),
        Wish("https://hunter.example", "security"),
        Wish("https://hunter.example", "../../x y"),
        Wish("https://hunter.example", "security/ci", ref="main\nx"),
        Wish("https://hunter.example", "security/ci", image='x" # y'),
        Wish("https://hunter.example", "security/ci", approvers="a b"),
    ],
)
def test_what_would_break_out_of_a_file_is_refused(wish: Wish) -> None:
    with pytest.raises(UsageError):
        wish.check()
