"""`audit` on the command line, and the sealer of a server that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from package_hunter.audit.sealer import oldest_unsealed
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.store.history_tables import SealRow
from tests.acceptance.service.test_accounts_cli import hunt
from tests.support.service_harness import open_folder, running, wait_for


def test_from_a_change_to_its_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Settings(data_dir=tmp_path / "data")
    for module in ("accounts", "places", "audit"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: config)
    assert hunt(capsys, "group", "add", "web", "--why", "a team").returncode == 0
    assert "1 entries are sealed" in hunt(capsys, "audit", "seal").stderr
    assert hunt(capsys, "audit", "verify").returncode == 0
    kept = tmp_path / "kept"
    kept.write_text(hunt(capsys, "audit", "checkpoint").stdout)
    line = json.loads(hunt(capsys, "audit", "export").stdout)
    assert (line["action"], line["why"], line["seal"]["position"]) == ("group.add", "a team", 1)
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"position": 9}))
    found = hunt(capsys, "audit", "verify", "--checkpoint", str(kept))
    assert found.returncode == 1
    assert "Positions 2 to 9: removed from the end" in found.stdout
    assert hunt(capsys, "audit", "export", "--format", "xml").returncode == 2
    assert hunt(capsys, "audit", "verify", "--checkpoint", str(tmp_path / "none")).returncode == 2


def test_a_running_server_seals_and_its_own_user_cannot_read_the_key() -> None:
    with open_folder() as folder, running(folder) as server:
        made = {"name": "bob", "password": "correct horse", "roles": []}
        assert server.client.post("/api/v1/users", json=made).status_code == 403, "a developer makes no users"
        store = open_store(server.settings)

        def sealed() -> bool:
            with store.read() as session:
                return (
                    oldest_unsealed(session) is None and session.scalar(select(SealRow).limit(1)) is not None
                )

        wait_for(sealed)
        store.close()
        state = (folder / "audit").stat()
        assert (state.st_uid, state.st_mode & 0o777) == (0, 0o700)
        assert "package_hunter_history_unsealed_seconds 0.0" in server.client.get("/metrics").text
