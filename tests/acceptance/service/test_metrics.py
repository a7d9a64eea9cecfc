"""What a running server exposes, and the files that name it: alert rules and dashboard (deploy/)."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.requires import ROOT, if_installed
from tests.support.service_harness import Running, open_folder, running, wait_for

RULES = ROOT / "deploy/prometheus/package-hunter.rules.yml"
BOARD = ROOT / "deploy/grafana/package-hunter.json"
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_BRACES = re.compile(r"(package_hunter_\w+)\{([^}]*)\}")
_SCRAPED = {"instance", "job"}  # Prometheus adds them
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gauge": ("",),
}


@pytest.fixture(scope="module")
def exposed() -> Iterator[str]:
    """The figures of a server after a scan, a refused login, a drill and a chore."""
    with open_folder() as folder, running(folder, clock_seconds=0.2) as server:
        assert server.ended(server.submit(b"malicious"))["status"] == "finished"
        assert server.client.get("/api/v1/scans", auth=("ana", "wrong")).status_code == 401
        wait_for(lambda: 'chore="drill"' in _text(server))
        yield _text(server)


def _text(server: Running) -> str:
    return server.client.get("/metrics").text


def _names(text: str) -> dict[str, set[str]]:
    """Every name that a query can use -> the labels that were seen with it."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for suffix in _SUFFIXES[family.type]:
            found.setdefault(family.name + suffix, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def _queries() -> dict[str, str]:
    """Where it stands -> the query, of both files."""
    panels = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    found = {f"panel {p['title']} {t['refId']}": t["expr"] for p in panels for t in p["targets"]}
    return found | {f"alert {rule['alert']}": rule["expr"] for rule in _rules()}


def test_each_metric_that_a_file_names_is_exposed(exposed: str) -> None:
    names = _names(exposed)
    for where, query in _queries().items():
        asked = {word for word in _WORD.findall(query) if word.startswith("package_hunter_")}
        assert asked or "up{" in query, where
        assert asked <= set(names), f"{where} asks for what no server has: {sorted(asked - set(names))}"


def test_each_label_that_a_file_asks_for_is_one_of_its_metric(exposed: str) -> None:
    names = _names(exposed)
    for where, query in _queries().items():
        for metric, inside in _BRACES.findall(query):
            asked = set(re.findall(r"(\w+)\s*[=!]", inside))
            assert asked <= names[metric] | _SCRAPED, where


def test_the_files_would_find_a_metric_that_is_gone(exposed: str) -> None:
    """The check itself: a name that no server has is seen."""
    assert "package_hunter_no_such" not in _names(exposed)
    assert "package_hunter_drill_failed" in _names(exposed)


def test_each_alert_says_what_happened_and_how_bad_it_is() -> None:
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert rule["annotations"]["description"], rule["alert"]


def test_prometheus_itself_takes_the_rules_and_the_figures(exposed: str, tmp_path: Path) -> None:
    promtool = if_installed("promtool", "Debian's package starts a server of its own")
    done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run([promtool, "check", "metrics"], input=exposed, capture_output=True, text=True)
    assert "error while linting" not in done.stderr, done.stderr


def test_the_dashboard_asks_the_source_that_its_reader_chooses_and_panels_do_not_overlap() -> None:
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
