"""A CI runner's own files, and the message of the job that its worker process holds in memory: there every secret of
the job stands in the clear, each as ``"NAME":{"value":"...","isSecret":true}``.

Forms: the runner's source (Runner.Common/ConfigurationStore.cs, Runner.Worker), actions/checkout's credential files.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid

from package_hunter.decoy.forge import BASE62, Forge, aws_pair, checked_token, random_text
from package_hunter.model.box import RUNNER_HOME, RUNNER_JOB

_MEMORY = "memory:Runner.Worker"
_KIND = "ci-job-secret"
_TEMP = f"{RUNNER_HOME}/_work/_temp"


def make(forge: Forge) -> None:
    """Of a job on a hosted code host's runner."""
    if forge.world != "github":
        return
    _job(forge)
    _own_files(forge)
    _checkout(forge)


def _job(forge: Forge) -> None:
    key, secret = aws_pair()
    held = {
        "system.github.token": forge.canary("github-token", _MEMORY, checked_token("ghs_"), ("github",)),
        "github_token": forge.canary("github-token", _MEMORY, checked_token("ghs_"), ("github",)),
        "NPM_PUBLISH_TOKEN": forge.canary("npm-token", _MEMORY, checked_token("npm_")),
        "DEPLOY_AWS_ACCESS_KEY_ID": forge.canary("aws-key-id", _MEMORY, key, ("aws",)),
        "DEPLOY_AWS_SECRET_ACCESS_KEY": forge.canary("aws-secret", _MEMORY, secret),
        "SIGNING_PASSPHRASE": forge.canary(_KIND, _MEMORY, random_text(32)),
    }
    variables = {
        "system.phaseDisplayName": {"value": "build"},
        **{name: {"value": value, "isSecret": True} for name, value in held.items()},
    }
    message = {
        "messageType": "PipelineAgentJobRequest",
        "jobId": str(uuid.uuid4()),
        "jobDisplayName": "build",
        "mask": [{"type": "regex", "value": value} for value in held.values()],
        "variables": variables,
    }
    forge.file(RUNNER_JOB, json.dumps(message, separators=(",", ":")), 0o600, days=0)


def _own_files(forge: Forge) -> None:
    """By which it says to the code host who it is."""
    runner = {
        "agentId": 214,
        "agentName": "runner-7",
        "poolId": 1,
        "poolName": "Default",
        "workFolder": "_work",
    }
    forge.file(f"{RUNNER_HOME}/.runner", json.dumps(runner, indent=2))
    client = {
        "scheme": "OAuth",
        "data": {
            "clientId": str(uuid.uuid4()),
            "authorizationUrl": "https://vstoken.actions.githubusercontent.com/_apis/oauth2/token/"
            + str(uuid.uuid4()),
            "requireFipsCryptography": "True",
        },
    }
    forge.file(f"{RUNNER_HOME}/.credentials", json.dumps(client, indent=2), 0o600)
    path = f"{RUNNER_HOME}/.credentials_rsaparams"
    private = base64.b64encode(secrets.token_bytes(256)).decode()
    key = {
        "d": forge.canary("runner-key", path, private),
        "exponent": "AQAB",
        "modulus": base64.b64encode(secrets.token_bytes(256)).decode(),
    }
    forge.file(path, json.dumps(key, indent=2), 0o600)
    path = f"{RUNNER_HOME}/.env"
    cache = forge.canary(_KIND, path, random_text(32, BASE62 + "-_"))
    forge.file(path, f"LANG=en_US.UTF-8\nACTIONS_CACHE_SERVICE_TOKEN={cache}\n", 0o600)


def _checkout(forge: Forge) -> None:
    path = f"{_TEMP}/git-credentials-{uuid.uuid4()}.config"
    token = checked_token("ghs_")
    header = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    value = forge.canary("git-header", path, header)
    forge.canary("github-token", "memory:git", token, ("github",))  # what the header is when it is unpacked
    forge.file(
        path, f'[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic {value}\n', 0o600, days=0
    )
    for name in ("set_env", "add_path", "set_output", "step_summary"):
        place = f"{_TEMP}/_runner_file_commands/{name}_{uuid.uuid4()}"
        forge.file(place, "", days=0)
        variable = {
            "set_env": "ENV",
            "add_path": "PATH",
            "set_output": "OUTPUT",
            "step_summary": "STEP_SUMMARY",
        }
        forge.env[f"GITHUB_{variable[name]}"] = place
    forge.env.update(RUNNER_TEMP=_TEMP, RUNNER_NAME="runner-7", RUNNER_ENVIRONMENT="github-hosted")
    forge.env["RUNNER_WORKSPACE"] = f"{RUNNER_HOME}/_work/storefront"
