"""Start-up files are found, each is its own package's, and each is run alone before any build."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python import resolve, starts
from package_hunter.ecosystems.tree import BoxTree

_VENV = "home/dev/projects/app/.venv"


def _laid(root: Path, **packages: dict[str, str]) -> Path:
    """An environment with these packages; of what several bring, the last one's content is there."""
    site = root / _VENV / "lib/python3.11/site-packages"
    for name, files in packages.items():
        info = site / f"{name}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1\n\n")
        rows = [f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items()]
        (info / "RECORD").write_text("".join(rows))
        for path, text in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)
    return root


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _there(root: Path) -> list[tuple[str, str]]:
    return [(item.name, name) for item, _, name in starts.there(BoxTree(root), f"/{_VENV}")]


def test_all_that_every_start_runs_is_found(tmp_path: Path) -> None:
    laid = _laid(
        tmp_path,
        a={"a.pth": "import a\n", "a/__init__.py": "", "a/inner.pth": ""},
        b={"sitecustomize.py": "", "b.py": ""},
        c={"usercustomize/__init__.py": ""},
        d={"d.py": ""},
    )
    assert _there(laid) == [("a", "a.pth"), ("b", "sitecustomize.py"), ("c", "usercustomize/__init__.py")]


@pytest.mark.parametrize("last", ["a", "b"])
def test_of_two_that_bring_the_same_file_it_is_whose_bytes_are_there(tmp_path: Path, last: str) -> None:
    first = "ab".replace(last, "")
    laid = _laid(tmp_path, **{name: {"x.pth": f"import {name}\n"} for name in (first, last)})
    assert _there(laid) == [(last, "x.pth")]


def test_where_nobodys_bytes_are_there_it_may_be_of_all(tmp_path: Path) -> None:
    laid = _laid(tmp_path, a={"x.pth": "import a\n"}, b={"x.pth": "import b\n"})
    (laid / _VENV / "lib/python3.11/site-packages/x.pth").write_text("import c\n")
    assert _there(laid) == [("a", "x.pth"), ("b", "x.pth")]


def test_each_is_started_before_anything_is_built(tmp_path: Path) -> None:
    source, root = (
        tmp_path / "s",
        _laid(tmp_path / "r", a={"a.pth": "import a\n"}, b={"b.pth": "", "b.py": ""}),
    )
    source.mkdir()
    (source / "requirements.txt").write_text("a\nb\n")
    (plan,) = plans(stage("app", source), PlanOptions())
    commands = plan.after_fetch(BoxTree(root), ()).commands
    assert [(c.script, c.blame_purl, c.essential) for c in commands[:2]] == [
        ("a.pth", "pkg:pypi/a@1", False),
        ("b.pth", "pkg:pypi/b@1", False),
    ]
    assert [c.script for c in commands[2:]] == ["pip install"]
    assert plan.coverage(()).scripts_expected == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.pth", "import sys; print(1)\n"),
        ("sitecustomize.py", "print(__name__ == 'sitecustomize')"),
        ("usercustomize/__init__.py", "import os; print(os.path.exists(__file__))"),
    ],
)
def test_the_interpreter_runs_it_whatever_the_system_has_of_that_name(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    words = [sys.executable, "-I", *starts.alone(str(tmp_path), name)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout in ("1\n", "True\n")


def test_the_program_in_the_box_starts_them_alike() -> None:
    assert (resolve._FILE, resolve._MODULE) == (starts.FILE, starts.MODULE)
