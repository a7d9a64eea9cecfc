"""The gate's word on a commit: on both databases."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from package_hunter.access.job import JobClaims
from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.governance.gate import origins, record, submitted
from package_hunter.governance.gate.origins import Known, Origin, Witness
from package_hunter.governance.gate.submitted import Said
from package_hunter.inventory import osv
from package_hunter.model.report import Report
from package_hunter.model.scan import Coverage, Verdict
from package_hunter.queue.base import Queue
from package_hunter.store import accounts, places
from package_hunter.store.access_tables import Project
from package_hunter.store.database import Store, StoreError
from package_hunter.store.gate_tables import GateAnswer, Repository, ScanOrigin
from package_hunter.store.members import Place
from package_hunter.store.models import Scan
from package_hunter.triage import states
from package_hunter.triage.projection import finding_id
from package_hunter.triage.values import NewState, Reason, State
from tests.support.inventory_world import BY, COMMIT, World, clean, package, theft

OTHER = "0" * 40
LEFT = "pkg:npm/left@1.0.0"
ISSUER = "https://gitlab.example"
PINNED = "gitlab.example/security/ci//hunter.yml@refs/heads/main"
CLAIMS = JobClaims(ISSUER, "web/shop", COMMIT, "refs/heads/main", PINNED, "f" * 40)
POLICY = {"pipeline": [{"issuer": ISSUER, "definition": PINNED}]}


@pytest.fixture
def world(store: Store, queue: Queue) -> World:
    made = World(store, queue)
    put(made, Place(), POLICY)
    return made


def put(world: World, place: Place, document: dict[str, Any] | None) -> None:
    with world.store.write() as session:
        policies.put(session, BY, place, document, "a test")


def project(world: World, path: str = "web/shop") -> Place:
    with world.store.read() as session:
        return Place(project=places.project_at(session, EVERYTHING, path))


def ask(world: World, commit: str = COMMIT, path: str = "web/shop") -> dict[str, Any]:
    with world.store.write() as session:
        answer = record.ask(session, session.get_one(Project, world.ids[path]), commit, "ana", "standard")
        return {**json.loads(answer.body), "id": answer.id}


def submit(world: World, claims: JobClaims | None = None, commit: str = COMMIT, **more: Any) -> uuid.UUID:
    """A scan that waits, with what its job's token says."""
    scan = world.submit("web/shop", **more)
    with world.store.write() as session:
        submitted.note(session, session.get_one(Scan, scan), Said(Origin(commit), claims))
    return scan


def fetched(world: World, commit: str = COMMIT, gaps: str | None = None, **more: Any) -> uuid.UUID:
    """A scan that waits, of a tree that the service fetched."""
    scan = world.submit("web/shop", **more)
    with world.store.write() as session:
        how = Witness(Known.FETCHED, "The service fetched it.")
        origins.note(session, session.get_one(Scan, scan), Origin(commit), how, gaps)
    return scan


def done(world: World, found: Report, commit: str = COMMIT, **more: Any) -> uuid.UUID:
    scan = fetched(world, commit, **more)
    world.finish(scan, found)
    return scan


def test_missing_until_a_scan_that_counts_has_ended(world: World) -> None:
    first = ask(world)
    assert (first["result"], first["waits"]) == ("missing", False)
    assert "Nobody scanned it" in first["says"]
    assert f"gate fetch --project web/shop --commit {COMMIT}" in first["reasons"][0]["how_to_ask"]
    scan = fetched(world)
    assert (ask(world)["result"], ask(world)["waits"]) == ("missing", True)
    world.finish(scan, clean(package(LEFT)))
    passed = ask(world)
    assert (passed["result"], passed["reasons"]) == ("pass", [])
    assert ask(world, OTHER)["result"] == "missing"
    assert ask(world, path="ops/pay")["result"] == "missing", "another project's scan is none of this one's"


def test_a_claimed_scan_counts_for_nothing(world: World) -> None:
    world.finish(submit(world), clean(package(LEFT)))
    answer = ask(world)
    assert answer["result"] == "missing"
    assert "only claimed" in answer["says"]
    assert answer["scans"][0]["counts"] is False


def test_a_job_of_the_pinned_pipeline_counts(world: World) -> None:
    world.finish(submit(world, CLAIMS), clean(package(LEFT)))
    answer = ask(world)
    assert answer["result"] == "pass"
    assert (answer["scans"][0]["known"], PINNED in answer["scans"][0]["says"]) == ("pinned", True)


