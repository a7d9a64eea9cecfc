"""The table of kinds in docs/verdicts.md is what the judge uses; the report's schema lists the same kinds."""

from __future__ import annotations

import json
import os
import re
from importlib import resources
from pathlib import Path

import yaml

from package_hunter.findings.catalog import Class, Combination, Step, combinations, kinds

DOC = Path(__file__).resolve().parents[3] / "docs/verdicts.md"
MARKS = re.compile(r"<!-- kinds -->\n.*?<!-- /kinds -->", re.S)


def table() -> str:
    rows = ["| kind | class | severity | why it is here | what lowers it |", "|---|---|---|---|---|"]
    rows += [
        f"| `{k.name}` | {k.weight.name.lower()} | {k.severity} | {k.raised} | {k.lowers} |"
        for k in sorted(kinds().values(), key=lambda k: (-k.weight, k.name))
    ]
    return "\n".join(["<!-- kinds -->", *rows, "<!-- /kinds -->"])


def test_table_in_the_docs_is_true() -> None:
    text = DOC.read_text(encoding="utf-8")
    if os.environ.get("PACKAGE_HUNTER_GOLDEN") == "1":
        text = MARKS.sub(lambda _: table(), text)
        DOC.write_text(text, encoding="utf-8")
    found = MARKS.search(text)
    assert found
    assert found[0] == table()


def combination_table() -> str:
    head = ("combination", "finding", "within", "of the same", "steps", "the act that no honest program has")
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for c in combinations():
        joined = (" → " if c.ordered else " + ").join(_step(step) for step in c.steps)
        rows.append(f"| `{c.name}` | `{c.kind}` | {c.within:.0f} s | {_scope(c)} | {joined} | {c.act} |")
    return "\n".join(["<!-- combinations -->", *rows, "<!-- /combinations -->"])


def _scope(combination: Combination) -> str:
    return combination.scope + (", two scripts" if combination.apart else "")


def _step(step: Step) -> str:
    kinds_of = " or ".join(f"`{kind}`" for kind in sorted(step.kinds))
    least = step.where.get("at_least", {})
    facts = [f"at least {least[name]} {name}" for name in least]
    facts += [name.replace("_", " ") for name, wanted in step.where.items() if wanted is True]
    facts += [("not " if known else "") + name.replace("_", " ") for name, known in step.unless.items()]
    facts += [f"after step {step.after + 1}"] if step.after is not None else []
    return kinds_of + (f" ({', '.join(facts)})" if facts else "")


def test_table_of_combinations_is_true() -> None:
    text = DOC.read_text(encoding="utf-8")
    marks = re.compile(r"<!-- combinations -->\n.*?<!-- /combinations -->", re.S)
    if os.environ.get("PACKAGE_HUNTER_GOLDEN") == "1":
        text = marks.sub(lambda _: combination_table(), text)
        DOC.write_text(text, encoding="utf-8")
    found = marks.search(text)
    assert found
    assert found[0] == combination_table()


def test_schema_lists_the_same_kinds() -> None:
    schema = json.loads(
        resources.files("package_hunter.report").joinpath("schema/report-v1.json").read_text()
    )
    assert set(schema["$defs"]["finding"]["properties"]["kind"]["enum"]) == set(kinds())


def test_built_in_rules_carry_a_kind_that_is_known_and_one_class() -> None:
    text = resources.files("package_hunter.rules").joinpath("builtin/package_install.yaml").read_text()
    rules = [item for item in yaml.safe_load(text) if "rule" in item]
    assert rules
    for rule in rules:
        found = [tag[5:] for tag in rule["tags"] if tag.startswith("kind:")]
        assert len(found) == 1 and found[0] in kinds(), rule["rule"]
        assert sum(tag in ("proof", "suspicious", "info") for tag in rule["tags"]) == 1, rule["rule"]


def test_every_kind_is_whole() -> None:
    for kind in kinds().values():
        assert kind.severity in ("critical", "high", "medium", "low", "info"), kind.name
        assert kind.raised.endswith("."), kind.name
        assert kind.lowers.endswith("."), kind.name
        assert all(a.endswith(".") for a in kind.advice), kind.name
        assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", t) for t in kind.attack), kind.name


def test_each_combination_is_proof_by_an_act_that_it_names() -> None:
    for combination in combinations():
        assert kinds()[combination.kind].weight is Class.PROOF or combination.kind == "dns_channel"
        assert len(combination.act) > 30 and combination.act.endswith("."), combination.name
        assert not combination.title.endswith(" "), combination.name
        asked = set(re.findall(r"{(\w+)}", combination.title))
        assert asked <= {"took", "where", "program", "place"}
        if "took" in asked:
            assert any("credential_access" in step.kinds for step in combination.steps), combination.name
    assert len({c.act for c in combinations()}) == len(combinations())
