"""What a worker asks of the pipeline."""

from __future__ import annotations

import io
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from package_hunter import pipeline
from package_hunter.access.actor import Actor
from package_hunter.api.server import prepare_folders
from package_hunter.config import Settings
from package_hunter.ecosystems import known  # noqa: F401 (says which there are)
from package_hunter.ecosystems.base import SourceTree
from package_hunter.ecosystems.pinned import Pin
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.pipeline.folders import remove_dead
from package_hunter.policy import Policy
from package_hunter.queue import make
from package_hunter.queue.base import Job
from package_hunter.queue.runner import pipeline_runner
from package_hunter.store import documents, scans
from package_hunter.store.database import Store
from package_hunter.store.scans import NewScan
from tests.support import judge_samples as samples


class _Judge:
    """Leaves reports as they are."""

    def base(self, _store: Store, _project: uuid.UUID) -> Policy:
        return Policy()

    def judge(self, _store: Store, _job: Job, report: Report, _own: str | None) -> Report:
        return report


def migrated(folder: Path) -> Store:
    (folder / "store").mkdir()
    store = Store(Settings(data_dir=folder))
    store.migrate()
    return store


@pytest.mark.parametrize(
    ("asked", "setting", "depth"),
    [
        (None, None, DepthName.STANDARD),
        (None, "quick", DepthName.QUICK),
        ("deep", "quick", DepthName.DEEP),
    ],
)
def test_servers_look_as_far_as_was_asked_else_as_set_up_else_standard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None, setting: Any, depth: DepthName
) -> None:
    seen: list[DepthName | None] = []

    def scan(purl: str, options: pipeline.ScanOptions, scan_id: str, settings: Settings, _say: Any) -> Any:
        seen.append(options.depth)
        return samples.report(id=scan_id)

    monkeypatch.setattr(pipeline, "scan_purl", scan)
    migrated(tmp_path)
    job = Job(uuid.uuid4(), None, None, "pkg:npm/x@1", 1, "lease", depth=asked)
    pipeline_runner(Settings(data_dir=tmp_path, depth=setting), _Judge())(job, None)
    assert seen == [depth]


LOCK: dict[str, Any] = {
    "name": "shop",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "shop", "dependencies": {"left": "1.0.0"}},
        "node_modules/left": {
            "version": "1.0.0",
            "resolved": "https://r.example/l.tgz",
            "integrity": "sha512-AAAA",
        },
        "node_modules/for-mac": {"version": "2.0.0", "optional": True, "os": ["darwin"]},
    },
}


@pytest.mark.parametrize("cached", [0.0, 60.0])
def test_what_lock_files_pin_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: float
) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / "package.json").write_text(json.dumps(LOCK["packages"][""]))
    (project / "package-lock.json").write_text(json.dumps(LOCK))
    told: list[tuple[uuid.UUID, set[str]]] = []

    def scan(
        _archive: Any, _sha256: str, options: pipeline.ScanOptions, scan_id: str, config: Settings, _say: Any
    ) -> Any:
        assert options.on_source is not None
        running = SimpleNamespace(options=options, config=config, withheld=())
        tree = SourceTree("shop", "/home/dev/projects/shop", project)
        monkeypatch.setattr("package_hunter.queue.reuse._image", list)
        options.on_source(running, tree, ())
        return samples.report(id=scan_id)

    monkeypatch.setattr(pipeline, "scan_archive", scan)
    config = Settings(data_dir=tmp_path, result_cache_seconds=cached)
    prepare_folders(config)
    store = Store(config)
    store.migrate()
    store.close()
    job = Job(uuid.uuid4(), None, "a" * 64, None, 1, "lease", fresh=True)

    def on_pins(_session: object, number: uuid.UUID, pins: Sequence[Pin]) -> None:
        told.append((number, {pin.purl for pin in pins}))

    with io.BytesIO() as archive:
        pipeline_runner(config, _Judge(), on_pins)(job, archive)
    assert told == [(job.scan_id, {"pkg:npm/left@1.0.0", "pkg:npm/for-mac@2.0.0"})]


def _with_rule_sets(folder: Path, *texts: str) -> None:
    with migrated(folder).write() as session:
        for name in texts:
            body = {"name": name, "rules": f"# {name}"}
            documents.put(session, "rule-set", "everywhere", name, body, Actor("test", "test"))