SPOOFED = [
    replace(CLAIMS, pipeline_definition="gitlab.example/web/shop//.gitlab-ci.yml@refs/heads/main"),
    replace(CLAIMS, pipeline_definition=PINNED.replace("main", "mine")),
    replace(CLAIMS, pipeline_definition=f"{PINNED}x"),
    replace(CLAIMS, pipeline_definition=PINNED.upper()),
    replace(CLAIMS, pipeline_definition=None),
    replace(CLAIMS, issuer="https://gitlab.example.evil.example"),
    replace(CLAIMS, issuer="http://gitlab.example"),
    replace(CLAIMS, commit=OTHER),
    replace(CLAIMS, commit=None),
]


@pytest.mark.parametrize("claims", SPOOFED, ids=range(len(SPOOFED)))
def test_a_job_that_is_not_exactly_that_one_is_but_claimed(world: World, claims: JobClaims) -> None:
    world.finish(submit(world, claims), clean(package(LEFT)))
    answer = ask(world)
    assert answer["result"] == "missing"
    assert answer["scans"][0]["known"] == "claimed"


def test_a_scan_of_another_tree_claimed_for_this_commit(world: World) -> None:
    """The job of the pinned pipeline ran for another commit, and its token was used to speak of this one."""
    world.finish(submit(world, replace(CLAIMS, commit=OTHER), COMMIT), clean(package(LEFT)))
    assert ask(world)["result"] == "missing"
    assert f"another commit ({OTHER})" in ask(world)["scans"][0]["says"]


def test_a_job_of_another_repository_does_not_count(world: World) -> None:
    with world.store.write() as session:
        session.add(
            Repository(
                project_id=world.ids["web/shop"], url="https://x.example/a", external="web/shop", created=1
            )
        )
    world.finish(submit(world, replace(CLAIMS, project="evil/fork")), clean(package(LEFT)))
    assert ask(world)["result"] == "missing"
    world.finish(submit(world, replace(CLAIMS, project="Web/Shop")), clean(package(LEFT)))
    assert ask(world)["result"] == "pass"


def test_a_narrower_policy_makes_pipelines_fewer_and_never_more(world: World) -> None:
    own = {"pipeline": [{"issuer": ISSUER, "definition": "gitlab.example/web/shop//own.yml@refs/heads/main"}]}
    put(world, project(world), own)
    mine = replace(CLAIMS, pipeline_definition=own["pipeline"][0]["definition"])
    world.finish(submit(world, mine), clean(package(LEFT)))
    world.finish(submit(world, CLAIMS), clean(package(LEFT)))
    assert ask(world)["result"] == "missing"
    put(world, project(world), None)
    world.finish(submit(world, CLAIMS), clean(package(LEFT)))
    assert ask(world)["result"] == "pass"


def test_without_a_named_pipeline_no_token_counts(world: World) -> None:
    put(world, Place(), {})
    world.finish(submit(world, CLAIMS), clean(package(LEFT)))
    assert "No policy names a pipeline" in ask(world)["scans"][0]["says"]


