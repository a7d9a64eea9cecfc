"""What a result is known by: what decides the install, nothing else."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.ecosystems import stage
from package_hunter.model.scan import Verdict
from package_hunter.policy import parse_policy
from package_hunter.queue import reuse
from package_hunter.queue.local import LocalQueue
from package_hunter.queue.runner import heeds_own_file
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.scans import NewScan
from tests.support import judge_samples as samples

LOCK = {
    "name": "app",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}},
        "node_modules/left-pad": {"version": "1.3.0", "integrity": "sha512-AAAA"},
    },
}
MANIFEST = {"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}


@pytest.fixture(autouse=True)
def an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "find_image", lambda: Path("0123456789abcdef.erofs"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    put(folder, "package.json", MANIFEST)
    put(folder, "package-lock.json", LOCK)
    (folder / "index.js").write_text("1")
    return folder


def put(folder: Path, name: str, data: object) -> None:
    (folder / name).write_text(json.dumps(data))


def key(folder: Path, **settings: object) -> str | None:
    return reuse.key_of(stage("app", folder), None, Settings(**settings))  # type: ignore[arg-type]


def change(part: str, **more: object) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        data = json.loads((folder / part).read_text())
        put(folder, part, {**data, **more})

    return do


def other_bytes(folder: Path) -> None:
    lock = json.loads(json.dumps(LOCK))
    lock["packages"]["node_modules/left-pad"]["integrity"] = "sha512-BBBB"
    put(folder, "package-lock.json", lock)


def own_code(folder: Path) -> None:
    (folder / "index.js").write_text("2")


def released(folder: Path) -> None:
    change("package.json", version="2.0.0")(folder)
    lock = json.loads(json.dumps(LOCK))
    lock["packages"][""]["version"] = "2.0.0"
    put(folder, "package-lock.json", lock)


@pytest.mark.parametrize(
    ("what", "same"),
    [
        (own_code, True),
        (released, True),
        (other_bytes, False),
        (change("package.json", scripts={"test": "jest"}), False),
        (change("package.json", scripts={"postinstall": "node ."}), False),
        (change("package.json", overrides={"left-pad": "1.2.0"}), False),
        (lambda f: (f / ".npmrc").write_text("ignore-scripts=true"), False),
        (lambda f: (f / ".pnpmfile.cjs").write_text("evil"), False),
        (lambda f: (f / "node_modules").mkdir(), False),
        (lambda f: (f / "hardhat.config.js").write_text(""), False),
    ],
)
def test_what_makes_another_key(project: Path, what: Callable[[Path], None], same: bool) -> None:
    before = key(project)
    assert before is not None
    what(project)
    assert (key(project) == before) is same


def test_a_project_with_own_scripts_is_known_by_every_file(project: Path) -> None:
    change("package.json", scripts={"postinstall": "node index.js"})(project)
    before = key(project)
    os.utime(project / "index.js", (1, 1))
    assert key(project) == before, "times in the archive mean nothing"
    own_code(project)
    assert key(project) != before


def test_settings_rules_and_image_are_part_of_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(project)
    assert key(project, scan_timeout=5.0) != before
    monkeypatch.setattr(reuse, "_program", lambda: "other rules")
    assert key(project) != before


def test_what_is_not_settled_has_no_key(project: Path) -> None:
    assert reuse.key_of(stage("left-pad", purl="pkg:npm/left-pad@1.3.0"), None, Settings()) is None
    (project / "package-lock.json").unlink()
    assert key(project) is None


def finished(store: Store, settings: Settings, verdict: Verdict) -> uuid.UUID:
    """A scan that ended, noted under the key ``k``."""
    queue = LocalQueue(store, settings)
    with store.write() as session:
        scan = scans.add(session, NewScan("app", "ana", sha256="ab" * 32, size=1))
        queue.enqueue(session, scan.id)
    job = queue.claim("w")
    assert job is not None
    assert (job.submitter, job.fresh) == ("ana", False)
    reuse.note(store, "k", job.scan_id)
    assert reuse.known(store, "k", settings) is None, "a scan that runs is no result"
    queue.finish(job, samples.report(id=str(job.scan_id), verdict=verdict).to_json())
    return job.scan_id


def test_a_finished_result_is_found_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "store").mkdir()
    store = Store(settings)
    store.migrate()
    assert reuse.known(store, "k", settings) is None
    first = finished(store, settings, Verdict.MALICIOUS)
    found = reuse.known(store, "k", settings)
    assert found is not None
    assert found.id == str(first)
    again = reuse.as_new(found, "other")
    assert again.id == "other"
    assert again.coverage.notes[0].startswith(f"Nothing was run: scan {first} of 2026-11-23T09:41:13Z")
    assert reuse.known(store, "k", Settings(data_dir=tmp_path, result_cache_seconds=-1)) is None
    assert reuse.known(store, "other", settings) is None
    store.close()


def test_an_inconclusive_result_is_none(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "store").mkdir()
    store = Store(settings)
    store.migrate()
    finished(store, settings, Verdict.INCONCLUSIVE)
    assert reuse.known(store, "k", settings) is None
    store.close()


def test_whose_own_files_a_server_heeds() -> None:
    policy = parse_policy('[project]\nown_file = true\nown_file_from = ["token:protected-*"]\n')
    assert heeds_own_file(policy, "token:protected-main")
    assert not heeds_own_file(policy, "token:fork")
    assert not heeds_own_file(parse_policy(""), "token:protected-main")
