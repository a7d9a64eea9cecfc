"""What a worker asks of the pipeline."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from package_hunter import pipeline
from package_hunter.config import Settings
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.policy import Policy
from package_hunter.queue.base import Job
from package_hunter.queue.runner import pipeline_runner
from package_hunter.store.database import Store
from tests.support import judge_samples as samples


class _Judge:
    """Leaves reports as they are."""

    def base(self, _store: Store, _project: uuid.UUID) -> Policy:
        return Policy()

    def judge(self, _store: Store, _job: Job, report: Report, _own: str | None) -> Report:
        return report


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
    (tmp_path / "store").mkdir()
    job = Job(uuid.uuid4(), None, None, "pkg:npm/x@1", 1, "lease", depth=asked)
    pipeline_runner(Settings(data_dir=tmp_path, depth=setting), _Judge())(job, None)
    assert seen == [depth]
