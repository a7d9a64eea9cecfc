"""Cloud metadata services of AWS (versions 1 and 2), GCP and Azure, handing out canary credentials.

Paths and forms: the clouds' own documentation (AWS IMDS, GCP metadata server, Azure IMDS).
"""

from __future__ import annotations

import json
import re

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_ADDRESSES = (
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23", "168.63.129.16",
)  # fmt: skip
_NAMES = ("metadata.google.internal", "metadata", "instance-data")
_ROLE = "ci-runner"
_ACCOUNT = "418276530192"
_SERVICE_ACCOUNT = "ci-runner@northwind-prod.iam.gserviceaccount.com"
_INSTANCE = "i-0b22a22eec53b9321"
_DOCUMENT = {
    "accountId": _ACCOUNT, "architecture": "x86_64", "availabilityZone": "eu-central-1a",
    "imageId": "ami-0f7204385566b32d0",
    "instanceId": _INSTANCE, "instanceType": "m6i.large", "privateIp": "10.88.0.2", "region": "eu-central-1",
    "pendingTime": "2026-01-04T05:11:39Z", "version": "2017-09-30",
}  # fmt: skip
_AWS = {
    "meta-data": "ami-id\nhostname\niam/\ninstance-id\ninstance-type\nlocal-ipv4\nplacement/\nservices/",
    "meta-data/ami-id": "ami-0f7204385566b32d0",
    "meta-data/iam": "info\nsecurity-credentials/",
    "meta-data/iam/info": json.dumps(
        {"Code": "Success", "InstanceProfileArn": f"arn:aws:iam::{_ACCOUNT}:instance-profile/{_ROLE}"}
    ),
    "meta-data/instance-id": _INSTANCE,
    "meta-data/instance-type": "m6i.large",
    "meta-data/hostname": "ip-10-88-0-2.eu-central-1.compute.internal",
    "meta-data/local-hostname": "ip-10-88-0-2.eu-central-1.compute.internal",
    "meta-data/local-ipv4": "10.88.0.2",
    "meta-data/placement": "availability-zone\nregion",
    "meta-data/placement/region": "eu-central-1",
    "meta-data/placement/availability-zone": "eu-central-1a",
    "meta-data/services/domain": "amazonaws.com",
    "dynamic/instance-identity/document": json.dumps(_DOCUMENT, indent=2),
    "dynamic/instance-identity": "document\npkcs7\nsignature",
}
_GCP = {
    "project/project-id": "northwind-prod", "project/numeric-project-id": "592013648817",
    "instance/name": "ci-runner-3",
    "instance/hostname": "ci-runner-3.europe-west3-b.c.northwind-prod.internal", "instance/id": "7265419003481276645",
    "instance/zone": "projects/592013648817/zones/europe-west3-b", "instance/tags": "[]",
    "instance/machine-type": "projects/592013648817/machineTypes/e2-standard-4",
    "instance/service-accounts": f"default/\n{_SERVICE_ACCOUNT}/",
    "instance": "hostname\nid\nname\nservice-accounts/\nzone",
    "instance/service-accounts/default": "aliases\nemail\nidentity\nscopes\ntoken",
    "": "instance/\noslogin/\nproject/",
    "instance/service-accounts/default/email": _SERVICE_ACCOUNT,
    "project": "attributes/\nnumeric-project-id\nproject-id",
    "instance/service-accounts/default/scopes": "https://www.googleapis.com/auth/cloud-platform",
    "instance/attributes": "", "project/attributes": "",
}  # fmt: skip
_COMPUTE = {
    "location": "westeurope", "name": "ci-runner-3", "osType": "Linux", "resourceGroupName": "northwind-ci",
    "subscriptionId": "2f0d6c1e-85a4-4d1b-9a27-5c3e8b7f1a90", "vmSize": "Standard_D4s_v5",
    "vmId": "a1f4e0d2-6b3c-4e58-9c71-0d2b8f6a5e34",
}  # fmt: skip


