"""How every row goes: a deployment, scans submitted one after the other, faults meanwhile, and then a count."""

from __future__ import annotations

import datetime
import random
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ci.faults import artefacts, ends, leftovers, targets
from ci.faults.bucket import bucket
from ci.faults.deployment import Deployment, Shape, deployed, wait_for
from ci.faults.leftovers import Seen
from ci.faults.marks import Mark, mark
from ci.faults.postgres import Postgres
from ci.faults.row import Row
from ci.faults.wire import Wire, wired

ROOT = Path(__file__).resolve().parents[2]
_PLACE = "/var/tmp"  # noqa: S108 (a folder of its own below it)
_AHEAD = 6  # scans that wait or run while the next is submitted
_EVERY_BROKEN = 10  # so many a target whose own fault it is that it fails


@dataclass
class Stage:
    """One row under way. ``folder`` is its own; ``deadline`` of `time.monotonic`."""

    name: str
    what: str
    database: str
    count: int
    seed: int
    seconds: float
    folder: Path
    mark: Mark
    postgres: Postgres | None
    bucket: Wire | None
    settings: Mapping[str, str]
    random: random.Random
    deadline: float
    broken: set[uuid.UUID] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def deployed(self, shape: Shape | None = None) -> AbstractContextManager[Deployment]:
        """A running deployment: on SQLite all on one machine, on PostgreSQL each as on one of its own."""
        shape = shape or Shape()
        shape = replace(shape, settings={**self.settings, **shape.settings}, apart=self.bucket is not None)
        url = None if self.postgres is None else self.postgres.url
        return deployed(self.folder, self.mark, url, shape)

    def pause(self, low: float, high: float) -> None:
        """Wait a random time, in seconds."""
        time.sleep(self.random.uniform(low, high))


Inject = Callable[[Stage, Deployment, Callable[[], bool]], int]
"""Makes faults while its last argument says that scans are under way; how many it made."""


class Feeder(threading.Thread):
    """Submits ``stage.count`` scans, a few ahead of the workers; each tenth is no archive."""

    def __init__(self, stage: Stage, made: Deployment) -> None:
        super().__init__(name="feeder", daemon=True)
        self._stage, self._made = stage, made
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            for number in range(self._stage.count):
                self._room()
                self._submit(number)
        except Exception as error:  # told by the row
            self.failed = error

    def _submit(self, number: int) -> None:
        bad = number % _EVERY_BROKEN == _EVERY_BROKEN - 1
        content = (targets.broken if bad else targets.small)(number)
        scan_id = self._made.client.submit(content, self._stage.deadline)
        if scan_id is not None and bad:
            self._stage.broken.add(scan_id)

    def _room(self) -> None:
        while time.monotonic() < self._stage.deadline:
            waiting = self._made.unfinished()
            if waiting is not None and waiting < _AHEAD:
                return
            time.sleep(0.1)


def disturbed(stage: Stage, inject: Inject, shape: Shape | None = None) -> Row:
    """The usual row: scans come in all the time, ``inject`` disturbs, then all must be as if nothing had been."""
    with stage.deployed(shape) as made:
        before = made.look()
        feeder = Feeder(stage, made)
        feeder.start()
        times = inject(stage, made, lambda: feeder.is_alive() or made.unfinished() != 0)
        feeder.join()
        if feeder.failed is not None:
            stage.notes.append(f"submitting ended: {feeder.failed}")
        return finish(stage, made, before, times)


def finish(stage: Stage, made: Deployment, before: Seen, times: int, may_wait: bool = False) -> Row:
    """Wait for every scan to end, look for what is left, stop all, look again, count."""
    began = stage.deadline - stage.seconds
    if not may_wait:
        wait_for(lambda: made.unfinished() == 0, max(1.0, stage.deadline - time.monotonic()))
    # where some may wait, workers go on with them until they are stopped
    left = [] if may_wait else list(leftovers.compare(before, made.settled()))
    slow = made.stop()
    if slow:
        stage.notes.append(f"had to be killed at the end: {', '.join(slow)}")
    found = ends.ends(made.store)
    scans = set(map(str, found))
    folders = [*made.folders(), *made.folder.glob("tmp-*")]
    stopped = leftovers.look(folders, scans, made.mark)
    left += [what for what in leftovers.compare(before, stopped) if what not in left]
    left += _artefacts(stage, made)
    counted = ends.count(made.client.accepted, found, frozenset(stage.broken), may_wait)
    known = {*made.client.accepted, *made.warm}
    strangers = [i for i in found if i not in known]
    unended = [i for i in strangers if found[i].status not in ends.OVER and not may_wait]
    notes = [*stage.notes, *counted.said[:8]]
    if strangers:
        notes.append(
            f"{len(strangers)} scans were taken although their submitter got no answer"
            + (f", {len(unended)} of them did not end" if unended else ", and ended, too")
        )
    if told := made.client.told():
        notes.append(f"tries that were refused or not answered: {told}")
    return Row(
        stage.name, stage.what, stage.database, times, len(made.client.accepted),
        counted.finished, counted.target, counted.ours, counted.waiting, counted.lost + len(unended),
        counted.doubled, tuple(left), tuple(notes), round(time.monotonic() - began, 1), stage.seed,
        commit(), datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def _artefacts(stage: Stage, made: Deployment) -> list[str]:
    if number := artefacts.collected(made.store):
        stage.notes.append(f"{number} artefacts of broken submissions were left to the collection")
    lost = [f"missing: {what}" for what in artefacts.missing(made.store)]
    return [*lost, *(f"artefacts: {what}" for what in artefacts.unwanted(made.store))]


@contextmanager
def staged(
    name: str, what: str, database: str, size: tuple[int, float], seed: int, logs: Path
) -> Iterator[Stage]:
    """Everything that a row stands on, made and taken away again. ``size``: scans, and seconds at the most; ``logs``:
    where what the processes said is kept."""
    count, seconds = size
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(
            prefix="package-hunter-faults-", dir=_PLACE, ignore_cleanup_errors=True
        )
        parent = Path(stack.enter_context(made))
        parent.chmod(0o755)
        own = stack.enter_context(mark())
        postgres, wire, settings = None, None, {}
        if database == "PostgreSQL":
            postgres = Postgres(parent / "postgres")
            stack.callback(postgres.stop)
            postgres.start()
            wire = stack.enter_context(wired())
            settings = stack.enter_context(bucket(wire, parent / "bucket.log"))
        folder = parent / "run"
        folder.mkdir(mode=0o755)
        stack.callback(_keep_logs, folder, logs / name)
        chance = random.Random(f"{seed} {name}")  # noqa: S311 (the same seed makes the same row)
        yield Stage(
            name, what, database, count, seed, seconds, folder, own, postgres, wire, settings, chance,
            time.monotonic() + seconds,
        )  # fmt: skip


def _keep_logs(folder: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for log in (folder / "logs").glob("*.log"):
        (to / log.name).write_bytes(log.read_bytes())


def commit() -> str:
    """The checkout's."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"
