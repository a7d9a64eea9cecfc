"""What a Python project says of its Python, in every place where it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.python import interpreter
from package_hunter.ecosystems.python.planning import PythonPlanning
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.interpreters import Interpreter
from package_hunter.model.scan import CommandRun

OLD = Interpreter("python", "3.11.2")
NEW = Interpreter("python", "3.13.5", "/usr/local/opt/python3.13")
PROJECT = "/home/dev/projects/app"

PLACES = {
    "pyproject.toml": '[project]\nname="a"\nversion="1"\nrequires-python=">=3.12"\n',
    "pyproject.toml ": '[tool.poetry.dependencies]\npython = "^3.12"\n',
    "setup.cfg": "[options]\npython_requires = >=3.12\n",
    "setup.py": "from setuptools import setup\nsetup(name='a', python_requires='>=3.12')\n",
    "uv.lock": 'version = 1\nrequires-python = ">=3.12"\n',
    "pylock.toml": 'lock-version = "1.0"\nrequires-python = ">=3.13"\n',
    "Pipfile": '[requires]\npython_version = "3.13"\n',
    "Pipfile ": '[requires]\npython_full_version = "3.13.1"\n',
    "Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.13"}}}',
    ".python-version": "# ours\n3.13.1\n3.11\n",
    ".python-version ": "pypy3.10-7.3\ncpython-3.13\n",
    "runtime.txt": "python-3.13.2\n",
    ".tool-versions": "nodejs 20.1.0\npython 3.13.0 3.11.1\n",
}


def tree(folder: Path, **files: str) -> BoxTree:
    for name, text in files.items():
        (folder / name.strip()).write_text(text)
    return BoxTree(folder, PROJECT)


@pytest.mark.parametrize(("name", "text"), PLACES.items(), ids=PLACES)
def test_each_place_is_read(name: str, text: str, tmp_path: Path) -> None:
    found = interpreter.chosen(tree(tmp_path, **{name: text}), PROJECT, (OLD, NEW))
    assert found.interpreter == NEW
    assert name.strip() in found.notes[0]


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "pyproject.toml": '[project]\nrequires-python=">=3.8"\n',
        ".python-version": "3.11.9\n",
        "runtime.txt": "ruby\n",
        "Pipfile": '[requires]\npython_version = "*"\n',
        "setup.py": "import x\nsetup(python_requires=x.y)\n",
        "setup.cfg": "[options\npython_requires >=3.99",
        "uv.lock": "requires-python = 7\n",
        ".tool-versions": "python system\n",
    }.items(),
)
def test_what_the_default_fits_or_nobody_can_read_keeps_the_default(
    name: str, text: str, tmp_path: Path
) -> None:
    assert interpreter.chosen(tree(tmp_path, **{name: text}), PROJECT, (OLD, NEW)).interpreter == OLD


def test_a_range_that_no_python_here_fits_is_told_with_the_command(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project]\nrequires-python=">=3.14"\n'}
    found = interpreter.chosen(tree(tmp_path, **files), PROJECT, (OLD, NEW))
    assert found.interpreter == OLD
    assert "`package-hunter image build --python 3.14`" in found.notes[0]


TOO_OLD = (
    "ERROR: Ignored the following versions that require a different python version: 6.0 Requires-Python >=3.12;"
    " 6.0a1 Requires-Python >=3.12\nERROR: No matching distribution found for Django==6.0\n",
    "ERROR: Package 'fresh' requires a different Python: 3.11.2 not in '>=3.13'\n",
    "ERROR: Ignored the following versions that require a different python version: 3.0 Requires-Python >=3.99;"
    " 2.0 Requires-Python >=3.12\n",
)


def failed(plan_command: object, output: str) -> CommandRun:
    return CommandRun("install", "default", plan_command, 1, 1, 2, 1, output)  # type: ignore[arg-type]


@pytest.mark.parametrize("said", TOO_OLD)
def test_a_dependency_that_wants_a_newer_python_gets_it_in_a_second_try(said: str) -> None:
    options = PlanOptions(interpreters=(OLD, NEW))
    plan = PythonPlanning().plan(stage("django", purl="pkg:pypi/django@6.0"), options)
    assert plan.fetch.commands[0].argv[0] == "python3"
    first = plan.after_fetch(BoxTree(Path("/nonexistent")), [])
    runs = [failed(first.commands[0], said)]
    again = plan.second_try(runs)
    assert again is not None
    assert again.commands[0].argv[:5] == (
        "/usr/local/opt/python3.13/bin/python3",
        "-I",
        "-m",
        "venv",
        "--clear",
    )
    assert [command.script for command in again.commands[1:2]] == ["uv pip install"], "what was there is gone"
    assert again.commands[2:] == first.commands
    assert "Python 3.13.5 was used" in plan.notes[-1]
    for command in again.commands:
        runs.append(CommandRun("install", "default", command, 1, 3, 4, 0))
    phases = {one.name: one.status for one in plan.coverage(runs).phases}
    assert phases["install"] == "ok", "the first try no longer counts"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: Package 'x' requires a different Python: 3.11.2 not in '>=3.99'\n", ">=3.99"),
        ("ERROR: No matching distribution found for nothing==1\n", ""),
        ("ERROR: 1.0 Requires-Python >=3.1x,,\n", ""),
    ],
)
def test_where_no_python_here_would_do_there_is_no_second_try(said: str, told: str) -> None:
    plan = PythonPlanning().plan(stage("x", purl="pkg:pypi/x@1"), PlanOptions(interpreters=(OLD, NEW)))
    first = plan.after_fetch(BoxTree(Path("/nonexistent")), [])
    assert plan.second_try([failed(first.commands[0], said)]) is None
    assert (told in " ".join(plan.notes)) is bool(told) or not told
    assert ("package-hunter image build --python" in " ".join(plan.notes)) is bool(told)


def test_uv_says_that_a_newer_python_is_wanted_before_anything_is_built(tmp_path: Path) -> None:
    plan = PythonPlanning().plan(
        stage("django", purl="pkg:pypi/django@6.0"), PlanOptions(interpreters=(OLD, NEW))
    )
    fetch = plan.fetch
    said = "  cause: Because the current Python version (3.11.2) does not satisfy Python>=3.12 and django==6.0 depends"
    again = plan.fetch_again(BoxTree(tmp_path), [failed(fetch.commands[-1], said)])
    assert again is not None and again.name == "fetch"
    assert again.commands[0].argv[:5] == (
        "/usr/local/opt/python3.13/bin/python3",
        "-I",
        "-m",
        "venv",
        "--clear",
    )
    assert again.commands[1:] == fetch.commands[1:]
    assert plan.fetch_again(BoxTree(tmp_path), [failed(fetch.commands[-1], "")]) is None
