"""Tests lie where what they test lies: a module is found from its test, and a test from its module."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.cli.main import COMMANDS
from tests.support.requires import ROOT

SOURCE, TESTS = ROOT / "src/package_hunter", ROOT / "tests"

# Below tests/unit: files that are named for no module, and why. Prefer a module's name to a line here.
TOPICS = {
    "test_walks.py": "the walks of docs/architecture.md go through many modules",
    "test_bench.py": "what benches name",
    "test_repeat.py": "what two repeated scans must have in common",
    "test_docs.py": "links and names in the documents",
    "test_imports.py": "how all packages import",
    "test_mirror.py": "this file",
    "test_threat_model.py": "the claims of docs/threat-model.md",
    "test_requires.py": "tests/support/requires.py",
    "web/test_compare_and_package.py": "two pages of one kind: what is beside each other",
    "web/test_forms.py": "forms of changes and of policies: what they say as documents",
    "web/test_scan_pages.py": "all pages of one scan",
    "api/test_hidden.py": "what an account may not see, over all routes",
    "decoy/test_wire.py": "hostile bytes through the gateway's parsers together: dns, sniff, record, sockets",
    "ecosystems/test_any_bytes.py": "every reader of project files, on any bytes",
    "enrich/test_as_falco.py": "fields and alerts where Falco's documents mislead: convert, fields, rules",
    "findings/test_judge.py": "`judge`, which the package itself holds",
    "pipeline/test_waits.py": "the table of waits in docs/sandbox.md, of many packages",
    "policy/test_policy.py": "what the package offers: load, decide and waive together",
    "report/test_any_text.py": "every format on any text, number and nesting",
    "report/test_formats.py": "every format on the same reports",
    "report/test_machine_formats.py": "schemas of sarif, gitlab, osv, cyclonedx and html, on the same reports",
    "rules/test_for_falco.py": "what Falco refuses and takes, by the modules falco_*",
    "rules/test_meaning.py": "what conditions mean, from text to answer: parse, ast, operators, compile",
    "rules/test_properties.py": "compiled equals interpreted",
}
# Below the other kinds of tests: folders that are named for no package, and why.
FOLDERS = {
    "integration/decoy/conversations": "the stock clients of test_conversations.py, its rows",
    "integration/service": "store and queue on both databases, which one fixture starts",
    "acceptance/cases": "the inputs of ../shared/cases, each scanned whole",
    "acceptance/falco": "`scan --engine falco`",
    "acceptance/grammar": "generated attacks of ci/grammar, many in one scan",
    "acceptance/pages": "what people do in a browser, through `serve`",
    "acceptance/recordings": "`scan --record` and `replay` together",
    "acceptance/registry": "what goes through the gateway to registries",
    "acceptance/service": "`serve`, `worker`, `user` and `token` together",
    "bench/service": "the server's budget",
}


def misplaced(file: Path, source: Path) -> str | None:
    """What is wrong with the place of a unit test, given as its path below tests/unit; None: nothing.

    It lies in the folder of its package, and is named for a module or folder of it: ``test_MODULE.py``, or
    ``test_MODULE_TOPIC.py`` where one module has several.
    """
    package = source / file.parent
    if not (package / "__init__.py").is_file():
        return f"tests/unit/{file}: src/package_hunter/{file.parent} is no package; move the test (git mv)"
    words = file.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    if any(
        (package / f"{name}.py").is_file() or (package / name / "__init__.py").is_file() for name in names
    ):
        return None
    return (
        f"tests/unit/{file}: src/package_hunter/{file.parent} has no module {names[0]}; name the test for the module "
        "that it tests (git mv), or add a line with the reason to TOPICS in tests/unit/test_mirror.py"
    )


def _unit_tests() -> list[Path]:
    return sorted(path.relative_to(TESTS / "unit") for path in (TESTS / "unit").rglob("test_*.py"))


def test_unit_tests_lie_where_their_module_lies() -> None:
    found = [misplaced(file, SOURCE) for file in _unit_tests() if str(file) not in TOPICS]
    if sentences := [sentence for sentence in found if sentence]:
        pytest.fail("\n".join(sentences), pytrace=False)


def test_the_list_of_topics_is_no_longer_than_it_must_be() -> None:
    files = {str(file) for file in _unit_tests()}
    gone = sorted(set(TOPICS) - files)
    assert gone == [], "take these lines out of TOPICS: there is no such file"
    needless = sorted(name for name in TOPICS if misplaced(Path(name), SOURCE) is None)
    assert needless == [], "take these lines out of TOPICS: a module has that name"


@pytest.mark.parametrize("kind", ["integration", "conformance", "acceptance", "bench", "fuzz"])
def test_other_tests_lie_in_a_folder_of_their_package(kind: str) -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    known = packages | set(COMMANDS) if kind == "acceptance" else packages
    folders = {path.parent.relative_to(TESTS) for path in (TESTS / kind).rglob("*.py")}
    found = sorted(str(f) for f in folders if f.name not in {*known, kind} and str(f) not in FOLDERS)
    assert found == [], (
        "name each for its package (or command), or say why not in FOLDERS of tests/unit/test_mirror.py"
    )


def test_no_listed_folder_is_gone() -> None:
    assert [name for name in FOLDERS if not (TESTS / name).is_dir()] == []


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("rules/__init__.py", "rules/parse.py", "rules/compile/__init__.py", "rules/compile/emit.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("rules/test_parse.py", None),
        ("rules/test_parse_numbers.py", None),
        ("rules/compile/test_emit.py", None),
        ("rules/test_compile.py", None),
        ("rules/test_emit.py", "has no module emit"),
        ("rules/test_parsing.py", "has no module parsing"),
        ("ruling/test_parse.py", "src/package_hunter/ruling is no package"),
        ("rules/parse/test_numbers.py", "src/package_hunter/rules/parse is no package"),
    ],
)
def test_what_is_misplaced_is_seen(source: Path, file: str, says: str | None) -> None:
    found = misplaced(Path(file), source)
    assert found is None if says is None else found is not None and says in found
