"""The honest twin of a harmless simulation for testing Package Hunter. Not malware."""

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


def providers():
    known = []
    for command in ("kubectl", "aws"):
        if any(os.path.exists(os.path.join(folder, command)) for folder in os.get_exec_path()):
            known.append(command)
    return known


PROVIDERS = providers()
