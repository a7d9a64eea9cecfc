"""The generated code is as good to look at as any other."""

from __future__ import annotations

import traceback
from pathlib import Path

from package_hunter.rules import compile_matcher, load_rules
from package_hunter.rules.source import DictSource

_RULE = """
- rule: Opened
  desc: d
  condition: evt.type=openat and fd.name = /etc/shadow
  output: o
  priority: NOTICE
"""


class _Broken:
    """An event that cannot be judged."""

    def __init__(self, number: int) -> None:
        self.type = number


def test_a_traceback_shows_the_generated_line(tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(_RULE)
    matcher = compile_matcher(load_rules([tmp_path / "rule.yaml"], builtin=False), DictSource())
    number = min(matcher.event_types)
    try:
        matcher.matches(_Broken(number))
    except Exception as error:
        shown = "".join(traceback.format_exception(error))
    assert "in match" in shown
    assert "rules for openat" in shown
    assert any("'/etc/shadow'" in line for line in shown.splitlines()), shown
    assert matcher.source(number) is not None