class CloudMetadata:
    """A virtual machine of whichever cloud is asked for."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return ask.peer.address in _ADDRESSES or ask.host in (*_ADDRESSES, *_NAMES)

    def answer(self, ask: Ask) -> Answer | None:
        path = ask.raw_path
        if path.startswith("/computeMetadata/"):
            return self._gcp(ask, path.rstrip("/").partition("/")[2].partition("/")[2].partition("/")[2])
        if path.startswith("/metadata/") or path.startswith("/msi/"):
            return self._azure(ask, path)
        if path.startswith(("/v1/credentials", "/v2/credentials")):
            return self._container(ask, path)
        return self._aws(ask, path)

    def _handed_out(self, ask: Ask, cloud: str) -> None:
        self._world.mark("cloud_metadata", ask.peer, f"asked for {cloud} credentials", url=ask.url[:2000])

    def _aws(self, ask: Ask, path: str) -> Answer:
        if path == "/latest/api/token":
            return self._session(ask)
        if re.match(r"/v[34]/", path):
            task = {
                "Cluster": "ci",
                "TaskARN": f"arn:aws:ecs:eu-central-1:{_ACCOUNT}:task/ci/9f1c",
                "Family": "ci",
            }
            return json_answer(json.dumps({**task, "LaunchType": "FARGATE"}))
        part = re.sub(r"^/(latest|\d{4}-\d\d-\d\d|1\.0)/", "", path).rstrip("/")
        base = "meta-data/iam/security-credentials"
        if part == base:
            return Answer(200, _ROLE.encode(), type="text/plain")
        if part.startswith(f"{base}/"):
            return self._keys(
                ask, {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-04T05:12:41Z"}
            )
        known = _AWS.get(part)
        return Answer(200 if known is not None else 404, (known or "").encode(), type="text/plain")

    def _session(self, ask: Ask) -> Answer:
        """Version 2's first step: a PUT that says how long (IMDSv2)."""
        seconds = ask.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if ask.method != "PUT":
            return Answer(405, b"", type="text/plain")
        if not seconds.isdigit():
            return Answer(400, b"Bad Request", type="text/plain")
        token = self._world.steady.hex("imds session", 28)
        return Answer(200, token.encode(), (("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", seconds),), "text/plain")

    def _container(self, ask: Ask, path: str) -> Answer:
        """ECS tasks ask version 2, EKS pods version 1 with their service account's token."""
        if path.startswith("/v1/") and "authorization" not in ask.headers:
            return json_answer('{"message":"Missing Authorization header"}', 400)
        about = {"AccountId": _ACCOUNT} if path.startswith("/v1/") else {}
        return self._keys(ask, {"RoleArn": f"arn:aws:iam::{_ACCOUNT}:role/{_ROLE}", **about})

    def _keys(self, ask: Ask, about: dict[str, str]) -> Answer:
        self._handed_out(ask, "AWS")
        keys = {
            "AccessKeyId": self._world.secret("metadata-aws-key-id"),
            "SecretAccessKey": self._world.secret("metadata-aws-secret"),
            "Token": self._world.secret("metadata-aws-token"),
            "Expiration": "2027-12-31T23:59:59Z",
        }
        return json_answer(json.dumps({**about, **keys}))

    def _gcp(self, ask: Ask, part: str) -> Answer:
        if ask.headers.get("metadata-flavor") != "Google":
            return Answer(403, b"Missing Metadata-Flavor:Google header.", type="text/plain")
        flavour = (("Metadata-Flavor", "Google"),)
        part = part.replace(f"service-accounts/{_SERVICE_ACCOUNT}", "service-accounts/default")
        if part.endswith("/token"):
            return json_answer(json.dumps(self._gcp_token(ask)), headers=flavour)
        if part.endswith("/identity"):
            self._handed_out(ask, "GCP")
            return Answer(200, self._world.secret("identity-gcp").encode(), flavour, "text/html")
        if "recursive=true" in ask.query.lower():
            return json_answer(json.dumps(self._recursive(ask, part)), headers=flavour)
        known = _GCP.get(part)
        return Answer(200 if known is not None else 404, (known or "").encode(), flavour, "application/text")

    def _gcp_token(self, ask: Ask) -> dict[str, object]:
        self._handed_out(ask, "GCP")
        value = self._world.secret("metadata-gcp-token")
        return {"access_token": value, "expires_in": 3399, "token_type": "Bearer"}

    def _recursive(self, ask: Ask, part: str) -> object:
        """All below a path as one object; the tokens themselves are in there only where a service account is asked."""
        account = {
            "aliases": ["default"],
            "email": _SERVICE_ACCOUNT,
            "scopes": [_GCP["instance/service-accounts/default/scopes"]],
        }
        whole: dict[str, object] = {
            "instance": {
                "id": int(_GCP["instance/id"]), "name": "ci-runner-3", "hostname": _GCP["instance/hostname"],
                "zone": _GCP["instance/zone"], "machineType": _GCP["instance/machine-type"], "attributes": {},
                "serviceAccounts": {"default": account, _SERVICE_ACCOUNT: account},
            },
            "project": {"projectId": "northwind-prod", "numericProjectId": 592013648817, "attributes": {}},
        }  # fmt: skip
        found: object = whole
        for step in filter(None, part.split("/")):
            name = re.sub("-([a-z])", lambda letter: letter[1].upper(), step) if "@" not in step else step
            found = found.get(name, {}) if isinstance(found, dict) else {}
        return found

    def _azure(self, ask: Ask, path: str) -> Answer:
        asked = (ask.headers.get("metadata", "").lower() == "true") or "x-identity-header" in ask.headers
        if not asked and "secret" not in ask.headers:
            return json_answer('{"error":"Bad request. Required metadata header not specified"}', 400)
        if path.startswith(("/metadata/identity/", "/msi/")):
            self._handed_out(ask, "Azure")
            token = {"access_token": self._world.secret("metadata-azure-token"), "expires_in": "86399"}
            about = {
                "token_type": "Bearer",
                "resource": "https://management.azure.com/",
                "expires_on": "1830297599",
            }
            return json_answer(
                json.dumps({**token, **about, "client_id": "5b0f9f0e-5a2c-4f0c-8b1a-0f6f2a1b3c4d"})
            )
        if path.startswith("/metadata/instance/compute"):
            return json_answer(json.dumps(_COMPUTE))
        return json_answer(json.dumps({"compute": _COMPUTE, "network": {"interface": []}}))
