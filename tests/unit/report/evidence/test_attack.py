"""ATT&CK techniques by tactic."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

from package_hunter.report.evidence import Exhibits
from package_hunter.report.evidence.attack import names
from package_hunter.report.sample import sample

_ID = re.compile(r"\bT1\d{3}(?:\.\d{3})?\b")


def test_each_technique_that_rules_and_kinds_name_has_its_name() -> None:
    found: set[str] = set()
    for package, folder in (("findings", "data"), ("rules", "builtin")):
        for file in resources.files(f"package_hunter.{package}").joinpath(folder).iterdir():
            if file.name.endswith(".yaml"):
                found |= set(_ID.findall(file.read_text(encoding="utf-8")))
    assert len(found) > 40
    assert found - set(names()) == set()


def test_tactics_come_in_the_order_of_an_attack() -> None:
    [finding, *_] = sample().findings
    report = replace(sample(), findings=(replace(finding, attack=("T1041", "T1552.001", "T9999")),))
    tactics = Exhibits(report).attack
    assert [(tactic, [one.id for one in those]) for tactic, those in tactics] == [
        ("Credential Access", ["T1552.001"]),
        ("Exfiltration", ["T1041"]),
        ("", ["T9999"]),
    ]
