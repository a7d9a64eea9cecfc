"""A sample of the corpus (`make corpus` scans all): the tree that the package manager makes, and no accusation."""

from __future__ import annotations

from pathlib import Path

import pytest
from ci.corpus import box, items, trees
from ci.corpus.items import CI, PROJECTS, Item

from tests.support.requires import needs_asking, needs_btf, needs_registry, needs_runc

SAMPLE = [item for item in items.projects() if item.sample]
_IN_CI = frozenset({"npm-workspaces-object", "yarn4-pnp", "pip-own-ext", "uv-pylock", "ruby-lock", "lerna"})


def test_the_sample_is_of_many_kinds() -> None:
    assert len(SAMPLE) == 12
    assert len({item.manager for item in SAMPLE}) >= 9
    assert {item.name for item in SAMPLE} >= _IN_CI


@pytest.mark.parametrize("item", SAMPLE, ids=lambda item: item.name)
def test_a_project_is_installed_as_outside_and_not_accused(item: Item, tmp_path: Path) -> None:
    if item.name not in _IN_CI:
        needs_asking("PACKAGE_HUNTER_ALL_CASES", "all projects of the sample")
    needs_btf()
    needs_runc()
    needs_registry()
    seen = box.scan(item, tmp_path / "report.json")
    assert (seen.verdict, seen.findings, seen.reasons) == ("no_findings", (), ())
    outside = trees.kept(CI / f"trees/{item.name}.txt")
    assert trees.differences(outside, seen.tree, trees.own_names(PROJECTS / item.name)) == ([], [])
