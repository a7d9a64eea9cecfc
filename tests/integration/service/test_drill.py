"""The standing drill, on both databases: what a worker would report is made up, all else is real."""

from __future__ import annotations

import datetime as dt
import json
import tarfile
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from package_hunter import duties  # noqa: F401 (says what follows a result)
from package_hunter.access.actor import Actor
from package_hunter.access.view import DRILL, EVERYTHING
from package_hunter.chores import chores
from package_hunter.config import Settings
from package_hunter.drill import overview, package
from package_hunter.drill.overview import Overview
from package_hunter.drill.run import SUBMITTER, Drills, newest
from package_hunter.errors import UsageError
from package_hunter.governance import policies, schedules
from package_hunter.governance.gate import record
from package_hunter.inventory import after_scan
from package_hunter.model.scan import Package, ScanStatus
from package_hunter.notices import outbox
from package_hunter.policy.rejudge import rejudge
from package_hunter.queue.base import Queue
from package_hunter.store import drill_place, history, places
from package_hunter.store.access_tables import Group, Project
from package_hunter.store.archives import Archives
from package_hunter.store.database import Store, now_ms
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.inventory_tables import Condemned, FileVerdict, Holding
from package_hunter.store.members import Place
from package_hunter.store.models import Scan, WorkerRow
from package_hunter.store.notice_tables import NoticeRow
from package_hunter.store.places import TakenError
from package_hunter.store.watching_tables import DrillRow
from package_hunter.triage import states
from package_hunter.triage.values import NewState, Reason, State
from tests.support import judge_samples as samples
from tests.support.duty_store import LOOK, PROOF, scanned
from tests.support.service_fake import made_report

ANA = Actor("ana", "test")
DAY = 86_400_000


@pytest.fixture
def drills(settings: Settings, store: Store, queue: Queue) -> Drills:
    return Drills(settings, store, queue)


def _caught(store: Store, queue: Queue, *, proof: bool = True) -> DrillRow:
    """A worker takes what waits, and reports what the box showed."""
    job = queue.claim("w")
    assert job is not None
    row = _newest(store)
    purl = f"pkg:npm/{package.name_of(row.id)}@1.0.0"
    blame = replace(samples.BLAME, package=purl)
    kind = PROOF if proof else LOOK
    mark = row.id.hex
    found = replace(kind, fingerprint=mark, blame=blame)
    held = Package(purl, package.name_of(row.id), "1.0.0", integrity=f"sha256:{'a' * 64}")
    report = replace(made_report(str(job.scan_id)), findings=(found,), packages=(held,))
    queue.finish(job, rejudge(report))
    return _newest(store)


def _newest(store: Store) -> DrillRow:
    with store.read() as session:
        row = newest(session)
    assert row is not None
    return row


def _overview(store: Store, settings: Settings) -> Overview:
    with store.read() as session:
        return overview.of(session, settings)


def _notices(store: Store, event: str) -> list[outbox.Notice]:
    with store.read() as session:
        rows = session.scalars(
            select(NoticeRow).where(NoticeRow.event == event).order_by(NoticeRow.time)
        ).all()
        return [outbox.read(row) for row in rows]


def _late(store: Store) -> None:
    with store.write() as session:
        session.execute(update(DrillRow).values(deadline=now_ms() - 1, begun=now_ms() - 1_800_001))


def test_what_is_submitted_is_a_scan_like_any_other(
    drills: Drills, store: Store, queue: Queue, settings: Settings, tmp_path: Path
) -> None:
    row = drills.begin(ANA)
    job = queue.claim("w")
    assert job is not None and job.scan_id == row.scan_id
    assert (job.manager, job.fresh, job.project, job.submitter) == ("npm", True, DRILL, SUBMITTER)
    assert job.sha256 is not None
    with Archives(settings, store).opened(job.sha256, job.size) as file, tarfile.open(fileobj=file) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    manifest = json.loads((tmp_path / "out/package.json").read_text())
    assert list(manifest["dependencies"]) == [package.name_of(row.id)]
    with store.read() as session:
        assert [e.who for e in history.entries(session, 10, action="drill.run")] == ["ana"]


def test_a_drill_that_the_gate_blocks_is_proven_and_measured(
    drills: Drills, store: Store, queue: Queue, settings: Settings
) -> None:
    begun = drills.begin(ANA)
    assert _overview(store, settings).state == "running"
    row = _caught(store, queue)
    assert (row.state, row.fingerprint) == ("proven", begun.id.hex)
    found = _overview(store, settings)
    assert found.proven == row.blocked
    assert found.seconds_to_block is not None and found.seconds_to_block >= 0
    assert found.undecided_minutes is not None
    assert found.minutes_until_decided is None
    with store.read() as session:
        answer = record.newest(session, DRILL, row.commit)
        finding = session.scalars(select(FindingRow).where(FindingRow.project_id == DRILL)).one()
    assert answer is not None and answer.result == "block"
    assert finding.state == "needs_triage"
    drills.step()
    assert _overview(store, settings).minutes_until_decided is None


