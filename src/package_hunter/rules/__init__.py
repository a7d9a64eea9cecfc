"""Falco's rule language: loading, compiling, matching, explaining.

ruleset = load_rules([Path("mine.yaml")])          # built-in rules, then these
engine = compile_engine(ruleset, source)           # source: where field values come from
for rule in engine.matches(event):
    alert = engine.alert(rule, event)
"""

from package_hunter.rules.compile.engine import Engine, compile_engine
from package_hunter.rules.load import builtin_files, check_rules, load_rules
from package_hunter.rules.model import Problem, Rule, RuleSet

__all__ = [
    "Engine",
    "Problem",
    "Rule",
    "RuleSet",
    "builtin_files",
    "check_rules",
    "compile_engine",
    "load_rules",
]
