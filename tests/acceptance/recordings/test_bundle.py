"""Real scans, bundled and verified: by somebody who has neither root nor a network."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import HUNT, hunt

UNSHARED = ["unshare", "--user", "--map-root-user", "--net"]


def _env(folder: Path) -> dict[str, str]:
    return {**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(folder / "data")}


@pytest.mark.parametrize("name", ["shai-hulud-1", "local"])
def test_a_verdict_is_come_to_again_without_a_network(record: Any, tmp_path: Path, name: str) -> None:
    requires.needs_root()
    live, env = record(name), _env(tmp_path)
    report = tmp_path / "r.json"
    report.write_text(json.dumps(live.report))
    file = tmp_path / "b.zip"
    made = hunt("bundle", "--report", report, "--recording", live.scap, "-o", file, env=env)
    assert made.returncode == 0, made.stderr
    key = hunt("audit", "key", env=env)
    fingerprint = key.stderr.split()[-1]
    (tmp_path / "key.pem").write_text(key.stdout)
    elsewhere = {**env, "PACKAGE_HUNTER_DATA_DIR": str(tmp_path / "nobody")}
    unknown = hunt("verify", file, env=elsewhere)
    assert unknown.returncode == 3
    assert "not that of a key that is trusted here" in unknown.stderr
    for pin in (["--key", str(tmp_path / "key.pem")], ["--fingerprint", fingerprint]):
        done = subprocess.run(
            [*UNSHARED, str(HUNT), "verify", str(file), *pin, "--format", "json"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=elsewhere,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["again"] == {"verdict": live.report["verdict"], "decision": live.report["decision"]}
        assert found["alerts"] == {"again": len(live.report["alerts"]), "attested": 0}
        assert {f["fingerprint"] for f in found["findings"]} == {
            f["fingerprint"] for f in live.report["findings"]
        }
        assert all(f["from"] != "attested" for f in found["findings"])


def test_an_edited_report_gets_no_signature(record: Any, tmp_path: Path) -> None:
    live, report = record("shai-hulud-1"), tmp_path / "r.json"
    edited = live.report | {"findings": [f for f in live.report["findings"] if not f["proof"]]}
    edited.update(verdict="suspicious", decision="review")
    report.write_text(json.dumps(edited))
    done = hunt(
        "bundle", "--report", report, "--recording", live.scap, "-o", tmp_path / "b.zip", env=_env(tmp_path)
    )
    assert done.returncode == 1
    assert "The recording shows the finding “Secrets were sent to" in done.stderr
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Of what?"),
        (["--report", "r.json"], "go together"),
        (["x", "--policy", "p.toml"], "go with --report"),
        (["not-an-id"], "is no scan's id"),
    ],
)
def test_what_is_asked_wrongly(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = hunt("bundle", *arguments, env=_env(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
