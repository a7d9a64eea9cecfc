"""The real runner: hands jobs to the pipeline."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from package_hunter.config import Settings
from package_hunter.queue.base import Job, ReportLike, Runner


def pipeline_runner(settings: Settings) -> Runner:
    """A runner that makes real scans; the pipeline is imported with the first one."""

    def run(job: Job, archive: Path | None) -> ReportLike:
        pipeline = import_module("package_hunter.pipeline")
        scan_id = str(job.scan_id)
        options = pipeline.ScanOptions(ecosystem=job.manager)
        if archive is not None:
            report: ReportLike = pipeline.scan_archive(archive, options, scan_id, settings)
        else:
            report = pipeline.scan_purl(job.purl, options, scan_id, settings)
        return report

    return run
