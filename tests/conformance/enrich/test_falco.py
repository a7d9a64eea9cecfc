"""Our enrichment and rules on recordings of a real Falco: the same fields, the same alerts, word for word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import falco_compare as compare
from tests.support.requires import ROOT, needs_shared

RULES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
BOX = {
    "container.id": "3ad7b26ded6d",
    "container.name": "web",
    "container.type": "docker",
    "container.image.repository": "docker.io/library/node",
    "container.image.tag": "20",
}
VARIANTS = {
    "alerts": (RULES[:1], ["--rule-matching", "first"]),
    "alerts_all": (RULES, ["--rule-matching", "all", "--enable-all"]),
    "alerts_container": (RULES, ["--enable-all", "--container", json.dumps(BOX)]),
}


def test_fields_are_falcos() -> None:
    rows = compare.compare(needs_shared("falco-captures"))
    unexplained = {k: r.examples for k, r in rows.items() if r.different and k not in compare.WHY}
    assert not unexplained
    assert len(rows) >= 220
    assert sum(r.compared for r in rows.values()) > 1_500_000
    table = (ROOT / "docs" / "field-conformance.md").read_text(encoding="utf-8")
    assert table == compare.table(rows), "run python -m tests.support.falco_compare"


@pytest.mark.parametrize("capture", compare.CAPTURES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_alerts_are_falcos(capture: str, variant: str) -> None:
    captures, rules = needs_shared("falco-captures"), needs_shared("falco-rules")
    files, options = VARIANTS[variant]
    command = [
        str(Path(sys.executable).parent / "package-hunter"),
        "replay",
        str(captures / f"{capture}.scap"),
    ]
    command += ["--no-builtin-rules", "--format", "falco", "--fail-on", "never", *options]
    for name in files:
        command += ["--rules", str(rules / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    expected = (captures / f"{capture}.{variant}.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in done.stdout.splitlines()] == [json.loads(line) for line in expected]
