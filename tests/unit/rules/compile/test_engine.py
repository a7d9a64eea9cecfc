"""The generated function that docs/rules.md shows is the one that is generated."""

from __future__ import annotations

import re
from pathlib import Path

from package_hunter.enrich.fields.source import Fields
from package_hunter.rules import compile_matcher, load_rules
from tests.support.requires import ROOT


def test_the_generated_function_in_the_docs_is_what_is_generated(tmp_path: Path) -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    rules, code = _block(text, "yaml", "- rule: Shell history read"), _block(text, "python", "def match(")
    (tmp_path / "two.yaml").write_text(rules)
    matcher = compile_matcher(load_rules([tmp_path / "two.yaml"], builtin=False), Fields())
    sources = {matcher.source(number) for number in matcher.event_types}
    assert sources == {code}


def _block(text: str, language: str, start: str) -> str:
    found = re.search(rf"```{language}\n({re.escape(start)}.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]
