"""What of a recording is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from package_hunter.cli.main import build_app
from package_hunter.enrich.convert import pack
from package_hunter.enrich.kinds import kind_of
from package_hunter.model.table import ProcEntry, StartState
from package_hunter.sensor.scap import ScapWriter

GOOD: dict[str, Any] = {
    "init_pid": 7,
    "driver": "node x ",
    "canaries": {"/home/dev/.npmrc": "c1"},
    "inodes": [[1, 2, "c1"]],
    "fetches_alone": True,
}


def _replayed(recording: Path, rules: Path, *options: str) -> list[tuple[str, int]]:
    """Name and process of each alert."""
    command = ["replay", str(recording), "--no-builtin-rules", "--rules", str(rules), "--format", "falco"]
    done = CliRunner().invoke(build_app("replay"), [*command, *options])
    assert done.exit_code == 0, done.output
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    return [(alert["rule"], alert["output_fields"]["proc.pid"]) for alert in alerts]


def test_what_a_scan_leaves_out_is_judged_where_it_is_asked_for(tmp_path: Path) -> None:
    recording, rules = tmp_path / "a.scap", tmp_path / "rules.yaml"
    rules.write_text(
        "- rule: r\n  desc: d\n  condition: evt.type = close\n  output: x %proc.pid\n  priority: NOTICE\n"
    )
    ids = (1, 0, 7, 7, 7, 7, 7)
    texts = (b"a", b"a", b"/a", (), (), b"/", 0, 0, 0)
    processes = tuple(ProcEntry(pid, pid, *ids[:6], *texts) for pid in (7, 8))
    with ScapWriter(recording, StartState(processes), GOOD) as writer:
        for tid in (7, 8):
            writer.append(pack(1000, tid, kind_of("syscall_close_x"), [bytes(8), bytes(8)]), 0)
    assert _replayed(recording, rules) == [("r", 8)]
    assert _replayed(recording, rules, "--whole") == [("r", 7), ("r", 8)]
