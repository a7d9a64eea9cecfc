"""Which manager a project uses, and what is said where its lock file does not decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.npm import choice
from package_hunter.ecosystems.npm.listed import Pnpm, YarnBerry, YarnClassic
from package_hunter.ecosystems.npm.managers import Bun, Manager, Npm
from package_hunter.ecosystems.tree import BoxTree

P = "/p"
PNPM = "lockfileVersion: '9.0'\n"
BERRY = "__metadata:\n  version: 8\n"


def _choice(folder: Path, asked: str | None = None, **files: str) -> Manager:
    for name, text in files.items():
        (folder / name.replace("__", ".").replace("_", "-")).write_text(text)
    manifest = {"dependencies": {"ms": "^2"}} | ({"packageManager": asked} if asked else {})
    return choice.manager(BoxTree(folder, P), P, manifest)


@pytest.mark.parametrize(
    ("files", "asked", "kind"),
    [
        ({"package_lock__json": "{}"}, None, Npm),
        ({"yarn__lock": ""}, None, YarnClassic),
        ({"yarn__lock": BERRY}, None, YarnBerry),
        ({"pnpm_lock__yaml": PNPM}, None, Pnpm),
        ({"bun__lock": "{}"}, None, Bun),
        ({"pnpm_lock__yaml": PNPM, "package_lock__json": "{}"}, "pnpm@9.1.0", Pnpm),
        ({"pnpm_lock__yaml": PNPM, "package_lock__json": "{}"}, None, Npm),
        ({"yarn__lock": ""}, "pnpm@9.1.0", YarnClassic),
        ({}, "pnpm@9.15.9", Pnpm),
        ({}, "yarn@1.22.22", YarnClassic),
        ({}, "yarn@4.6.0", YarnBerry),
        ({}, "bun@1.2.4", Npm),
        ({}, "npm@10.0.0", Npm),
        ({}, None, Npm),
        ({"pnpm_workspace__yaml": "packages: []"}, None, Pnpm),
    ],
)
def test_the_manager(tmp_path: Path, files: dict[str, str], asked: str | None, kind: type[Manager]) -> None:
    made = _choice(tmp_path, asked, **files)
    assert type(made) is kind
    if not any("lock" in name for name in files):
        assert any("no lock file" in note for note in made.notes)


def test_a_binary_lock_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "bun.lockb").write_bytes(b"\0")
    assert "bun.lockb" in _choice(tmp_path).notes[0]


@pytest.mark.parametrize(
    ("asked", "lock", "wanted"),
    [
        ("pnpm@9.15.9", None, "pnpm@9.15.9"),
        ("pnpm@9.15.9+sha512.ab", PNPM, "pnpm@9.15.9"),
        ("pnpm@10.1.0", PNPM, "pnpm@10.1.0"),
        ("pnpm@8.1.0", PNPM, "pnpm@9"),
        ("pnpm@8.1.0", "lockfileVersion: '6.0'\n", "pnpm@8.1.0"),
        ("pnpm@latest", None, "pnpm@9"),
        ("pnpm@9.15.9; x", None, "pnpm@9"),
    ],
)
def test_the_version_of_pnpm(asked: str, lock: str | None, wanted: str) -> None:
    assert f"--package={wanted}" in Pnpm({"packageManager": asked}, lock).fetch


CONFLICT = '{\n<<<<<<< HEAD\n"lockfileVersion": 3\n=======\n"lockfileVersion": 2\n>>>>>>> other\n}\n'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "package_lock__json",
            CONFLICT,
            "package-lock.json could not be read (it holds the marks of an unsolved merge)",
        ),
        ("npm_shrinkwrap__json", CONFLICT, "npm-shrinkwrap.json could not be read (it holds the marks"),
        (
            "package_lock__json",
            '{"lockfileVersion": 3, "pack',
            "package-lock.json could not be read. So versions were",
        ),
        ("package_lock__json", "[]", "package-lock.json could not be read. So versions were"),
    ],
)
def test_a_broken_lock_file_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    (note,) = _choice(tmp_path, **{name: text}).notes
    assert note.startswith(said)
    assert "resolved at the time of this scan" in note
