"""A standing drill, nothing of it made up: server, worker, box, gate, triage, and a person who decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.support.requires import needs_btf, needs_runc
from tests.support.served import Server, served
from tests.support.service_harness import wait_for


def _ask(server: Server, method: str, path: str, **more: Any) -> Any:
    answer = httpx.request(method, f"{server.url}/api/v1{path}", trust_env=False, timeout=60, **more)
    assert answer.status_code < 300, answer.text
    return answer.json()


def _command(server: Server, *arguments: str) -> tuple[int, dict[str, Any]]:
    program = str(Path(sys.executable).parent / "package-hunter")
    environment = {**os.environ, "PACKAGE_HUNTER_DATA_DIR": str(server.data_dir)}
    done = subprocess.run(
        [program, "drill", *arguments], env=environment, capture_output=True, text=True, timeout=120
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found


def test_a_drill_is_blocked_found_and_decided() -> None:
    needs_runc()
    needs_btf()
    with served() as server:
        assert _ask(server, "GET", "/drill")["state"] == "none"
        begun = _ask(server, "POST", "/drill")
        assert begun["state"] == "running"
        again = httpx.post(f"{server.url}/api/v1/drill", trust_env=False, timeout=60)
        assert again.status_code == 409
        wait_for(lambda: _ask(server, "GET", "/drill")["state"] != "running", 240)
        found = _ask(server, "GET", "/drill")
        assert found["state"] == "proven", (found, server.log.read_text()[-5000:])
        assert 0 < found["seconds_to_block"] < 1800
        assert found["undecided_minutes"] is not None

        gate = _ask(server, "GET", "/gate", params={"project": "drill/standing", "commit": found["commit"]})
        assert gate["result"] == "block"
        (finding,) = [
            one
            for one in _ask(server, "GET", "/findings")["items"]
            if one["fingerprint"] == found["fingerprint"]
        ]
        assert (finding["drill"], finding["proof"], finding["path"]) == (True, True, "drill/standing")
        assert finding["package"].startswith("pkg:npm/package-hunter-drill-")

        state = {"state": "confirmed", "reason": "other", "remark": "I saw the drill."}
        _ask(server, "PUT", f"/findings/{finding['id']}/state", json=state)
        code, said = _command(server, "status", "--format", "json")
        assert code == 0
        assert said["minutes_until_decided"] >= 0
        assert said["undecided_minutes"] is None
        assert _ask(server, "GET", "/drill")["decided_by"] == said["decided_by"]

        inventory = _ask(server, "GET", f"/packages/{finding['package']}")
        assert inventory["items"] == []
        submitted = httpx.post(
            f"{server.url}/api/v1/scans",
            params={"project": "drill/standing"},
            json={"purl": "pkg:npm/x@1.0.0"},
            trust_env=False,
        )
        assert submitted.status_code == 403
