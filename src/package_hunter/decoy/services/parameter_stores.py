"""Parameter stores: AWS's (SSM, Secrets Manager, KMS), GCP's Secret Manager, Azure's Key Vault, HashiCorp's Vault. Each
hands out a canary: what leaves of it was stolen.

Forms: the AWS JSON protocol (``X-Amz-Target``), and the REST references of the others.
"""

from __future__ import annotations

import base64
import json
import re
import time
import zlib
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_AWS = re.compile(r"(AmazonSSM|secretsmanager|TrentService)\.(\w{1,60})")
_GCP = re.compile(
    r"/v1(?:beta\d)?/projects/([^/]+)/(?:locations/[^/]+/)?secrets(?:/([^/]+)(?:/versions/([^/:]+)(:access)?)?)?"
)
_AZURE = re.compile(r"/secrets(?:/([\w-]{1,127})(?:/\w*)?)?")
_VAULT = re.compile(r"/v1/((?:secret|kv|auth|sys|aws|database)/.{0,200})")
_NAMES = ("prod/storefront/database", "prod/storefront/npm")
_ENCODED = "application/x-amz-json-1.1"


class ParameterStores:
    """One secret a store, under whatever name it is asked for."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world
        self._began = int(time.time())

    def matches(self, ask: Ask) -> bool:
        if _AWS.fullmatch(ask.headers.get("x-amz-target", "")):
            return True
        if ask.host.startswith("secretmanager.") and ask.host.endswith(".googleapis.com"):
            return True
        if ask.host.endswith((".vault.azure.net", ".vault.usgovcloudapi.net", ".vault.azure.cn")):
            return True
        return _VAULT.fullmatch(ask.raw_path) is not None and (
            "x-vault-token" in ask.headers or ask.peer.port == 8200 or ask.host.startswith("vault")
        )

    def answer(self, ask: Ask) -> Answer | None:
        target = _AWS.fullmatch(ask.headers.get("x-amz-target", ""))
        if target is not None:
            return self._aws(ask, target[1], target[2])
        if ask.host.endswith(".googleapis.com"):
            return self._gcp(ask)
        if ".vault." in ask.host and not ask.raw_path.startswith("/v1/"):
            return self._azure(ask)
        return self._vault(ask)

    def _given(self, ask: Ask, store: str, kind: str) -> str:
        self._world.mark("credential_use", ask.peer, f"asked {store} for a secret", url=ask.url[:2000])
        return self._world.secret(kind)

    def _aws(self, ask: Ask, store: str, what: str) -> Answer:
        asked = _object(ask.body)
        make = {"AmazonSSM": self._ssm, "secretsmanager": self._secrets_manager, "TrentService": self._kms}[
            store
        ]
        return Answer(200, json.dumps(make(ask, what, asked)).encode(), type=_ENCODED)

    def _ssm(self, ask: Ask, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        if what == "DescribeParameters":
            return {
                "Parameters": [{"Name": f"/{name}", "Type": "SecureString", "Version": 3} for name in _NAMES]
            }
        if not what.startswith("GetParameter"):
            return {}
        names = (
            asked.get("Names")
            if isinstance(asked.get("Names"), list)
            else [asked.get("Name") or f"/{_NAMES[0]}"]
        )
        value = self._given(ask, "AWS's parameter store", "stored-ssm")
        found = [self._parameter(str(name)[:500], value) for name in (names or [])[:10]]
        return {"Parameter": found[0]} if what == "GetParameter" and found else {"Parameters": found}

    def _parameter(self, name: str, value: str) -> dict[str, Any]:
        shown = {"Name": name, "Type": "SecureString", "Value": value, "Version": 3, "DataType": "text"}
        return {**shown, "ARN": f"arn:aws:ssm:eu-central-1:418276530192:parameter/{name.lstrip('/')}"}

    def _secrets_manager(self, ask: Ask, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        if what == "ListSecrets":
            return {"SecretList": [{"Name": name, "ARN": _arn(name)} for name in _NAMES]}
        if what not in ("GetSecretValue", "BatchGetSecretValue"):
            return {}
        value = self._given(ask, "AWS's secrets manager", "stored-secretsmanager")
        if what == "BatchGetSecretValue":
            return {"SecretValues": [self._secret(name, value) for name in _NAMES[:1]], "Errors": []}
        return self._secret(str(asked.get("SecretId") or _NAMES[0])[:500], value)

    def _secret(self, name: str, value: str) -> dict[str, Any]:
        text = json.dumps({"username": "storefront", "password": value})
        version = self._world.steady.hex(f"version {name}", 16)
        return {
            "ARN": _arn(name),
            "Name": name,
            "SecretString": text,
            "VersionId": version,
            "CreatedDate": self._began,
        }

    def _kms(self, ask: Ask, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        key = "arn:aws:kms:eu-central-1:418276530192:key/7c1f3d52-9b7e-4c55-8f3d-2a4b6c8d0e1f"
        if what == "ListKeys":
            return {"Keys": [{"KeyArn": key, "KeyId": key.rpartition("/")[2]}], "Truncated": False}
        if what not in ("Decrypt", "GenerateDataKey"):
            return {}
        plain = base64.b64encode(self._given(ask, "AWS's key service", "stored-kms").encode()).decode()
        blob = {"CiphertextBlob": str(asked.get("CiphertextBlob") or plain[::-1])[:500]}
        return {"KeyId": key, "Plaintext": plain, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", **blob}

    def _gcp(self, ask: Ask) -> Answer | None:
        asked = _GCP.fullmatch(ask.raw_path)
        if asked is None:
            return None
        name = f"projects/{asked[1]}/secrets/{asked[2] or 'storefront-database'}"
        if not asked[4]:
            shown = {"name": name, "replication": {"automatic": {}}}
            return json_answer(json.dumps(shown if asked[2] else {"secrets": [shown], "totalSize": 1}))
        value = self._given(ask, "GCP's secret manager", "stored-gcp").encode()
        payload = {"data": base64.b64encode(value).decode(), "dataCrc32c": str(zlib.crc32(value))}
        return json_answer(json.dumps({"name": f"{name}/versions/{asked[3]}", "payload": payload}))

    def _azure(self, ask: Ask) -> Answer:
        asked = _AZURE.fullmatch(ask.raw_path)
        if "authorization" not in ask.headers:
            hint = 'Bearer authorization="https://login.microsoftonline.com/common", resource="https://vault.azure.net"'
            return json_answer('{"error":{"code":"Unauthorized"}}', 401, (("WWW-Authenticate", hint),))
        if asked is None:
            return json_answer('{"error":{"code":"NotFound"}}', 404)
        about = {
            "id": f"https://{ask.host}/secrets/{asked[1] or 'storefront-database'}",
            "attributes": {"enabled": True},
        }
        if asked[1] is None:
            return json_answer(json.dumps({"value": [about], "nextLink": None}))
        return json_answer(
            json.dumps({"value": self._given(ask, "Azure's key vault", "stored-azure"), **about})
        )

    def _vault(self, ask: Ask) -> Answer:
        path = ask.raw_path.removeprefix("/v1/")
        if path.startswith("sys/"):
            return json_answer('{"initialized":true,"sealed":false,"standby":false,"version":"1.18.2"}')
        if path.startswith("auth/"):
            token = self._given(ask, "a vault", "stored-vault-token")
            auth = {
                "client_token": token,
                "policies": ["default", "ci"],
                "lease_duration": 3600,
                "renewable": True,
            }
            return json_answer(json.dumps({"auth": auth, "data": None}))
        if "list=true" in ask.query or ask.method == "LIST":
            return json_answer(json.dumps({"data": {"keys": [name.rpartition("/")[2] for name in _NAMES]}}))
        data: dict[str, Any] = {
            "password": self._given(ask, "a vault", "stored-vault"),
            "username": "storefront",
        }
        if "/data/" in path:
            data = {"data": data, "metadata": {"version": 3, "destroyed": False}}
        return json_answer(
            json.dumps({"lease_id": "", "lease_duration": 2764800, "renewable": False, "data": data})
        )


def _arn(name: str) -> str:
    return f"arn:aws:secretsmanager:eu-central-1:418276530192:secret:{name}-x8Qp2L"


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
