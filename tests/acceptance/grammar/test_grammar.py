"""A handful of the fixed seed's attacks and their honest siblings, as dependencies of one project, in one scan: blame
for each package keeps them apart. `make grammar` runs hundreds."""

from __future__ import annotations

from pathlib import Path

from ci.grammar.factors import Combination, sample
from ci.grammar.judge import absent, outcome, wrong
from ci.grammar.write import both, project

from tests.support.hunter import scan_json
from tests.support.requires import needs_btf, needs_registry, needs_runc

_AT_ONCE = ("now", "exit", "double-fork")
_QUICK = ("preinstall", "postinstall", "import")


def _handful() -> list[Combination]:
    chosen = [c for c in sample(40, 40) if c.ecosystem == "npm" and c.trigger in _QUICK]
    return [c for c in chosen if c.timing in _AT_ONCE]


def test_attacks_of_the_fixed_seed_are_told_from_their_siblings(tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    needs_registry()
    chosen = _handful()
    assert len(chosen) >= 6
    packages = [made for number, c in enumerate(chosen) for made in both(number, c)]
    report = scan_json(project("npm", packages, tmp_path / "grammar"), "--exit-zero")
    assert absent(packages, report) == []
    assert wrong(outcome(made, report) for made in packages) == []