@pytest.mark.parametrize(
    "pipeline",
    [
        {"issuer": "http://gitlab.example", "definition": PINNED},
        {"issuer": ISSUER, "definition": "gitlab.example/*@refs/heads/main"},
        {"issuer": ISSUER, "definition": "gitlab.example/security/ci//hunter.yml"},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "definition": PINNED, "any": True},
    ],
)
def test_a_pipeline_that_others_could_fit_is_refused(world: World, pipeline: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        put(world, Place(), {"pipeline": [pipeline]})


def test_a_pinned_commit_of_the_definition(world: World) -> None:
    put(world, Place(), {"pipeline": [POLICY["pipeline"][0] | {"commit": "F" * 40}]})
    world.finish(submit(world, replace(CLAIMS, definition_commit="e" * 40)), clean(package(LEFT)))
    assert ask(world)["result"] == "missing"
    world.finish(submit(world, CLAIMS), clean(package(LEFT)))
    assert ask(world)["result"] == "pass"


# --- blocks ---


def test_a_block_says_what_was_seen_who_can_lift_it_and_how(world: World) -> None:
    with world.store.write() as session:
        lead = accounts.Grant(Role.SECURITY_ADMIN, Place(group=places.group_at(session, EVERYTHING, "web")))
        accounts.add_user(session, "lea", "correct horse", accounts.Start((lead,)), BY)
        dev = accounts.Grant(
            Role.DEVELOPER, Place(project=places.project_at(session, EVERYTHING, "web/shop"))
        )
        accounts.add_user(session, "dev", "correct horse", accounts.Start((dev,)), BY)
    scan = done(world, theft("pkg:npm/maldep@1.0.0", package("pkg:npm/maldep@1.0.0", "m")))
    answer = ask(world)
    assert answer["result"] == "block"
    reason = next(r for r in answer["reasons"] if r["fingerprint"])
    assert "npm token" in reason["what"]
    assert "pkg:npm/maldep@1.0.0" in reason["what"]
    assert reason["who_can_lift_it"] == ["lea"]
    assert "findings waive" in reason["how_to_ask"]
    assert reason["scan"] == str(scan)
    (told,) = world.notices("gate.blocked")
    assert told[0] == world.ids["web/shop"]
    ask(world)
    assert len(world.notices("gate.blocked")) == 1, "the same block is told once"


def test_who_accepts_what_is_no_proof_opens_the_gate_until_the_day_is_over(world: World) -> None:
    found = theft(LEFT, package(LEFT, "m"))
    found = replace(
        found,
        findings=tuple(replace(f, proof=False, severity="high") for f in found.findings),
        verdict=Verdict.SUSPICIOUS,
        coverage=Coverage(events=1),
    )
    done(world, found)
    answer = ask(world)
    assert answer["result"] == "review"
    mark = answer["reasons"][0]["fingerprint"]
    assert f"findings set {finding_id(world.ids['web/shop'], mark)}" in answer["reasons"][0]["how_to_ask"]
    today = dt.datetime.now(dt.UTC).date()
    with world.store.write() as session:
        wanted = NewState(State.ACCEPTED, Reason.ACCEPTABLE_RISK, "looked at", today + dt.timedelta(days=3))
        states.set_state(session, BY, project(world), mark, wanted)
    assert ask(world)["result"] == "pass"
    with world.store.read() as session:
        given = record.answers(session, EVERYTHING, world.ids["web/shop"], COMMIT, 9)
    assert [a.result for a in given] == ["pass", "review"]


def test_a_later_run_in_which_nothing_was_seen_clears_nobody(world: World) -> None:
    done(world, theft(LEFT, package(LEFT, "m")))
    done(world, clean(package(LEFT, "m")))
    assert ask(world)["result"] == "block"


def test_one_part_of_a_repository_does_not_clear_another(world: World) -> None:
    unwhole = clean(package(LEFT))
    unwhole = replace(unwhole, verdict=Verdict.INCONCLUSIVE, coverage=Coverage(reasons=("It hung.",)))
    done(world, replace(unwhole, target=replace(unwhole.target, name="backend")))
    done(world, replace(clean(package(LEFT)), target=replace(unwhole.target, name="frontend")))
    assert ask(world)["result"] == "review"
    done(world, replace(clean(package(LEFT)), target=replace(unwhole.target, name="backend")))
    assert ask(world)["result"] == "pass"


def test_an_unwhole_scan_and_a_tree_with_gaps_need_a_person(world: World) -> None:
    unwhole = clean(package(LEFT))
    unwhole = replace(unwhole, verdict=Verdict.INCONCLUSIVE, coverage=Coverage(reasons=("It hung.",)))
    done(world, unwhole)
    assert ask(world)["result"] == "review"
    done(world, clean(package(LEFT)), OTHER, gaps="Not everything was scanned: 1 submodules (x).")
    answer = ask(world, OTHER)
    assert answer["result"] == "review"
    assert "submodules" in answer["says"]


def test_a_failed_scan_is_missing_with_its_reason(world: World) -> None:
    fetched(world)
    job = world.queue.claim("w/1")
    assert job is not None
    world.queue.fail(job, "This is no tar archive.")
    assert "This is no tar archive." in ask(world)["says"]


def test_what_turned_malicious_later_blocks_what_had_passed(world: World) -> None:
    done(world, clean(package(LEFT, "m")))
    assert ask(world)["result"] == "pass"
    mal = {
        "id": "MAL-1",
        "affected": [{"package": {"ecosystem": "npm", "name": "left"}, "versions": ["1.0.0"]}],
    }
    with world.store.write() as session:
        osv.take(session, [mal], osv.Imported())
    answer = ask(world)
    assert answer["result"] == "block"
    assert "MAL-1" in answer["says"]


def test_who_started_the_job_that_brought_it_in_is_named(world: World) -> None:
    world.finish(
        submit(world, replace(CLAIMS, owners=("ada@corp.example",)), by="ci"), clean(package(LEFT, "m"))
    )
    mal = {
        "id": "MAL-2",
        "affected": [{"package": {"ecosystem": "npm", "name": "left"}, "versions": ["1.0.0"]}],
    }
    with world.store.write() as session:
        osv.take(session, [mal], osv.Imported())
    ((_, told),) = world.notices("package.turned-malicious")
    assert told["facts"]["owners"] == ["ada@corp.example", "ci"]
    assert told["facts"]["commits"] == [COMMIT]


def test_a_required_depth(world: World) -> None:
    deep = {"scan": "merge_request", "projects": ["web/*"], "depth": "deep"}
    put(world, Place(), POLICY | {"require": [deep]})
    done(world, clean(package(LEFT)))
    answer = ask(world)
    assert answer["result"] == "missing"
    assert "depth deep" in answer["says"]
    done(world, clean(package(LEFT)), depth="deep")
    assert ask(world)["result"] == "pass"


# --- answers ---


def test_the_same_answer_is_the_same_fact_and_another_is_another(world: World) -> None:
    assert ask(world)["id"] == ask(world)["id"]
    done(world, clean(package(LEFT)))
    first = ask(world)
    put(world, Place(), POLICY | {"verdicts": {"no_findings": "review"}})
    assert (ask(world)["result"], ask(world)["id"] == first["id"]) == ("review", False)


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE gate_answers SET result = 'pass'",
        "DELETE FROM gate_answers",
        "UPDATE gate_answers SET body = '{}' WHERE result = 'missing'",
    ],
)
def test_an_answer_stays_as_it_was_given(world: World, act: str) -> None:
    ask(world)
    with pytest.raises(StoreError, match="never changed"), world.store.write() as session:
        session.execute(text(act))
    assert ask(world)["result"] == "missing"


