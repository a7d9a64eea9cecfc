"""Requirement files: encodings, constraints, and which of several is read."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python import requirements
from package_hunter.ecosystems.python.asked import RequirementSet
from package_hunter.ecosystems.python.requirement_files import decoded
from package_hunter.ecosystems.tree import BoxTree


def wanted(folder: Path, **files: str | bytes) -> RequirementSet:
    for name, text in files.items():
        path = folder / name.replace("__", ".").replace("_SLASH_", "/").replace("_DASH_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return requirements.wanted(BoxTree(folder, "/p"), "/p")


@pytest.mark.parametrize(
    "raw",
    [
        "idna==3.7\nsix\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "idna==3.7\r\nsix".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "idna==3.7\nsix".encode("utf-32-le"),
        codecs.BOM_UTF8 + b"idna==3.7\nsix",
        b"# -*- coding: latin-1 -*-\n# caf\xe9\nidna==3.7\nsix",
        b"# coding: rot13\nidna==3.7\nsix",  # no encoding of text
        b"# coding: no-such\nidna==3.7\nsix",
        b"idna==3.7\nsix # \xff\xfe",
    ],
)
def test_encodings_are_pips(tmp_path: Path, raw: bytes) -> None:
    assert wanted(tmp_path, requirements__txt=raw).lines == ["idna==3.7", "six"]


def test_any_bytes_become_text() -> None:
    assert decoded(codecs.BOM_UTF16_LE + b"a") == "\ufffd"
    assert decoded(b"") == ""


def test_constraints_limit_and_ask_for_nothing(tmp_path: Path) -> None:
    found = wanted(
        tmp_path,
        requirements__txt="-c limits/a.txt\n--constraint=limits/b.txt\nidna\n",
        limits_SLASH_a__txt="idna==3.6 --hash=sha256:aa\n-r b.txt # its lines limit, too\n",
        limits_SLASH_b__txt="six<2 ; python_version > '3'\n-r ../requirements.txt\n--index-url https://x.example\n",
    )
    assert found.lines == ["idna"] and found.names == ["idna"]
    assert found.constraints == ["idna==3.6", "six<2 ; python_version > '3'", "idna"]
    assert not found.unread


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-c https://x.example/c.txt", "https://x.example/c.txt lies outside of the project"),
        ("-c ../c.txt", "../c.txt lies outside of the project"),
        ("-c gone.txt", "gone.txt could not be read"),
        ("-c elsewhere.txt", "The constraint six @ https://x.example/six.whl was not heeded"),
    ],
)
def test_constraints_that_are_not_heeded_are_told(tmp_path: Path, line: str, said: str) -> None:
    found = wanted(
        tmp_path, requirements__txt=f"{line}\nidna\n", elsewhere__txt="six @ https://x.example/six.whl\n"
    )
    assert len(found.unread) == 1 and said in found.unread[0]


@pytest.mark.parametrize(
    ("files", "source", "beside"),
    [
        (
            ("requirements/base.txt", "requirements/production.txt"),
            "requirements/production.txt",
            ["base.txt"],
        ),
        (("requirements.txt", "requirements-dev.txt"), "requirements.txt", ["requirements-dev.txt"]),
        (("requirements/dev.txt",), "requirements/dev.txt", []),
        (("dev-requirements.txt",), "dev-requirements.txt", []),
        (("requirements.txt", "requirements.in"), "requirements.txt", []),
    ],
)
def test_other_requirement_files_are_named(
    tmp_path: Path, files: tuple[str, ...], source: str, beside: list[str]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("six\n")
    (plan,) = plans(stage("p", tmp_path), PlanOptions())
    found = requirements.wanted(BoxTree(tmp_path, "/p"), "/p")
    assert found.source == source
    told = " ".join(note for note in plan.notes if "does not include" in note)
    assert bool(told) is bool(beside) and all(name in told for name in beside)


def test_an_included_file_is_not_named(tmp_path: Path) -> None:
    found = wanted(
        tmp_path,
        requirements_SLASH_production__txt="-r base.txt\nsix\n",
        requirements_SLASH_base__txt="idna\n",
    )
    assert (found.lines, found.beside) == (["idna", "six"], [])
