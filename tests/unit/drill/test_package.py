"""What a drill submits."""

from __future__ import annotations

import io
import json
import tarfile
import uuid

from package_hunter.drill.package import archive, name_of

ONE, TWO = uuid.UUID(int=1 << 100), uuid.UUID(int=2 << 100)


def _files(data: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {entry.name: tar.extractfile(entry).read().decode() for entry in tar}  # type: ignore[union-attr]


def test_it_is_a_project_that_installs_the_drills_dependency() -> None:
    files = _files(archive(ONE))
    assert json.loads(files["package.json"])["dependencies"] == {name_of(ONE): "file:./dependency"}
    assert json.loads(files["dependency/package.json"])["scripts"] == {"postinstall": "node ./build.js"}


def test_every_file_of_it_says_that_it_is_harmless_and_every_host_is_reserved() -> None:
    import re

    files = _files(archive(ONE))
    for name, text in files.items():
        assert "harmless simulation" in text.lower(), name
        hosts = re.findall(r'hostname: "([^"]+)"', text)
        assert all(host.endswith(".example") for host in hosts)
    assert "sealed(address)" in files["dependency/build.js"]


def test_each_drill_is_another_package() -> None:
    assert name_of(ONE) != name_of(TWO)
    assert archive(ONE) != archive(TWO)