@pytest.mark.parametrize("who", ["token:ci", "job:web/shop", "schedule:weekly"])
def test_what_no_person_set_is_no_decision(
    drills: Drills, store: Store, queue: Queue, settings: Settings, who: str
) -> None:
    drills.begin(ANA)
    row = _caught(store, queue)
    confirmed = NewState(State.CONFIRMED, Reason.STATED_PURPOSE)
    with store.write() as session:
        states.set_state(session, Actor(who, "test"), Place(), row.id.hex, confirmed)
    drills.step()
    found = _overview(store, settings)
    assert (_newest(store).decided, found.minutes_until_decided, found.decided_by) == (None, None, None)
    assert found.undecided_minutes is not None and "Nobody decided" in found.says
    with store.write() as session:  # of a version that counted it
        session.execute(update(DrillRow).values(decided=now_ms(), decided_by=who))
    assert _overview(store, settings).minutes_until_decided is None
    with store.write() as session:
        session.execute(update(DrillRow).values(decided=None, decided_by=None))
        at_the_machine = Actor("uid:0 root", "command line")
        states.set_state(session, at_the_machine, Place(), row.id.hex, NewState(State.NEEDS_TRIAGE))
        states.set_state(session, at_the_machine, Place(), row.id.hex, confirmed)
    drills.step()
    assert _overview(store, settings).decided_by == "uid:0 root"


@pytest.mark.parametrize("by_all", [False, True])
def test_the_time_until_a_person_decided_is_kept(
    drills: Drills, store: Store, queue: Queue, settings: Settings, by_all: bool
) -> None:
    drills.begin(ANA)
    row = _caught(store, queue)
    with store.write() as session:
        where = Place() if by_all else Place(project=session.get_one(Project, DRILL))
        states.set_state(session, ANA, where, row.id.hex, NewState(State.CONFIRMED, Reason.STATED_PURPOSE))
        session.execute(update(DrillRow).values(blocked=now_ms() - 180_000))
    seen = _overview(store, settings)  # at once, before anything looks
    assert seen.minutes_until_decided == pytest.approx(3.0, abs=0.5)
    drills.step()
    row = _newest(store)
    assert (row.decided_by, row.decided is not None) == ("ana", True)
    found = _overview(store, settings)
    assert found.minutes_until_decided == pytest.approx(3.0, abs=0.5)
    assert (found.decided_by, found.undecided_minutes) == ("ana", None)


def test_a_scan_without_proof_fails_the_drill_and_the_teams_of_all_are_told_once(
    drills: Drills, store: Store, queue: Queue, settings: Settings
) -> None:
    drills.begin(ANA)
    row = _caught(store, queue, proof=False)
    assert row.state == "failed"
    assert "not “block”" in (row.said or "")
    drills.step()
    (told,) = _notices(store, "standing-drill.failed")
    assert "not “block”" in told.what
    with store.read() as session:
        assert session.scalars(
            select(NoticeRow.project_id).where(NoticeRow.event == "standing-drill.failed")
        ).all() == [None]
    assert _overview(store, settings).failures[0].said == row.said


def test_a_worker_that_is_absent_fails_it(drills: Drills, store: Store, settings: Settings) -> None:
    drills.begin(ANA)
    drills.step()
    assert _newest(store).state == "running"
    _late(store)
    drills.step()
    assert (
        _newest(store).said
        == "No worker took the drill's scan within 30 minutes. No worker was seen for that long."
    )
    assert len(_notices(store, "standing-drill.failed")) == 1


def test_workers_that_have_other_things_to_do_fail_it_too(drills: Drills, store: Store) -> None:
    drills.begin(ANA)
    _late(store)
    with store.write() as session:
        session.add(WorkerRow(name="w", seen=now_ms()))
    drills.step()
    assert _newest(store).said == "No worker took the drill's scan within 30 minutes."


def test_a_scan_that_fails_or_hangs_fails_it(drills: Drills, store: Store, queue: Queue) -> None:
    drills.begin(ANA)
    job = queue.claim("w")
    assert job is not None
    _late(store)
    drills.step()
    assert _newest(store).said == "The drill's scan was not over after 30 minutes."
    drills.begin(ANA)
    job = queue.claim("w")
    assert job is not None
    queue.fail(job, "There is no image.")
    drills.step()
    assert _newest(store).said == "The drill's scan is failed. There is no image."


def test_a_block_that_comes_too_late_proves_nothing(drills: Drills, store: Store, queue: Queue) -> None:
    drills.begin(ANA)
    _late(store)
    drills.step()
    row = _caught(store, queue)
    assert row.state == "failed"
    assert row.blocked is not None  # kept all the same


def test_one_at_a_time_and_an_old_one_is_closed(
    drills: Drills, store: Store, queue: Queue, settings: Settings
) -> None:
    drills.begin(ANA)
    with pytest.raises(TakenError):
        drills.begin(ANA)
    first = _caught(store, queue)
    drills.begin(ANA)
    with store.read() as session:
        query = select(FindingRow).where(FindingRow.fingerprint == first.fingerprint)
        assert session.scalars(query).one().state == "resolved"
    second = _caught(store, queue)
    assert second.fingerprint != first.fingerprint
    assert _overview(store, settings).minutes_until_decided is None  # the server itself is no person


