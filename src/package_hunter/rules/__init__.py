"""Falco's rule language: loading, compiling, matching, explaining.

ruleset = load_rules([Path("mine.yaml")])          # built-in rules, then these
matcher = compile_matcher(ruleset, source)           # source: where field values come from
for rule in matcher.matches(event):
    alert = matcher.alert(rule, event)
"""

from package_hunter.rules.compile.engine import Matcher, compile_matcher
from package_hunter.rules.load import builtin_files, check_rules, load_rules
from package_hunter.rules.model import Problem, Rule, RuleSet

__all__ = [
    "Matcher",
    "Problem",
    "Rule",
    "RuleSet",
    "builtin_files",
    "check_rules",
    "compile_matcher",
    "load_rules",
]
