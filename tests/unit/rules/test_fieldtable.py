"""The table of fields in docs/rules.md is the code's."""

from __future__ import annotations

from package_hunter.model.fields import field_catalogue
from package_hunter.rules.fieldtable import update
from tests.support.requires import ROOT


def test_the_table_of_fields_is_current() -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    assert update(text) == text, "run: python -m package_hunter.rules.fieldtable"
    assert all(f"| `{name}` |" in text for name in field_catalogue())
