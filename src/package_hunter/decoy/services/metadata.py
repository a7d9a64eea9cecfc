"""Cloud metadata services of AWS (versions 1 and 2), GCP and Azure, handing out canary credentials.

Paths and forms: the clouds' own documentation (AWS IMDS, GCP metadata server, Azure IMDS).
"""

from __future__ import annotations

import json
import secrets

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_ADDRESSES = ("169.254.169.254", "169.254.170.2", "fd00:ec2::254")
_ROLE = "ci-runner"


class CloudMetadata:
    """A virtual machine of whichever cloud is asked for."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._values = {c.kind: c.value for c in world.spec.canaries if c.kind.startswith("metadata-")}

    def matches(self, ask: Ask) -> bool:
        return ask.peer.address in _ADDRESSES or ask.host in (*_ADDRESSES, "metadata.google.internal")

    def answer(self, ask: Ask) -> Answer | None:
        path = ask.raw_path
        if path.startswith("/computeMetadata/"):
            return self._gcp(ask, path)
        if path.startswith("/metadata/"):
            return self._azure(ask, path)
        return self._aws(ask, path)

    def _handed_out(self, ask: Ask, cloud: str) -> None:
        self._world.mark("cloud_metadata", ask.peer, f"asked for {cloud} credentials", url=ask.url[:2000])

    def _aws(self, ask: Ask, path: str) -> Answer:
        if path == "/latest/api/token":
            return Answer(200, secrets.token_urlsafe(40).encode(), type="text/plain")
        base = "/latest/meta-data/iam/security-credentials"
        if path.rstrip("/") == base:
            return Answer(200, _ROLE.encode(), type="text/plain")
        if path.startswith(base) or path.startswith("/v2/credentials"):
            self._handed_out(ask, "AWS")
            return json_answer(
                json.dumps(
                    {
                        "Code": "Success",
                        "Type": "AWS-HMAC",
                        "AccessKeyId": self._values.get("metadata-aws-key-id", ""),
                        "SecretAccessKey": self._values.get("metadata-aws-secret", ""),
                        "Token": self._values.get("metadata-aws-token", ""),
                        "Expiration": "2027-12-31T23:59:59Z",
                    }
                )
            )
        known = {
            "/latest/meta-data/": b"ami-id\nhostname\niam/\ninstance-id\ninstance-type\nlocal-ipv4\n",
            "/latest/meta-data/instance-id": b"i-0b22a22eec53b9321",
            "/latest/meta-data/instance-type": b"m6i.large",
            "/latest/meta-data/hostname": b"ip-10-88-0-2.eu-central-1.compute.internal",
            "/latest/meta-data/local-ipv4": b"10.88.0.2",
            "/latest/meta-data/placement/region": b"eu-central-1",
        }
        return Answer(200 if path in known else 404, known.get(path, b""), type="text/plain")

    def _gcp(self, ask: Ask, path: str) -> Answer:
        if ask.headers.get("metadata-flavor") != "Google":
            return Answer(403, b"Missing Metadata-Flavor:Google header.", type="text/plain")
        flavour = (("Metadata-Flavor", "Google"),)
        if path.endswith("/token"):
            self._handed_out(ask, "GCP")
            value = self._values.get("metadata-gcp-token", "")
            body = {"access_token": value, "expires_in": 3399, "token_type": "Bearer"}
            return json_answer(json.dumps(body), headers=flavour)
        return Answer(200, b"northwind-prod", flavour, "application/text")

    def _azure(self, ask: Ask, path: str) -> Answer:
        if path.startswith("/metadata/identity/"):
            self._handed_out(ask, "Azure")
            value = self._values.get("metadata-azure-token", "")
            return json_answer(
                json.dumps({"access_token": value, "expires_in": "86399", "token_type": "Bearer"})
            )
        return json_answer('{"compute":{"location":"westeurope","name":"ci-runner-3","osType":"Linux"}}')
