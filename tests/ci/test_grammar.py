"""The attack grammar's generator: the same for the same seed, harmless by its form, and judged as told."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ci.grammar.document import part, put
from ci.grammar.factors import (
    CHANNELS,
    CLOAKS,
    ENCODINGS,
    SECRETS,
    TIMINGS,
    TRIGGERS,
    Combination,
    fits,
    sample,
)
from ci.grammar.judge import absent, as_json, from_json, outcome, share_noticed, table, wrong
from ci.grammar.write import Made, both, project, write

from tests.support.requires import needs_program

ONE = Combination("npm", "postinstall", "ssh", "base64", "post", "child", "now")
ATTACK, SIBLING = both(0, ONE)


def test_a_seed_gives_the_same_packages_each_time() -> None:
    assert sample(40, 40) == sample(40, 40) != sample(41, 40)


def test_a_sample_holds_each_value_of_each_factor() -> None:
    found = sample(40, 500)
    assert len(set(found)) == 500 and all(map(fits, found))
    every = [value for factor in (SECRETS, ENCODINGS, CHANNELS, CLOAKS, TIMINGS) for value in factor]
    counts = Counter(value for c in found for value in (c.secret, c.encoding, c.channel, c.cloak, c.timing))
    assert not [value for value in every if not counts[value]]
    assert {(c.ecosystem, c.trigger) for c in found} >= {(e, t) for e in ("npm", "pypi") for t in TRIGGERS[e]}


def test_what_has_no_meaning_is_left_out() -> None:
    assert fits(ONE)
    assert not fits(replace(ONE, trigger="pth"))
    assert not fits(replace(ONE, cloak="memfd"))
    assert not fits(replace(ONE, cloak="curl", channel="dns"))
    assert not fits(replace(ONE, secret="environment", cloak="env-i"))


@pytest.mark.parametrize("ecosystem", ["npm", "pypi", "rubygems"])
def test_packages_ask_only_their_own_reserved_name_and_only_in_the_box(
    ecosystem: str, tmp_path: Path
) -> None:
    chosen = [c for c in sample(3, 200) if c.ecosystem == ecosystem][:12]
    packages = [made for number, c in enumerate(chosen) for made in both(number, c)]
    folder = project(ecosystem, packages, tmp_path / "project")
    for made in packages:
        files = [path for path in (folder / made.name).rglob("*") if path.is_file()]
        assert all("Harmless simulation" in path.read_text() for path in files if path.suffix != ".pth")
        acts = [path.read_text() for path in files if path.stem == "act"]
        assert len(acts) == 1 and made.host in acts[0]
        assert "198" in acts[0] and acts[0].count("sealed") >= 2  # defined, and asked
        assert made.host.endswith(".example")


def test_a_sibling_differs_in_what_it_reads_alone(tmp_path: Path) -> None:
    for made in (ATTACK, SIBLING):
        write(made, tmp_path / made.name)
    for name in ("start.js", "launch.js", "act.js", "package.json"):
        texts = [(tmp_path / m.name / name).read_text().replace(m.name, "NAME") for m in (ATTACK, SIBLING)]
        assert texts[0].replace('"honest": false', '"honest": true') == texts[1]


def test_generated_code_can_be_read_by_its_language(tmp_path: Path) -> None:
    needs_program("node")
    for number, c in enumerate([ONE, replace(ONE, ecosystem="pypi", trigger="setup.py")]):
        write(both(number, c)[0], tmp_path / c.ecosystem)
    for path in [*(tmp_path / "pypi").rglob("*.py"), *(tmp_path / "pypi").rglob("*.dat")]:
        ast.parse(path.read_text(), str(path))
    for path in (tmp_path / "npm").glob("*.js"):
        subprocess.run([str(shutil.which("node")), "--check", path], check=True)


def test_outside_of_the_box_a_package_reads_nothing(tmp_path: Path) -> None:
    needs_program("node")
    write(SIBLING, tmp_path / "it")
    (tmp_path / "it/notice.txt").unlink()  # so a read would be an error
    done = subprocess.run(
        [str(shutil.which("node")), tmp_path / "it/act.js"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def _finding(package: str | None, **more: Any) -> dict[str, Any]:
    blame = {"package": package}
    found = {
        "severity": "high",
        "waived": None,
        "proof": False,
        "kind": "exfiltration",
        "title": "",
        "evidence": [],
    }
    return {**found, "blame": blame, **more}


def _report(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"findings": list(findings), "packages": [{"purl": f"{ATTACK.purl}@1.0.0"}]}


@pytest.mark.parametrize(
    ("finding", "attack", "sibling"),
    [
        (_finding(f"{ATTACK.purl}@1.0.0", proof=True), "malicious", "missed"),
        (_finding(f"{ATTACK.purl}@1.0.0"), "noticed", "missed"),
        (_finding(f"{ATTACK.purl}@1.0.0", severity="info"), "missed", "missed"),
        (_finding(None, title=f"It contacted {ATTACK.host}"), "somebody else", "missed"),
        (_finding(None, proof=True, title=f"{SIBLING.host}"), "missed", "malicious"),
        (_finding("pkg:npm/x@1", proof=True, title=f"{SIBLING.host}"), "missed", "missed"),
        (_finding(f"{SIBLING.purl}@1.0.0", proof=True, title=f"{ATTACK.host}"), "somebody else", "malicious"),
        (_finding(f"{ATTACK.purl}-more@1.0.0", proof=True), "missed", "missed"),
    ],
)
def test_a_package_is_judged_by_what_is_blamed_on_it(
    finding: dict[str, Any], attack: str, sibling: str
) -> None:
    report = _report(finding)
    assert outcome(ATTACK, report).got == attack
    assert outcome(SIBLING, report).got == sibling
    assert absent([ATTACK, SIBLING], report) == [SIBLING]


def test_what_cannot_be_read_need_not_be_proven() -> None:
    noticed = _report(_finding(f"{ATTACK.purl}@1.0.0"))
    assert not outcome(ATTACK, noticed).right
    keyed = Made(replace(ONE, encoding="aes"), False, ATTACK.name)
    assert outcome(keyed, noticed).right
    assert wrong([outcome(ATTACK, noticed), outcome(keyed, noticed)])[0].startswith("attack")


def test_a_run_goes_on_with_what_was_found() -> None:
    for made in (ATTACK, SIBLING):
        found = outcome(made, _report(_finding(f"{ATTACK.purl}@1.0.0")))
        assert from_json(json.loads(json.dumps(as_json(found)))) == found


def test_the_table_counts_by_factor() -> None:
    found = [outcome(ATTACK, _report()), outcome(SIBLING, _report())]
    assert "| secret | ssh | 1 | 0 | 0 | 0 | 1 | 1 | 0 | 0 |" in table(found)
    assert share_noticed(found) == (0, 1)


def test_the_table_stands_in_the_document_once(tmp_path: Path) -> None:
    document = tmp_path / "evaluation.md"
    document.write_text("# Evaluation\n\nmore\n")
    put(document, "first")
    put(document, "second")
    assert document.read_text().startswith("# Evaluation\n\nmore\n\n<!-- grammar")
    assert part(document.read_text()).splitlines()[1:-1] == ["second"]
    assert part("# nothing") == ""
