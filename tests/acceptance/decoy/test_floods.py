"""A package that does all it can to drown the gateway: limits hold, the scan goes on, what was cut is said, and
the theft that follows is still proven."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.hunter import npm_project, scan_json
from tests.support.requires import needs_btf, needs_runc


def test_floods_are_cut_and_hide_nothing(tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    project = tmp_path / "app"
    npm_project(project / "deps/noise", "noise", {"postinstall": "python3 flood.py"})
    shutil.copy(Path(__file__).with_name("flood.py"), project / "deps/noise")
    npm_project(project, "app", dependencies={"noise": "file:deps/noise"})
    report = scan_json(project, codes=(1,))
    (theft,) = [f for f in report["findings"] if f["kind"] == "exfiltration"]
    assert "collect.example" in theft["title"] and theft["blame"]["package"] == "pkg:npm/noise@1.0.0"
    cut = report["cut"]
    assert cut["connections_dropped"] > 500
    assert cut["malformed_http"] >= 3 and cut["failed_tls"] >= 1 and cut["malformed_dns"] >= 100
    assert "gateway_failed" not in cut and "gateway_errors" not in cut
    assert len(report["network"]["dns"]) <= 20_000 and len(report["network"]["connections"]) <= 20_000
    assert report["coverage"]["dropped"] == 0
    assert any(r["url"] == "http://bomb.example/x" for r in report["network"]["requests"])
