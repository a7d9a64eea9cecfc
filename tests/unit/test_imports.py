"""No module of ours is imported by a string: import-linter, which holds the layers, does not see such an import."""

from __future__ import annotations

import ast

import pytest

from tests.support.requires import ROOT

SOURCE = ROOT / "src/package_hunter"
_BY_NAME = {"import_module", "__import__", "find_spec", "run_module", "import_string"}
# file -> why it may import by name
ALLOWED = {
    "api/server.py": "walks packages that it imports in the ordinary way, and libraries",
    "cli/main.py": "loads only the command that was asked for; test_main.py tries each name of its table",
    "confine.py": "codecs of Python itself",
    "decoy/held.py": "reads ahead what others import in the ordinary way; test_held.py does so",
    "decoy/talks/process.py": "loads the conversations of its table; test_process.py tries each",
    "decoy/talks/table.py": "looks which conversations of the table are there",
    "ecosystems/python/exercise.py": "runs in the box, on the scanned package",
    "sandbox/doctor.py": "looks whether a compiler is installed",
}
# modules that are started as a process, or given to a library by name
NAMED = {
    "decoy/talks/starts.py": ["package_hunter.decoy.talks.process"],
    "ecosystems/known.py": ["package_hunter.ecosystems.gateway"],
    "intake/run.py": ["package_hunter.intake.worker"],
    "store/database.py": ["package_hunter.store:migrations"],
}


def imports_by_name(code: str) -> list[int]:
    """The lines on which a module is imported, or looked for, by a string."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    names = [(call.lineno, getattr(call.func, "attr", getattr(call.func, "id", ""))) for call in calls]
    return [line for line, name in names if name in _BY_NAME]


def named_modules(code: str) -> list[str]:
    """Texts of a file that name a module of ours, but for those that only say where a data file lies."""
    tree = ast.parse(code)
    data = {id(c.args[0]) for c in ast.walk(tree) if isinstance(c, ast.Call) and _opens_data(c) and c.args}
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in data)
    return [t.value for t in texts if isinstance(t.value, str) and _is_module(t.value)]


def _opens_data(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "files"


def _is_module(text: str) -> bool:
    parts = text.partition(":")[0].split(".")
    return parts[0] == "package_hunter" and len(parts) > 1 and all(part.isidentifier() for part in parts)


def _files() -> list[str]:
    return sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py"))


def test_only_listed_files_import_by_name() -> None:
    found = {name for name in _files() if imports_by_name((SOURCE / name).read_text(encoding="utf-8"))}
    assert found == set(ALLOWED), "write an ordinary import (inside of the function, where it must be late)"


def test_only_listed_files_name_modules_in_texts() -> None:
    found = {name: named_modules((SOURCE / name).read_text(encoding="utf-8")) for name in _files()}
    del found["cli/main.py"]
    assert {name: texts for name, texts in found.items() if texts} == NAMED


def test_a_module_that_is_named_is_one_of_the_same_package() -> None:
    for name, texts in NAMED.items():
        package = name.split("/")[0]
        assert all(text.startswith(f"package_hunter.{package}") for text in texts), name


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("import importlib\nimportlib.import_module('a.b')", [2]),
        ("from importlib import import_module\n\nx = import_module(name)", [3]),
        ("__import__('package_hunter.pipeline')", [1]),
        ("import package_hunter.pipeline", []),
        ("def f():\n    from package_hunter import pipeline", []),
    ],
)
def test_an_import_by_name_is_seen(code: str, lines: list[int]) -> None:
    assert imports_by_name(code) == lines


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("load('package_hunter.pipeline')", ["package_hunter.pipeline"]),
        ("X = {'scan': 'package_hunter.cli.scan:scan'}", ["package_hunter.cli.scan:scan"]),
        ("resources.files('package_hunter.rules')", []),
        ("'package_hunter.toml is read'", []),
        ("'package_hunter'", []),
    ],
)
def test_a_module_in_a_text_is_seen(code: str, texts: list[str]) -> None:
    assert named_modules(code) == texts