@pytest.mark.parametrize("sets", [(), ("a",), ("a", "b")])
def test_rule_files_are_gone_with_their_scan_however_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sets: tuple[str, ...]
) -> None:
    _with_rule_sets(tmp_path, *sets)
    config = Settings(data_dir=tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))

    def in_the_middle(
        purl: str, options: pipeline.ScanOptions, scan_id: str, settings: Settings, _say: Any
    ) -> Any:
        assert remove_dead(config) == []  # they are held while the scan lives
        assert [path.stat().st_mode & 0o077 for path in {file.parent for file in options.rule_files}] == [
            0
        ] * bool(sets)
        raise KeyboardInterrupt

    def killed(purl: str, options: pipeline.ScanOptions, scan_id: str, settings: Settings, _say: Any) -> Any:
        os._exit(0)  # nothing of ours runs after it

    job = Job(uuid.uuid4(), None, None, "pkg:npm/x@1", 1, "lease")
    monkeypatch.setattr(pipeline, "scan_purl", in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        pipeline_runner(config, _Judge())(job, None)
    monkeypatch.setattr(pipeline, "scan_purl", killed)
    if (pid := os.fork()) == 0:
        pipeline_runner(config, _Judge())(job, None)
    os.waitpid(pid, 0)
    assert len(remove_dead(config)) == bool(sets)
    assert [path for place in ("runs", "tmp") for path in (tmp_path / place).glob("*")] == []


def test_scans_are_judged_by_their_projects_rule_sets_and_recorded_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], str | None]] = []

    def scan(purl: str, options: pipeline.ScanOptions, scan_id: str, settings: Settings, _say: Any) -> Any:
        texts = [path.read_text() for path in options.rule_files]
        seen.append((texts, None if options.record is None else options.record.name))
        return samples.report(id=scan_id)

    monkeypatch.setattr(pipeline, "scan_purl", scan)
    store, by = migrated(tmp_path), Actor("test", "test")
    with store.write() as session:
        for name, text in (("b", "# b"), ("a", "# a")):
            documents.put(session, "rule-set", "everywhere", name, {"name": name, "rules": text}, by)
    job = Job(uuid.uuid4(), None, None, "pkg:npm/x@1", 1, "lease")
    for size in (0, 1 << 20):
        pipeline_runner(Settings(data_dir=tmp_path, recordings_bytes=size), _Judge())(job, None)
    assert seen == [(["# a", "# b"], None), (["# a", "# b"], f"{job.scan_id}.scap")]


@pytest.mark.parametrize("cached", [0.0, 60.0])
def test_who_waited_for_the_same_is_given_its_result_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: float
) -> None:
    """It is judged as a scan of its own, by its own files: the pipeline has unpacked them and asks what is known."""
    project = tmp_path / "shop"
    project.mkdir()
    (project / "package.json").write_text("{}")
    given: list[Report | None] = []

    def scan(
        _archive: Any, _sha256: str, options: pipeline.ScanOptions, scan_id: str, config: Settings, _say: Any
    ) -> Any:
        assert options.on_source is not None
        running = SimpleNamespace(options=options, config=config, withheld=())
        given.append(options.on_source(running, SourceTree("shop", "/home/dev/projects/shop", project), ()))
        return given[-1] or samples.report(id=scan_id)

    monkeypatch.setattr(pipeline, "scan_archive", scan)
    config = Settings(data_dir=tmp_path, result_cache_seconds=60.0)
    prepare_folders(config)
    store = Store(config)
    store.migrate()
    queue = make(config, store)
    ids = []
    for _ in range(2):
        with store.write() as session:
            ids.append(scans.add(session, NewScan("shop", "ana", sha256="a" * 64, size=1)).id)
            queue.enqueue(session, ids[-1])
    run = pipeline_runner(config.model_copy(update={"result_cache_seconds": cached}), _Judge())
    for _ in ids:
        job = queue.claim("w")
        assert job is not None
        with io.BytesIO() as archive:
            queue.finish(job, run(job, archive))
    first, second = given
    assert first is None
    assert second is not None
    assert (second.id, second.known_from) == (str(ids[1]), str(ids[0]))
    assert "is of the same, and was under way when this one was submitted." in second.coverage.notes[0]
    store.close()
