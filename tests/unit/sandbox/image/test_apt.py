"""The host's apt configuration, in both of its forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.sandbox.image import apt

DEB822 = """Types: deb deb-src
# a comment within
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/key.gpg] https://mirror.example/debian-security bookworm-security main # why
deb-src http://source.example/debian bookworm main
deb http://tools.example/apt bookworm stable
deb http://tools.example/pg bookworm-pgdg main
deb http://mirror.example/debian bookworm universe
"""


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(apt, "_APT", tmp_path)
    monkeypatch.setattr(apt, "_codename", lambda: "bookworm")
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_both_forms_are_read(etc: Path) -> None:
    (etc / "sources.list").write_text(ONE_LINE)
    (etc / "sources.list.d/debian.sources").write_text(DEB822)
    sources = apt.host_sources()
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert sources == (
        apt.Source("https://mirror.example/debian-security", "bookworm-security", ("main",), "/etc/key.gpg"),
        apt.Source("http://mirror.example/debian", "bookworm", ("universe",), None),
        apt.Source("http://mirror.example/debian", "bookworm", ("main", "contrib"), key),
        apt.Source("http://mirror.example/debian", "bookworm-updates", ("main", "contrib"), key),
    )
    assert apt.base_source(sources) == sources[2]


def test_no_source_for_the_release_is_said(etc: Path) -> None:
    (etc / "sources.list").write_text("deb http://mirror.example/debian trixie main\n")
    with pytest.raises(HostError, match=r"names no source for this release \(bookworm\)"):
        apt.host_sources()


def test_the_image_forgets_where_it_was_built(tmp_path: Path) -> None:
    for name in (
        "etc/apt/apt.conf.d/99build",
        "etc/apt/auth.conf.d/secret",
        "etc/resolv.conf",
        "var/log/dpkg.log",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mirror.example")
    for name in (
        "var/lib/apt/lists/mirror.example_dists",
        "var/log/apt/term.log",
        "var/cache/apt/pkgcache.bin",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mirror.example")
    (tmp_path / "etc/apt/sources.list").write_text("deb http://mirror.example/debian bookworm main")
    apt.forget_host(tmp_path)
    left = [p for p in tmp_path.rglob("*") if p.is_file() and "mirror.example" in p.read_text() + p.name]
    assert left == []
