"""The real runner: hands jobs to the pipeline, unless their result is known, and applies the server's policy."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from sqlalchemy.orm import Session

from package_hunter.config import Settings
from package_hunter.model.depth import DepthName
from package_hunter.model.report import Report
from package_hunter.policy import Policy
from package_hunter.queue import kept_files
from package_hunter.queue.base import Job, Runner
from package_hunter.queue.progress import Progress
from package_hunter.store import rule_sets
from package_hunter.store.database import Store
from package_hunter.watching import endpoint
from package_hunter.watching.steps import Try, note_try
from package_hunter.watching.stopwatch import Stopwatch

if TYPE_CHECKING:
    from package_hunter.decoy.spec import Upstream
    from package_hunter.ecosystems.base import SourceTree
    from package_hunter.ecosystems.pinned import Pin
    from package_hunter.pipeline.options import Scan
    from package_hunter.queue.reuse import Known


OnPins = Callable[[Session, uuid.UUID, Sequence["Pin"]], None]
"""What becomes of a scan's number and of what its tree's lock files pin, in a transaction."""


_JOINED = "is of the same, and was under way when this one was submitted"


class Judge(Protocol):
    """What reports are judged by."""

    def base(self, store: Store, project: uuid.UUID) -> Policy:
        """The policy that says whether a scanned project's own file is heeded. UsageError: it is wrong."""
        ...

    def judge(self, store: Store, job: Job, report: Report, own: str | None) -> Report:
        """The report with verdict and decision; ``own`` is the text of the project's own file."""
        ...


def pipeline_runner(settings: Settings, judge: Judge, on_pins: OnPins | None = None) -> Runner:
    """A runner that makes real scans; the pipeline is imported with the first one."""
    stores: list[Store] = []  # opened in the worker that scans: not to be carried over a fork

    def run(job: Job, archive: IO[bytes] | None) -> Report:
        if not stores:
            stores.append(Store(settings))
        with _timed(settings, stores[0], job) as watch:
            return _Run(settings, stores[0], job, judge, on_pins, watch).scan(archive)

    return run


@contextmanager
def _timed(settings: Settings, store: Store, job: Job) -> Iterator[Stopwatch]:
    """Take the times of a try, and keep them however it ends."""
    watch, failed = Stopwatch(), True
    try:
        yield watch
        failed = False
    finally:
        one = Try(job.attempt, watch.began, watch.now(), failed, tuple(watch.laps))
        note_try(store, job.scan_id, one, traced=endpoint.of(settings) is not None)


class _Run:
    """One job under way."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        job: Job,
        judge: Judge,
        on_pins: OnPins | None,
        watch: Stopwatch,
    ) -> None:
        self._watch = watch
        self._settings, self._store, self._job, self._judge = settings, store, job, judge
        self._on_pins = on_pins
        # read before the scan: a mistake in it should cost nobody one
        self._policy = judge.base(store, job.project)
        self._own: str | None = None
        self._known: Known | None = None

    def scan(self, archive: IO[bytes] | None) -> Report:
        """The report, as the policies of its project see it."""
        with self._rules() as rule_files, kept_files.Folder(self._settings, self._job.scan_id) as beside:
            with Progress(self._store, self._job) as progress:
                report = self._report(archive, rule_files, beside, progress)
            report = beside.keep(self._store, report)
        self._note(report)
        with self._watch("judge"):
            return self._judge.judge(self._store, self._job, report, self._own)

    @contextmanager
    def _rules(self) -> Iterator[tuple[Path, ...]]:
        """The rule sets of the job's project, as files that this process alone can read: in a folder as a scan's own
        is, which others remove where this process is killed."""
        from package_hunter.pipeline.folders import run_dir  # late, as below

        with self._store.read() as session:
            texts = rule_sets.of_project(session, self._job.project)
        if not texts:
            yield ()
            return
        with run_dir(self._settings, f"{self._job.scan_id}-rules") as folder:
            folder.chmod(0o700)
            files = []
            for number, (name, text) in enumerate(texts):
                files.append(folder / f"{number:03}-{name}.yaml")
                files[-1].write_text(text, encoding="utf-8")
            yield tuple(files)

    def _report(
        self,
        archive: IO[bytes] | None,
        rule_files: tuple[Path, ...],
        beside: kept_files.Folder,
        progress: Progress,
    ) -> Report:
        from package_hunter import pipeline  # late: the API process imports this file too

        job, scan_id = self._job, str(self._job.scan_id)
        again = job.killed < self._settings.max_helper_kills
        depth = DepthName(job.depth or self._settings.depth or DepthName.STANDARD)
        options = pipeline.ScanOptions(
            ecosystem=job.manager,
            depth=depth,
            rule_files=rule_files,
            record=beside.recording,
            dropped=beside.dropped,
            on_source=self._on_source,
            again=again,
            timed=self._watch,
        )
        if archive is None:
            assert job.purl is not None, "a job names an archive or a purl"
            return pipeline.scan_purl(job.purl, options, scan_id, self._settings, progress.step)
        assert job.sha256 is not None, "an archive that is given is one that the job names"
        return pipeline.scan_archive(archive, job.sha256, options, scan_id, self._settings, progress.step)

    def _on_source(self, scan: Scan, source_tree: SourceTree, upstreams: Sequence[Upstream]) -> Report | None:
        from package_hunter.policy.rejudge import own_text
        from package_hunter.queue import joining, reuse

        job = self._job
        if heeds_own_file(self._policy, job.submitter):
            self._own = own_text(source_tree.tree.read, source_tree.project)
        pins = reuse.pins_of(source_tree)
        if self._on_pins is not None and pins:
            with self._store.write() as session:
                self._on_pins(session, job.scan_id, pins)
        earlier = joining.joined_result(self._store, job)
        if earlier is not None:
            return reuse.as_new(earlier, str(job.scan_id), _JOINED)
        if not self._settings.result_cache_seconds:
            return None
        self._known = reuse.known_by(scan, source_tree, upstreams, pins)
        if self._known is None or job.fresh:
            return None
        found = reuse.known(
            self._store, self._known.key, job.submitter, self._settings, job.project, job.scan_id
        )
        return None if found is None else reuse.as_new(found, str(job.scan_id))

    def _note(self, report: Report) -> None:
        """Let the result of a scan that was run stand for others of the same, where it may."""
        from package_hunter.queue import reuse

        if self._known is not None and report.known_from is None and self._known.settles(report):
            reuse.note(self._store, self._known.key, self._job.scan_id)


def heeds_own_file(policy: Policy, submitter: str) -> bool:
    """Whether the project's own policy file has a say in what this account submits."""
    return policy.own_file and any(fnmatchcase(submitter, pattern) for pattern in policy.own_file_from)
