"""What is to be built from its source archive, and what taken as a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.python import requirements
from package_hunter.ecosystems.python.formats import Formats, formats
from package_hunter.ecosystems.tree import BoxTree


def made(sources: str = "", wheels: str = "", rest: str = "") -> Formats:
    return Formats(frozenset(sources.split()), frozenset(wheels.split()), rest)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["idna", "--pre", "--prefer-binary"], made()),
        (["--no-binary Old.Thing,six"], made("old-thing six")),
        (["--no-binary=six", "--only-binary six"], made(wheels="six")),  # the later one wins
        (["--only-binary=six", "--no-binary=six"], made("six")),
        (["--no-binary :all:", "--only-binary six"], made(wheels="six", rest="sources")),
        (["--only-binary :all:", "--no-binary six"], made("six", rest="wheels")),
        (["--no-binary six,:all:,idna"], made("idna", rest="sources")),
        (["--no-binary :all:", "--no-binary :none:"], made()),
        (["--no-binary :all:", "--only-binary :all:"], made(rest="wheels")),
        (["--no-binary", "--no-binary -r x", "--no-binary ../x"], made()),  # not as pip has it
    ],
)
def test_options_count_as_pip_counts_them(lines: list[str], found: Formats) -> None:
    assert formats(lines) == found


def test_which_packages_come_from_their_source() -> None:
    asked = formats(["--no-binary :all:", "--only-binary Six"])
    assert asked.from_source("idna") and not asked.from_source("six")
    asked = formats(["--no-binary old.thing"])
    assert asked.from_source("Old_Thing") and not asked.from_source("idna")


def test_uv_is_told_what_it_has_words_for() -> None:
    assert formats(["--no-binary b,a"]).for_uv() == ["--no-binary a", "--no-binary b"]
    assert formats(["--only-binary :all:"]).for_uv() == ["--only-binary :all:"]
    assert formats(["--no-binary :all:", "--only-binary six"]).for_uv() == ["--only-binary six"]


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"uv.toml": 'no-binary-package = ["six"]\n'}, ["--no-binary six"]),
        ({"pyproject.toml": "[tool.uv]\nno-binary = true\n"}, ["--no-binary :all:"]),
        ({"pyproject.toml": "[tool.uv]\nno-binary = false\n"}, []),
        (
            {"uv.toml": "", "pyproject.toml": '[tool.uv]\nno-binary-package = ["a", "-r b"]\n'},
            ["--no-binary a"],
        ),
        ({"poetry.toml": '[installer]\nno-binary = ["six"]\n'}, []),  # another tool's
    ],
)
def test_uvs_own_settings_count_for_its_lock(
    tmp_path: Path, files: dict[str, str], options: list[str]
) -> None:
    lock = (
        '[[package]]\nname = "six"\nversion = "1.0"\nsource = {registry = "https://index.example/simple"}\n'
    )
    for name, text in ({"uv.lock": lock} | files).items():
        (tmp_path / name).write_text(text)
    assert requirements.wanted(BoxTree(tmp_path, "/p"), "/p").lines[1:] == options


@pytest.mark.parametrize(
    ("value", "options"),
    [
        ('["Six", ":none:"]', ["--no-binary Six", "--no-binary :none:"]),
        ("true", ["--no-binary :all:"]),
        ('"six,idna"', ["--no-binary six", "--no-binary idna"]),
        ("3", []),
    ],
)
def test_poetrys_own_settings_count_for_its_lock(tmp_path: Path, value: str, options: list[str]) -> None:
    (tmp_path / "poetry.lock").write_text('[[package]]\nname = "six"\nversion = "1.0"\n')
    (tmp_path / "poetry.toml").write_text(f"[installer]\nno-binary = {value}\n")
    assert requirements.wanted(BoxTree(tmp_path, "/p"), "/p").lines == ["six==1.0", *options]
