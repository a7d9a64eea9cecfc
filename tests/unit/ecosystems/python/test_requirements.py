"""What Python projects ask for, and what an environment holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python import installed, requirements
from package_hunter.ecosystems.tree import BoxTree


def project(folder: Path, **files: str) -> BoxTree:
    for name, text in files.items():
        path = folder / name.replace("__", ".").replace("_SLASH_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return BoxTree(folder, "/p")


REQUIREMENTS = """\ufeff# comment
--index-url https://evil.example/simple
--extra-index-url=https://evil.example
--no-binary :all:
-r sub/more.txt
-r ../outside.txt
-e ./local
./wheel.whl
git+https://git.example/x
Requests[socks] >= 2.0 ; python_version > "3"  # why
six==1.16.0 \\
    --hash=sha256:abc
direct @ https://files.example/d-1.0.tar.gz#sha256=1
"""


def test_requirement_files(tmp_path: Path) -> None:
    tree = project(
        tmp_path, requirements__txt=REQUIREMENTS, sub_SLASH_more__txt="-r requirements.txt\nurllib3\n"
    )
    found = requirements.wanted(tree, "/p")
    assert found.names == ["urllib3", "requests", "six"]
    assert found.lines[0] == "--no-binary :all:"
    assert "six==1.16.0      --hash=sha256:abc" in found.lines
    assert found.urls == ["https://files.example/d-1.0.tar.gz"]
    assert not any("evil.example" in line for line in found.lines)
    assert len(found.dropped) == 2
    assert [(item.name, item.address) for item in found.outside] == [
        ("", "./local"),  # which is not there
        ("", "./wheel.whl"),
        ("x", "git+https://git.example/x"),
        ("direct", "https://files.example/d-1.0.tar.gz#sha256=1"),
    ]
    assert [line.split()[0] for line in found.unread] == ["sub/requirements.txt", "../outside.txt"]


UV = """version = 1
[[package]]
name = "proj"
version = "0.1.0"
source = { editable = "." }
[[package]]
name = "anyio"
version = "4.3.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "patched"
version = "1"
source = { git = "https://git.example/p" }
[[package]]
name = "bad name; evil"
version = "1"
source = { registry = "https://index.example/simple" }
"""
POETRY = """[[package]]
name = "attrs"
version = "23.1.0"
[[package]]
name = "colorama"
version = "0.4.6"
markers = "sys_platform == 'win32'"
"""
PIPFILE = """{"default": {"flask": {"version": "==3.0"}, "x": {"git": "y"}},
 "develop": {"pytest": {"version": "==8"}}}"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("uv.lock", UV, ["anyio==4.3.0"]),
        ("poetry.lock", POETRY, ["attrs==23.1.0", "colorama==0.4.6 ; sys_platform == 'win32'"]),
        ("Pipfile.lock", PIPFILE, ["pytest==8", "flask==3.0"]),
        ("Pipfile.lock", '{"default": {"a": {"version": "*"}, "b": {"version": ">=2"}}}', ["a", "b>=2"]),
    ],
)
def test_lock_files(tmp_path: Path, name: str, text: str, lines: list[str]) -> None:
    (tmp_path / name).write_text(text)
    found = requirements.wanted(BoxTree(tmp_path, "/p"), "/p")
    assert (found.lines, found.source, found.locked) == (lines, name, True)


def test_pyproject(tmp_path: Path) -> None:
    text = """[build-system]
requires = ["hatchling>=1", "hatch-vcs"]
[project]
name = "thing"
dependencies = ["a>=1", "B.c"]
[tool.poetry.dependencies]
python = "^3.9"
d = "^1.2"
e = "~1.2.3"
f = "^0.3"
g = "*"
h = { version = ">=1,<2" }
i = "1.0"
"""
    tree = project(tmp_path, pyproject__toml=text)
    found = requirements.wanted(tree, "/p")
    assert found.lines == [
        "a>=1",
        "B.c",
        "d>=1.2,<2",
        "e>=1.2.3,<1.3",
        "f>=0.3,<0.4",
        "g",
        "h>=1,<2",
        "i==1.0",
    ]
    assert requirements.build_requires(tree, "/p") == ["hatchling", "hatch-vcs"]
    assert requirements.is_installable(tree, "/p")
    assert requirements.project_name(tree, "/p") == "thing"


@pytest.mark.parametrize(
    ("more", "lock", "built"),
    [
        ("", False, True),  # pip builds it
        ("", True, False),
        ("[tool.uv]\n", False, False),  # uv does not, where nothing says how
        ("[tool.uv]\npackage = true\n", True, True),
        ("[tool.uv]\npackage = false\n[build-system]\nrequires = []\n", True, False),
        ('[tool.uv]\n[build-system]\nrequires = ["hatchling"]\n', False, True),
    ],
)
def test_whether_the_project_itself_is_built(tmp_path: Path, more: str, lock: bool, built: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "app"\nversion = "1"\n{more}')
    if lock:
        (tmp_path / "uv.lock").write_text("version = 1\n")
    assert requirements.is_installable(BoxTree(tmp_path, "/p"), "/p") is built


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=200),
    name=st.sampled_from(["requirements.txt", "uv.lock", "pyproject.toml", "Pipfile.lock"]),
)
def test_hostile_files_are_survived(tmp_path_factory: pytest.TempPathFactory, text: str, name: str) -> None:
    folder = tmp_path_factory.mktemp("p")
    (folder / name).write_text(text, encoding="utf-8", errors="replace")
    found = requirements.wanted(BoxTree(folder, "/p"), "/p")
    assert len([line for line in found.lines if not line.startswith("-")]) == len(found.names)


@pytest.mark.parametrize(
    "line", ["-i https://evil.example", " --index-url x", "a --index-url=https://evil.example/"]
)
def test_no_line_can_name_an_index(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(line)
    found = requirements.wanted(BoxTree(tmp_path, "/p"), "/p")
    assert not any("index" in kept or kept.startswith("-i") for kept in found.lines)


def test_an_environment_is_read(tmp_path: Path) -> None:
    site = tmp_path / ".venv/lib/python3.11/site-packages"
    info = site / "My_Pkg-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Name: My.Pkg\nVersion: 1.0\nRequires-Dist: dep (>=1)\nRequires-Dist: no ; extra == 'x'\n\n"
    )
    (info / "RECORD").write_text(
        "my_pkg/__init__.py,,\nmy_pkg/a.py,,\nsingle.py,,\nnative.cpython-311-x86_64-linux-gnu.so,,\nevil.pth,,\n"
        'My_Pkg-1.0.dist-info/METADATA,,\n../../../bin/tool,,\n"bad\nrow",,\ndata/x.txt,,\n'
    )
    (found,) = installed.distributions(BoxTree(tmp_path), "/.venv")
    assert found.modules == ("my_pkg", "single", "native")
    assert (found.inner, found.commands) == (("my_pkg.a",), ("tool",))
    assert found.startup == ("evil.pth",)
    assert found.requires == ("dep",)
    assert installed.purl(found.name, found.version) == "pkg:pypi/my-pkg@1.0"


def test_only_what_is_asked_for_and_build_tools_may_pass(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("Left.Pad\n")
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    assert {"left-pad", "setuptools"} <= plan.registry[0].names
    assert plan.registry[0].ecosystem == "pypi"


def test_a_purl() -> None:
    (plan,) = plans(stage("x", purl="pkg:pypi/requests@2.31.0"), PlanOptions())
    assert plan.files[0].content == b"requests==2.31.0\n"
    assert plan.project == "/home/dev/projects/app"