def test_it_begins_by_itself_once_the_server_worked_for_so_long(
    store: Store, queue: Queue, settings: Settings
) -> None:
    weekly = Drills(settings.model_copy(update={"drill_days": 7.0}), store, queue)
    weekly.step()
    with store.write() as session:
        scanned(session, [], created=now_ms() - 6 * DAY)
    weekly.step()
    with store.read() as session:
        assert newest(session) is None
        assert session.get(Project, DRILL) is None  # nothing is there before the first
    with store.write() as session:
        scanned(session, [], created=now_ms() - 8 * DAY)
    weekly.step()
    first = _newest(store)
    weekly.step()
    assert _newest(store).id == first.id
    _caught(store, queue)
    with store.write() as session:
        session.execute(update(DrillRow).values(begun=now_ms() - 7 * DAY))
    Drills(settings.model_copy(update={"drill_days": 0.0}), store, queue).step()
    assert _newest(store).id == first.id
    weekly.step()
    assert _newest(store).id != first.id


def test_a_chore_does_it(store: Store, queue: Queue, settings: Settings) -> None:
    with store.write() as session:
        scanned(session, [], created=now_ms() - 8 * DAY)
    (chore,) = (one for one in chores(settings, store, queue) if one.name == "drill")
    assert not chore.run()
    assert _newest(store).by == SUBMITTER


def test_its_place_is_nobodys(drills: Drills, store: Store) -> None:
    for path in (
        "drill",
        "Drill",
        "drill/standing",
        "drill/x",
        "package-hunter-drill",
        "PACKAGE-HUNTER-DRILL/x",
    ):
        for make in (places.add_group, places.add_project):
            with pytest.raises(UsageError, match="kept for the standing drill"), store.write() as session:
                make(session, path, ANA)
    drills.begin(ANA)
    with store.read() as session:
        assert session.get_one(Project, DRILL).path == "drill/standing"
    with pytest.raises(UsageError), store.write() as session:
        places.add_project(session, "drill/mine", ANA)
    with store.write() as session:
        places.add_group(session, "drills", ANA)


def test_who_had_such_a_group_before_keeps_it(drills: Drills, store: Store) -> None:
    with store.write() as session:
        session.add(Group(id=uuid.uuid4(), path="drill", created=1))
    with store.write() as session:
        places.add_project(session, "drill/mine", ANA)
    drills.begin(ANA)
    with store.read() as session:
        assert session.get_one(Project, DRILL).path == "package-hunter-drill/standing"


def test_where_both_names_are_taken_it_says_so(drills: Drills, store: Store) -> None:
    with store.write() as session:
        session.add_all(Group(id=uuid.uuid4(), path=path, created=1) for path in drill_place.RESERVED)
    with pytest.raises(UsageError, match="has no place"):
        drills.begin(ANA)


def test_it_is_in_no_inventory_and_condemns_nothing(drills: Drills, store: Store, queue: Queue) -> None:
    drills.begin(ANA)
    _caught(store, queue)
    with store.write() as session:
        assert after_scan.backfill(session, 10) == 0
        for table in (Holding, Condemned, FileVerdict):
            assert session.scalar(select(func.count()).select_from(table)) == 0, table


def test_what_is_told_of_it_says_that_it_is_a_drill(drills: Drills, store: Store, queue: Queue) -> None:
    drills.begin(ANA)
    _caught(store, queue)
    for event in ("proof.found", "gate.blocked"):
        (notice,) = _notices(store, event)
        assert notice.what.startswith("THIS IS A DRILL")
        assert notice.facts["drill"] is True
        assert "Nobody attacked" in notice.todo


def test_no_schedule_reaches_it(drills: Drills, store: Store, queue: Queue) -> None:
    drills.begin(ANA)
    _caught(store, queue)
    with store.write() as session:
        policies.put(session, ANA, Place(), {"require": [{"scan": "nightly", "projects": ["*"]}]})
    with store.read() as session:
        found = schedules.due(session, dt.datetime.now(dt.UTC) + dt.timedelta(days=3))
    assert found != []
    assert DRILL not in {one.project for one in found}


def test_a_drill_scan_that_is_judged_anew_stays_as_it_was(drills: Drills, store: Store, queue: Queue) -> None:
    from package_hunter.model.report_form import from_json
    from package_hunter.store import results, scans

    drills.begin(ANA)
    row = _caught(store, queue)
    with store.write() as session:
        data = scans.report(session, EVERYTHING, row.scan_id)
        assert data is not None
        results.stored(session, session.get_one(Scan, row.scan_id), from_json(data))
    again = _newest(store)
    assert (again.blocked, again.state) == (row.blocked, "proven")
    assert _notices(store, "standing-drill.failed") == []
    with store.read() as session:
        assert session.get_one(Scan, row.scan_id).status == ScanStatus.FINISHED.value
