"""What a worker asks of the pipeline."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from package_hunter import pipeline
from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.policy import Policy
from package_hunter.queue.base import Job
from package_hunter.queue.runner import pipeline_runner
from package_hunter.store import documents
from package_hunter.store.database import Store
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

    def scan(purl: str, options: pipeline.ScanOptions, scan_id: str, settings: Settings) -> Any:
        seen.append(options.depth)
        return samples.report(id=scan_id)

    monkeypatch.setattr(pipeline, "scan_purl", scan)
    migrated(tmp_path)
    job = Job(uuid.uuid4(), None, None, "pkg:npm/x@1", 1, "lease", depth=asked)
    pipeline_runner(Settings(data_dir=tmp_path, depth=setting), _Judge())(job, None)
    assert seen == [depth]


def test_scans_are_judged_by_their_projects_rule_sets_and_recorded_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], str | None]] = []

    def scan(purl: str, options: pipeline.ScanOptions, scan_id: str, settings: Settings) -> Any:
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