def test_an_answer_cannot_be_replaced_or_cut_away(world: World) -> None:
    key = ask(world)["id"]
    columns = 'id, project_id, "commit", {}, body, digest, asked_by, created'
    replaced = (
        f"INSERT OR REPLACE INTO gate_answers ({columns.format('result')}) "
        f"SELECT {columns.format(chr(39) + 'pass' + chr(39))} FROM gate_answers WHERE id = '{key.hex}'"
    )
    act = replaced if world.store.is_sqlite else "TRUNCATE gate_answers"
    with pytest.raises(StoreError, match="never changed"), world.store.write() as session:
        session.execute(text(act))
    with world.store.read() as session:
        assert session.get_one(GateAnswer, key).result == "missing"


# --- what is said ---


@pytest.mark.parametrize(
    "said",
    [
        ("main", None, None, None),
        ("8f2c3a5", None, None, None),
        (COMMIT + "\n", None, None, None),
        (COMMIT, "--upload-pack=x", None, None),
        (COMMIT, "a/../b", None, None),
        (COMMIT, "a b", None, None),
        (COMMIT, "x\x1b[2J", None, None),
        (COMMIT, "x\u202egnp", None, None),
        (COMMIT, "", None, None),
        (COMMIT, None, "7; DROP", None),
        (COMMIT, None, None, "main"),
    ],
)
def test_what_cannot_be_a_commit_ref_or_number_is_refused(said: tuple[Any, Any, Any, Any]) -> None:
    with pytest.raises(UsageError):
        origins.check(*said)


@pytest.mark.parametrize("ref", ["main", "refs/merge-requests/7/head", "renovate/a-b@1.x", "fix/(ü),#7!"])
def test_names_that_branches_have(ref: str) -> None:
    assert origins.check(COMMIT.upper(), ref, "7", OTHER) == Origin(COMMIT, ref, "7", OTHER)


def test_a_hostile_title_is_told_as_text(world: World) -> None:
    found = theft(LEFT, package(LEFT, "m"))
    odd = "\ud800\x1b[2J<script>`rm -rf`\u202e" * 50
    done(world, replace(found, findings=tuple(replace(f, title=odd) for f in found.findings)))
    answer = ask(world)
    assert answer["result"] == "block"
    assert "\x1b" not in json.dumps(answer["reasons"][0]["what"], ensure_ascii=False)


def test_origins_are_kept_with_what_the_forge_said(world: World) -> None:
    scan = submit(world, CLAIMS)
    with world.store.read() as session:
        row = session.get_one(ScanOrigin, scan)
        assert json.loads(row.witness or "")["definition"] == PINNED
