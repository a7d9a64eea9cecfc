"""gcloud's, azure's and kubectl's files."""

from __future__ import annotations

import base64
import json
import secrets
import uuid

from package_hunter.decoy.forge import BASE62, Forge, jwt, random_text

_SAFE = BASE62 + "-_"


def make(forge: Forge) -> None:
    _gcloud(forge)
    _azure(forge)
    _kube(forge)


def _gcloud(forge: Forge) -> None:
    path = ".config/gcloud/application_default_credentials.json"
    secret = forge.canary("gcp-client-secret", path, "GOCSPX-" + random_text(28, _SAFE))
    refresh = forge.canary("gcp-refresh-token", path, "1//0" + random_text(99, _SAFE))
    client = f"{secrets.randbelow(10**12):012d}-{random_text(32, BASE62[:10] + BASE62[36:])}"
    data = {
        "client_id": f"{client}.apps.googleusercontent.com",
        "client_secret": secret,
        "quota_project_id": "northwind-prod",
        "refresh_token": refresh,
        "type": "authorized_user",
    }
    forge.file(path, json.dumps(data, indent=2), 0o600)
    forge.file(
        ".config/gcloud/configurations/config_default",
        "[core]\naccount = daniel.meyer@northwind-labs.dev\nproject = northwind-prod\n",
    )


def _azure(forge: Forge) -> None:
    path = ".azure/msal_token_cache.json"
    token = forge.canary("azure-refresh-token", path, "0.A" + random_text(700, _SAFE))
    home = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-{secrets.token_hex(6)}"
    entry = {
        "credential_type": "RefreshToken",
        "secret": token,
        "home_account_id": home,
        "environment": "login.microsoftonline.com",
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    }
    access = {
        "credential_type": "AccessToken",
        "secret": forge.canary("azure-access-token", path, jwt("https://sts.windows.net/", "northwind")),
        "target": "https://management.core.windows.net//.default",
        "home_account_id": home,
        "realm": str(uuid.uuid4()),
        "expires_on": "1924988400",
    }
    tokens = {"AccessToken": {f"{home}-accesstoken": access}, "RefreshToken": {f"{home}-refreshtoken": entry}}
    forge.file(path, json.dumps(tokens, indent=4), 0o600)


def _kube(forge: Forge) -> None:
    token = forge.canary("kube-token", ".kube/config", jwt("kubernetes/serviceaccount", "system:admin"))
    ca = base64.b64encode(
        b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(secrets.token_bytes(600))
    ).decode()
    forge.file(
        ".kube/config",
        "apiVersion: v1\nkind: Config\nclusters:\n- name: northwind-prod\n  cluster:\n"
        f"    certificate-authority-data: {ca}\n    server: https://k8s.northwind.internal:6443\n"
        "contexts:\n- name: prod\n  context: {cluster: northwind-prod, user: dmeyer}\ncurrent-context: prod\n"
        f"users:\n- name: dmeyer\n  user:\n    token: {token}\n",
        0o600,
    )
