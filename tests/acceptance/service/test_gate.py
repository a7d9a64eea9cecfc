"""The gate of a running server: it fetches a commit from a git server, scans it, tells the forge; a job asks it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.config import Settings
from tests.acceptance.service.test_accounts_cli import hunt
from tests.support import forge_api, git_server
from tests.support.forge_api import serving
from tests.support.git_server import TOKEN, repository
from tests.support.requires import needs_program, needs_root
from tests.support.service_harness import open_folder, running, wait_for

_FORGES = """\
[[forge]]
name = "lab"
kind = "gitlab"
url = "{url}"
api = "{api}/api/v4"
token_file = "{token}"
networks = ["127.0.0.0/8"]
"""


@pytest.fixture
def home() -> Iterator[Path]:
    needs_root()
    needs_program("git")
    with tempfile.TemporaryDirectory(prefix="package-hunter-forge-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_job_asks_for_a_commit_and_the_forge_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, commit = repository(home / "shop", **{"package.json": b"{}"})
    token = home / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    monkeypatch.setattr(forge_api, "TOKEN", TOKEN)
    with git_server.forge(home) as forge, serving(forge_api.gitlab) as api, open_folder() as folder:
        file = home / "forges.toml"
        file.write_text(_FORGES.format(url=forge.url, api=api.url, token=token))
        config = Settings(data_dir=folder, forges_file=file)
        monkeypatch.setattr("package_hunter.cli.gate.settings", lambda: config)
        with running(folder, forges_file=file) as server:
            url = f"{forge.url}shop/.git"
            bound = hunt(capsys, "gate", "repository", "--project", "legacy", url, "--external", "web/shop")
            assert bound.returncode == 0, bound.stderr
            monkeypatch.setenv("PACKAGE_HUNTER_TOKEN", server.token or "")
            at = ["--server", f"http://127.0.0.1:{server.port}", "--project", "legacy", "--commit", commit]
            missing = hunt(capsys, "gate", "ask", *at)
            assert (missing.returncode, missing.stdout.split(":")[0]) == (4, "missing")
            passed = hunt(capsys, "gate", "ask", *at, "--fetch", "--wait", "60", "--json")
            assert passed.returncode == 0, f"{passed.stdout} {passed.stderr} {server.log()}"
            word = json.loads(passed.stdout)
            assert (word["result"], word["scans"][0]["known"]) == ("pass", "fetched")
            wait_for(lambda: any(told["state"] == "success" for told in api.told), 90)
            assert api.told[0]["state"] in ("failed", "running")
            kept = server.client.get("/api/v1/gate/answers", params={"project": "legacy"}).json()["items"]
            assert [a["result"] for a in kept][-1] == "missing"
            assert kept[0]["result"] == "pass"
            assert TOKEN not in server.log()
            assert not any(TOKEN.encode() in p.read_bytes() for p in (folder / "store").iterdir()), (
                "no token of a forge is in the database"
            )
    assert not [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("package-hunter-git-")]


def test_the_inventory_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Settings(data_dir=tmp_path / "data")
    for module in ("inventory", "places", "gate"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: config)
    assert hunt(capsys, "project", "add", "shop").returncode == 0
    sbom = tmp_path / "bom.json"
    listed = [{"type": "library", "name": "left", "purl": "pkg:npm/left@1.0.0"}]
    sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed}))
    added = hunt(capsys, "inventory", "add", str(sbom), "--project", "shop", "--commit", "a" * 40)
    assert added.returncode == 0, added.stderr
    assert "1 components" in added.stderr
    found = hunt(capsys, "who-has", "pkg:npm/left")
    assert ("shop" in found.stdout, "1 project " in found.stderr) == (True, True)
    assert hunt(capsys, "who-has").returncode == 2
    assert "0 projects" in hunt(capsys, "who-has", "--host", "paste.example").stderr
    record = tmp_path / "mal.json"
    affected = [{"package": {"ecosystem": "npm", "name": "left"}, "versions": ["1.0.0"]}]
    record.write_text(json.dumps({"id": "MAL-1", "summary": "it steals", "affected": affected}))
    taken = hunt(capsys, "osv", "import", str(record))
    assert "1 records taken" in taken.stderr
    assert "1 times a project was told" in taken.stderr
    assert "malicious" in hunt(capsys, "inventory", "files", "pkg:npm/left@1.0.0").stdout
    asked = hunt(capsys, "gate", "ask", "--project", "shop", "--commit", "a" * 40)
    assert (asked.returncode, "Nobody scanned it" in asked.stdout) == (4, True)
    made = hunt(
        capsys,
        "gate",
        "setup",
        "github",
        "--server",
        "https://h.example",
        "--home",
        "sec/ci",
        "-o",
        str(tmp_path / "x"),
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "x/ruleset.json").is_file()
    assert (
        hunt(capsys, "gate", "setup", "svn", "--server", "https://h.example", "--home", "sec/ci").returncode
        == 2
    )
