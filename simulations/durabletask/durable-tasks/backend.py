"""A build backend of its own, so that pip needs nothing from an index. Harmless simulation. Not malware."""

import base64
import hashlib
import os
import zipfile

NAME, VERSION, FILES = 'durable_tasks', "1.0.0", [('durable_tasks/__init__.py', 'durable_tasks/__init__.py')]


def before_build():
    pass



def _record(archive, path, data, rows):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    archive.writestr(path, data)
    rows.append("%s,sha256=%s,%d" % (path, digest, len(data)))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    before_build()
    info = "%s-%s.dist-info" % (NAME, VERSION)
    name = "%s-%s-py3-none-any.whl" % (NAME, VERSION)
    rows = []
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for target, source in FILES:
            with open(source, "rb") as file:
                _record(archive, target, file.read(), rows)
        _record(archive, info + "/METADATA", ("Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (NAME, VERSION)).encode(), rows)
        _record(archive, info + "/WHEEL", b"Wheel-Version: 1.0\nGenerator: simulation\nRoot-Is-Purelib: true\nTag: py3-none-any\n", rows)
        archive.writestr(info + "/RECORD", "\n".join(rows + [info + "/RECORD,,"]) + "\n")
    return name
