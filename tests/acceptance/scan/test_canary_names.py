"""A fake secret is one by whatever name it is read: hard links, renames, symlinks, a directory that moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import requires
from tests.support.hunter import npm_project, scan_json

WAYS = {
    "hard link": "ln /home/dev/.aws/credentials ./x; cat ./x",
    "rename": "mv /home/dev/.netrc ./y; cat ./y",
    "symlink": "ln -s /home/dev/.npmrc ./z; cat ./z",
    "directory": "mv /home/dev/.ssh ./plain; cat ./plain/id_*",
}
PLACES = {"/home/dev/.aws/credentials", "/home/dev/.netrc", "/home/dev/.npmrc"}


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


def test_read_by_another_name(tmp_path: Path) -> None:
    script = "; ".join(f"({way}) > /dev/null" for way in WAYS.values())
    report = scan_json(npm_project(tmp_path / "p", "names", {"preinstall": script}), "--fail-on", "never")
    read = {r["place"]: r for r in report["canaries"]["read"] if r["blame"]["script"] == "preinstall"}
    assert set(read) >= PLACES
    assert any(place.startswith("/home/dev/.ssh/") for place in read)
    assert read["/home/dev/.aws/credentials"]["path"].endswith("/x")
    assert read["/home/dev/.netrc"]["blame"]["cmdline"] == "cat ./y"
