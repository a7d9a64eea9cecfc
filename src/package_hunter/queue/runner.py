"""The real runner: hands jobs to the pipeline, unless their result is known, and applies the server's policy."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from package_hunter.config import Settings
from package_hunter.model.report import Report
from package_hunter.policy import DEFAULT, Policy, load_policy
from package_hunter.queue.base import Job, Runner
from package_hunter.store.database import Store

if TYPE_CHECKING:
    from package_hunter.ecosystems import Staged

_MAX_OWN = 1 << 20


def pipeline_runner(settings: Settings) -> Runner:
    """A runner that makes real scans; the pipeline is imported with the first one."""
    stores: list[Store] = []  # opened in the worker that scans: not to be carried over a fork

    def run(job: Job, archive: Path | None) -> Report:
        if not stores:
            stores.append(Store(settings))
        return _Run(settings, stores[0], job).scan(archive)

    return run


class _Run:
    """One job under way."""

    def __init__(self, settings: Settings, store: Store, job: Job) -> None:
        self._settings, self._store, self._job = settings, store, job
        # read before the scan: a mistake in it should cost nobody one
        self._policy = server_policy(settings)
        self._own: str | None = None

    def scan(self, archive: Path | None) -> Report:
        """The report, as the server's policy sees it."""
        from package_hunter import (
            pipeline,
        )  # late: the API process, which has no use for it, imports this file too
        from package_hunter.policy.rejudge import rejudge

        options = pipeline.ScanOptions(ecosystem=self._job.manager, on_staged=self._on_staged)
        scan_id = str(self._job.scan_id)
        if archive is not None:
            report = pipeline.scan_archive(archive, options, scan_id, self._settings)
        else:
            assert self._job.purl is not None, "a job names an archive or a purl"
            report = pipeline.scan_purl(self._job.purl, options, scan_id, self._settings)
        return rejudge(report, self._policy, self._own)

    def _on_staged(self, staged: Staged) -> Report | None:
        from package_hunter.policy.rejudge import OWN_FILE
        from package_hunter.queue import reuse

        if heeds_own_file(self._policy, self._job.submitter):
            data = staged.tree.read(f"{staged.project}/{OWN_FILE}", _MAX_OWN)
            self._own = None if data is None else data.decode("utf-8", "replace")
        if not self._settings.result_cache_seconds:
            return None
        key = reuse.key_of(staged, self._job.manager, self._settings)
        if key is None:
            return None
        found = None if self._job.fresh else reuse.known(self._store, key, self._settings)
        if found is None:
            reuse.note(self._store, key, self._job.scan_id)
            return None
        return reuse.as_new(found, str(self._job.scan_id))


def server_policy(settings: Settings) -> Policy:
    """The server's policy: the file of the setting, else the default. UsageError: it is wrong."""
    return DEFAULT if settings.policy_file is None else load_policy(settings.policy_file)


def heeds_own_file(policy: Policy, submitter: str) -> bool:
    """Whether the project's own policy file has a say in what this account submits."""
    return policy.own_file and any(fnmatchcase(submitter, pattern) for pattern in policy.own_file_from)
