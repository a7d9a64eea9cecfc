"""Simulations through the whole system, as a user runs them; reports of theirs satisfy the schema."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.support import requires
from tests.support.hunter import ROOT, hunt, scan_json

SCHEMA = json.loads(resources.files("package_hunter.report").joinpath("schema/report-v1.json").read_text())
# one of each way: theft, worm, program in stages, native code, start-up file, gem, no I/O at all
CHOSEN = (
    "eslint-scope",
    "registry-worm",
    "ua-parser-js",
    "torchtriton",
    "litellm-pth",
    "rest-client",
    "git-hook",
)


@pytest.fixture(autouse=True)
def _host() -> None:
    requires.needs_btf()
    requires.needs_runc()


def test_chosen_simulations_are_caught() -> None:
    done = hunt("simulate", "--format", "json", "-q", *CHOSEN, timeout=240)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert set(rows) == set(CHOSEN)
    assert {n: (r["verdict"], r["by"], r["note"]) for n, r in rows.items() if not r["as_expected"]} == {}


# acts that add up to nothing: a service of its own; a line in a shell's start file; a program whose hash is checked
TWINS = ("persistence", "nx-s1ngularity", "ua-parser-js")


def test_honest_twins_are_not_accused() -> None:
    names = () if os.environ.get("PACKAGE_HUNTER_ALL_CASES") == "1" else TWINS
    done = hunt("simulate", "--honest", "--format", "json", "-q", *names, timeout=900)
    rows = json.loads(done.stdout)
    assert len(rows) == (len(names) or len(list((ROOT / "simulations/honest").glob("*/twin.toml"))))
    assert {r["name"]: (r["verdict"], r["by"], r["note"]) for r in rows if not r["as_expected"]} == {}
    assert done.returncode == 0, done.stderr[-2000:]


def test_falco_test_names_rule_host_process_and_package(tmp_path: Path) -> None:
    target = ROOT / "simulations/falco-test"
    report = scan_json(target)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["verdict"] == "suspicious"
    alert = next(a for a in report["alerts"] if a["rule"] == "Unexpected outbound connection destination")
    assert alert["priority"] == "Notice"
    assert alert["blame"]["package"] == "pkg:npm/maldep@1.0.0"
    assert alert["blame"]["script"] == "preinstall"
    contact = next(c for c in report["network"]["connections"] if c["name"] == "paste.example")
    assert contact["address"]
    text = " ".join(hunt("scan", target, "-q").stdout.split())
    for needed in (
        "SUSPICIOUS",
        "Unexpected outbound connection destination (NOTICE)",
        "paste.example",
        "maldep 1.0.0",
    ):
        assert needed in text
    assert re.search(r"wget -qO-", text)


def test_fingerprints_survive_a_new_version_and_another_project(tmp_path: Path) -> None:
    target = ROOT / "simulations/eslint-scope"
    other = tmp_path / "some-service-2"
    shutil.copytree(target, other)
    for name in ("package.json", "scope-lint/package.json"):
        text = (other / name).read_text().replace("1.0.0", "3.7.21")
        (other / name).write_text(text.replace('"name": "eslint-scope"', '"name": "some-service-2"'))
    first, second = (scan_json(where, codes=(1,)) for where in (target, other))
    assert first["packages"][0]["purl"] != second["packages"][0]["purl"]
    marks = [{f["fingerprint"]: f["kind"] for f in r["findings"]} for r in (first, second)]
    assert marks[0] == marks[1]
    assert "exfiltration" in marks[0].values()


def test_side_by_side_gives_what_one_after_the_other_gives() -> None:
    done = hunt(
        "simulate", "--format", "json", "-q", "--jobs", "2", "falco-test", "registry-worm", timeout=240
    )
    rows = json.loads(done.stdout)
    assert [(r["name"], r["verdict"]) for r in rows] == [
        ("falco-test", "suspicious"),
        ("registry-worm", "malicious"),
    ]
    assert done.returncode == 0
