"""What `make lint` is told: the list of names that only look dead holds none that is gone."""

from __future__ import annotations

import re
import tomllib

from tests.support.requires import ROOT


def test_each_name_of_the_allow_list_is_in_the_source() -> None:
    text = (ROOT / "scripts/vulture_allow.py").read_text(encoding="utf-8").split('"""')[2]
    listed = re.sub(r"#.*", "", text)
    names = set(re.findall(r"\w+", listed)) - {"_"}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert sorted(names - set(re.findall(r"\w+", source))) == [], "take these out of scripts/vulture_allow.py"


def test_development_needs_the_same_tools_in_both_lists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {re.split(r"[>=<\[]", line)[0] for line in project["dependency-groups"]["dev"]}
    locked = (ROOT / "requirements/dev.in").read_text(encoding="utf-8").split()
    assert asked <= {re.split(r"[>=<\[]", line)[0] for line in locked}
    pinned = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8").lower()
    assert [name for name in asked if f"\n{name.lower()}==" not in f"\n{pinned}"] == []
    assert "://" not in pinned
