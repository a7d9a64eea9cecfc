"""Documents name only what is there: links, files and folders, modules and what they hold."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from package_hunter import __version__
from tests.support.requires import ROOT

SOURCE = ROOT / "src/package_hunter"
ROOMS = {
    path.stem for path in SOURCE.iterdir() if path.suffix in ("", ".py") and not path.name.startswith("_")
}
TOPS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
# Rooms that the glossary names ahead of their making; a line goes when its file is there.
AHEAD = {"decoy/services/code_hosts.py", "model/ecosystem.py"}
# Not of ours although it looks so: a kind of notice, a path of the server, a folder that a run makes.
OTHERS = {"drill.failed", "drill/standing", "deploy/compose/settings/"}
OTHERS |= {f"web/{name}" for name in ("shop", "blog", "portal")}  # projects of the examples
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
_DOTTED = re.compile(r"[a-z_]+(\.\w+)+")
_TEST = re.compile(r"test_\w+(\.py)?")
_MADE_BY_A_RUN = (".db", ".crt", ".key", ".scap")


def _documents() -> list[Path]:
    patterns = (
        "*.md",
        "docs/*.md",
        "docs/decisions/*.md",
        "deploy/*.md",
        "simulations/*.md",
        ".git*/**/*.md",
    )
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern)})


def dead_links(text: str, folder: Path) -> list[str]:
    """Relative links that lead to no file."""
    return [link for link in _LINK.findall(text) if not (folder / link).exists()]


def dead_names(text: str, places: list[Path]) -> list[str]:
    """What stands in code quotes like a path of this repository or a module of ours, and is none.

    A path counts from the repository, from the package, or from a folder of the document's own subject.
    """
    outside_of_blocks = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    words = {word.strip(",;:()") for code in _CODE.findall(outside_of_blocks) for word in code.split()}
    return sorted(word for word in words if not word.endswith(_MADE_BY_A_RUN) and not _is_there(word, places))


@cache
def _test_files() -> frozenset[str]:
    return frozenset(path.name for path in (ROOT / "tests").rglob("test_*.py"))


def _is_there(word: str, places: list[Path]) -> bool:
    first = re.split(r"[/.]", word)[0]
    if "/" in word and _PATH.fullmatch(word):
        return (first not in ROOMS | TOPS and not word.endswith(".py")) or any(
            (p / word).exists() for p in places
        )
    if _TEST.fullmatch(word):
        return f"{first}.py" in _test_files()
    if _DOTTED.fullmatch(word) and first in ROOMS and not word.endswith(".py"):
        return _is_module_or_in_one(word.split("."))
    return True


def _is_module_or_in_one(parts: list[str]) -> bool:
    count = next(n for n in range(len(parts), 0, -1) if n == 1 or _is_module(SOURCE.joinpath(*parts[:n])))
    holder = importlib.import_module(".".join(["package_hunter", *parts[:count]]))
    for name in parts[count:]:
        if not hasattr(holder, name):
            return name in getattr(holder, "__annotations__", ())
        holder = getattr(holder, name)
    return True


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _places(document: Path) -> list[Path]:
    return [ROOT, SOURCE, document.parent, SOURCE / document.stem]


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    found = dead_links(document.read_text(encoding="utf-8"), document.parent)
    assert found == [], f"mend these links in {document.relative_to(ROOT)}, or bring the files back"


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_named_is_there(document: Path) -> None:
    found = set(dead_names(document.read_text(encoding="utf-8"), _places(document))) - AHEAD - OTHERS
    assert found == set(), f"it moved or is gone: say in {document.relative_to(ROOT)} where it is now"


def _recipes() -> Iterator[str]:
    for name in ("Makefile", "scripts/setup.sh", "scripts/lock.sh", ".ci/run"):
        for word in re.findall(r"(?<![\w./$-])[\w.-]+/[\w./-]*\w", (ROOT / name).read_text(encoding="utf-8")):
            if word.split("/")[0] in TOPS:
                yield f"{name}: {word}"


def test_the_makefile_and_scripts_name_files_that_are_there() -> None:
    assert [said for said in _recipes() if not (ROOT / said.split(": ")[1]).exists()] == []


def test_every_target_that_is_named_is_one_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in _documents():
        named = set(
            re.findall(r"(?:`|^    )make ([a-z][a-z-]*)", document.read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named <= targets, document


def test_each_decision_is_in_the_list() -> None:
    listed = _LINK.findall((ROOT / "docs/decisions/README.md").read_text(encoding="utf-8"))
    files = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert listed == files
    assert [name[:4] for name in files] == [f"{number:04}" for number in range(1, len(files) + 1)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [this](gone.md)", ["gone.md"]),
        ("see [this](here.md#part), [that](https://a.example/x.md)", []),
        ("![a](gone.png) and [b](here.md)", ["gone.png"]),
    ],
)
def test_a_dead_link_is_seen(tmp_path: Path, text: str, found: list[str]) -> None:
    (tmp_path / "here.md").touch()
    assert dead_links(text, tmp_path) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`enrich/blame_tree.py` and `enrich/`", ["enrich/blame_tree.py"]),
        ("`tests/unit/test_gone.py`, `tests/unit/test_docs.py`", ["tests/unit/test_gone.py"]),
        ("`enrich.blame`, `model.report.Report`, `config.Settings.scan_timeout`", ["enrich.blame"]),
        ("`model.report.Nothing`", ["model.report.Nothing"]),
        ("`/etc/passwd`, `package.json`, `fd.name`, `node_modules/`", []),
        ("`test_docs`, `test_docs.py`, `test_of_nothing`", ["test_of_nothing"]),
        ("```\nsensor/gone.py\n```", []),
    ],
)
def test_a_name_that_is_gone_is_seen(text: str, found: list[str]) -> None:
    assert dead_names(text, [ROOT, SOURCE]) == found


def test_the_changelog_is_in_order_and_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    found = [
        re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", release) for release in releases[1:]
    ]
    assert all(found), "a release is: ## [1.2.3] - 2026-11-29"
    keys = [(tuple(map(int, match.groups()[:3])), match[4]) for match in found if match]
    assert keys == sorted(keys, reverse=True)
    assert any(release.startswith(f"[{__version__}] ") for release in releases)
    groups = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert groups <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
