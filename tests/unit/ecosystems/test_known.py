"""Which ecosystems there are: said once, in one order, to every process; and what a folder leaves out is named."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from package_hunter import ecosystems
from package_hunter.ecosystems import known
from package_hunter.ecosystems.interface import Ecosystem, Planning
from package_hunter.model import ecosystem as model
from package_hunter.model.ecosystem import Facts, derived, facts_of, from_data, names, to_data

_ROOT = Path(__file__).resolve().parents[3]
# every program of ours, and what reports are made by
_PROGRAMS = (
    "import package_hunter.client.htr",
    "import package_hunter.api.app",
    "import package_hunter.pipeline",
    "import package_hunter.ecosystems.gateway",
    "from package_hunter.cli.main import build_app; build_app('diff')",
)


@pytest.fixture
def others() -> Iterator[None]:
    """The list may be another one until the end of a test."""
    yield
    known.use()


def test_the_order_is_that_of_the_list() -> None:
    assert [one.facts.name for one in known.ecosystems()] == ["npm", "pypi", "gem"]
    assert [one.name for one in model.known()] == ["npm", "pypi", "gem"]


@pytest.mark.parametrize("program", _PROGRAMS)
def test_every_program_knows_them(program: str) -> None:
    text = (
        f"{program}\nfrom package_hunter.model.ecosystem import known\nprint([one.name for one in known()])"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['npm', 'pypi', 'gem']"


def test_to_be_asked_before_is_a_fault_that_says_what_to_do() -> None:
    text = "from package_hunter.report.location import files_of\nfiles_of('npm')"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert "import package_hunter.ecosystems.known first" in done.stderr


@pytest.mark.parametrize("one", known.ecosystems(), ids=lambda one: one.facts.name)
def test_each_is_whole(one: Ecosystem) -> None:
    assert known.missing(type(one)) == []
    assert one.facts.purl_type and all(one.facts.gitlab.values()) and one.facts.osv
    for name in (one.facts.name, one.facts.purl_type, *one.facts.managers):
        assert facts_of(name) is one.facts


def test_no_name_stands_for_two() -> None:
    every = [name for one in model.known() for name in {one.name, one.purl_type, *one.managers}]
    assert len(set(every)) == len(every)
    assert set(names()) == {name for one in model.known() for name in (one.name, *one.managers)}


def test_a_process_that_is_told_knows_the_same() -> None:
    assert from_data(json.loads(json.dumps(to_data(model.known())))) == model.known()
    assert {type(getattr(one, f.name)) for one in model.known() for f in fields(one)} <= {
        str, tuple, dict, model.Builds, type(None)
    }  # fmt: skip


@pytest.mark.parametrize(
    "facts, name, same",
    [("pypi", "Foo_.Bar", "foo-bar"), ("npm", "Foo_.Bar", "Foo_.Bar"), ("gem", "a-b_c", "a-b_c")],
)
def test_names_as_registries_compare_them(facts: str, name: str, same: str) -> None:
    found = facts_of(facts)
    assert found is not None and found.normal(name) == same


def test_what_is_derived_follows_the_list(others: None) -> None:
    @derived
    def first(facts: tuple[Facts, ...]) -> str:
        return facts[0].name

    assert first() == "npm"
    model.use(replace(one, name=f"{one.name}2") for one in model.known())
    assert first() == "npm2"


class _NoFacts(Ecosystem):
    def planning(self) -> Planning:
        raise NotImplementedError


class _NoPlanning(Ecosystem):
    facts: ClassVar[Facts] = Facts(
        "made", ("made",), "generic", ("made.json",), ("made.json",), gitlab={"made": "npm"}
    )


class _Bare(Ecosystem):
    facts: ClassVar[Facts] = Facts("made", ("made",), "generic", (), ())

    def planning(self) -> Planning:
        raise NotImplementedError


class _NoFront(_NoFacts):
    facts: ClassVar[Facts] = replace(
        _NoPlanning.facts, built_in=(model.BuiltIn(("usr/bin/made",), "(https?://.*)"),)
    )


@pytest.mark.parametrize(
    "kind, parts",
    [
        (_NoFacts, ["facts: "]),
        (_NoPlanning, ["planning: "]),
        (_Bare, ["manifests: ", "pins: ", "gitlab: "]),
        (_NoFront, ["host, though", "front, though"]),
    ],
)
def test_what_a_folder_leaves_out_is_named(others: None, kind: type[Ecosystem], parts: list[str]) -> None:
    with pytest.raises(known.IncompleteEcosystemError) as caught:
        known.use((*known.ECOSYSTEMS, kind))
    lines = str(caught.value).splitlines()
    assert len(lines) == len(parts)
    assert all(part in line and "The ecosystem of " in line for part, line in zip(parts, lines, strict=True))
    assert len(known.ecosystems()) == 3  # a list that is wrong replaces nothing


@pytest.mark.parametrize("changed", [{"name": "npm"}, {"managers": ("uv",)}, {"purl_type": "gem"}])
def test_two_may_not_have_one_name(others: None, changed: dict[str, Any]) -> None:
    facts = replace(_NoPlanning.facts, **changed)
    kind = type("Twice", (_NoFacts,), {"facts": facts, "__module__": __name__})
    (name,) = (value if isinstance(value, str) else value[0] for value in changed.values())
    with pytest.raises(
        known.IncompleteEcosystemError, match=f"claims the name “{name}”, which package_hunter"
    ):
        known.use((*known.ECOSYSTEMS, kind))
    assert len(known.ecosystems()) == 3


def test_the_import_contracts_name_every_folder() -> None:
    told = tomllib.loads((_ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    home = Path(ecosystems.__file__).parent
    folders = {f"package_hunter.ecosystems.{path.parent.name}" for path in home.glob("*/interface.py")}
    assert folders == {kind.__module__.rpartition(".")[0] for kind in known.ECOSYSTEMS}
    protected = next(one for one in told if one["type"] == "protected")
    independent = next(one for one in told if one["type"] == "independence")
    assert set(protected["protected_modules"]) == set(independent["modules"]) == folders
    assert protected["allowed_importers"] == ["package_hunter.ecosystems.known"]
