"""What projects hold, who is told of what turned malicious: on both databases."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, text

from package_hunter.access.view import EVERYTHING
from package_hunter.ecosystems.pinned import Pin
from package_hunter.errors import UsageError
from package_hunter.inventory import after_scan, files, intake, lists, osv, packages, who_has
from package_hunter.inventory.lists import Item
from package_hunter.inventory.names import Name, name_of
from package_hunter.inventory.siblings import Members
from package_hunter.model.observation import Connection
from package_hunter.model.report import Report
from package_hunter.model.scan import Coverage, Verdict
from package_hunter.queue.base import Queue
from package_hunter.store import results
from package_hunter.store.database import Store
from package_hunter.store.inventory_tables import Component, Condemned
from package_hunter.store.models import Scan
from tests.support.inventory_world import BY, COMMIT, World, clean, digest, package, sri, theft

LEFT = "pkg:npm/left@1.0.0"
THIEF = "pkg:npm/maldep@1.0.0"  # whom the sample's traffic and reads are blamed on
TURNED = "package.turned-malicious"


@pytest.fixture
def world(store: Store, queue: Queue) -> World:
    return World(store, queue)


def has(world: World, *paths: str, **asked: str) -> list[who_has.Has]:
    ((kind, text),) = asked.items()
    with world.store.read() as session:
        view = EVERYTHING if not paths else world.view(*paths)
        found: list[who_has.Has] = getattr(who_has, f"by_{kind}")(session, view, text)
        return found


def known(world: World, purl: str, *paths: str) -> list[packages.File]:
    with world.store.read() as session:
        view = world.view(*(paths or ("web/shop",)))
        found = packages.files(session, view, purl)
        for one in found:
            if one.digest and one.version:
                base = purl.rpartition("@")[0] or purl
                alone = packages.file(session, view, f"{base}@{one.version}", one.digest)
                said = (one.verdict, one.because, one.sibling, one.native)
                assert (alone.verdict, alone.because, alone.sibling, alone.native) == said
                assert set(alone.scans) <= set(one.scans)
        return found


def test_who_has_a_package_by_purl_version_and_digest(world: World) -> None:
    two = package("pkg:npm/left@2.0.0", "two", chain=("x", "up", "left"))
    world.scanned("web/shop", clean(package(LEFT, "one", direct=True, chain=("x", "left")), two))
    world.scanned("ops/pay", clean(package("pkg:npm/left@2.0.0", "two")))
    assert {(h.project, h.what) for h in has(world, purl="pkg:npm/left")} == {
        ("ops/pay", "pkg:npm/left@2.0.0"),
        ("web/shop", LEFT),
        ("web/shop", "pkg:npm/left@2.0.0"),
    }
    (one,) = has(world, purl=LEFT)
    assert (one.project, one.direct, one.source, one.owner) == ("web/shop", True, "scan", "ana")
    assert {h.project: h.wanted_by for h in has(world, digest=sri("two"))} == {
        "ops/pay": None,
        "web/shop": "up",
    }
    assert has(world, digest=digest("two")) == has(world, digest=sri("two"))
    assert has(world, purl="pkg:npm/lef") == has(world, digest=sri("three")) == []


def test_who_may_not_see_a_project_is_not_told_of_it(world: World) -> None:
    world.scanned("web/shop", theft(LEFT, package(LEFT, "one")))
    for asked in ({"purl": LEFT}, {"digest": sri("one")}, {"host": "paste.example"}):
        assert has(world, "web/shop", **asked), asked
        assert has(world, "ops/pay", **asked) == [], asked
    assert known(world, LEFT, "ops/pay") == []


def test_a_project_that_is_scanned_each_night_is_one_row_since_its_first_night(world: World) -> None:
    for _ in range(3):
        world.scanned("web/shop", clean(package(LEFT, "one")))
    (one,) = has(world, purl=LEFT)
    assert one.since <= one.last
    with world.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Component)) == 1, "the list is stored once"


def test_who_contacted_a_host_and_who_has_a_finding(world: World) -> None:
    scan = world.scanned("web/shop", theft(LEFT, package(LEFT, "one")))
    (host,) = has(world, host="PASTE.example.")
    assert (host.project, host.scan, host.wanted_by) == ("web/shop", scan, "pkg:npm/maldep@1.0.0")
    (mark,) = has(world, fingerprint="0123456789abcdef0123456789abcdef")
    assert (mark.what, mark.wanted_by) == ("0123456789abcdef0123456789abcdef", LEFT)
    assert has(world, host="'; DROP TABLE scans; --") == has(world, fingerprint="\0") == []


def test_a_file_is_asked_for_by_its_digest_alone(world: World) -> None:
    with world.store.read() as session:
        view = world.view("web/shop")
        unknown = packages.file(session, view, "pkg:npm/nobody-has-it@1.0.0", "sha256:" + "0" * 64)
        assert (unknown.verdict, unknown.scans) == ("unknown", [])
        for purl, digest in (("pkg:npm/left", "sha256:" + "0" * 64), ("pkg:npm/left@1.0.0", "md5:00")):
            with pytest.raises(UsageError):
                packages.file(session, view, purl, digest)


@pytest.mark.parametrize(
    "asked", [{"purl": "left"}, {"purl": "pkg:npm/" + "x" * 600}, {"digest": "sha1-AAAA"}]
)
def test_what_is_no_name_is_refused(world: World, asked: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        has(world, **asked)


HOSTILE = (
    "pkg:npm/a%00b@1",
    "pkg:npm/\u202egnp.exe@1.0.0",
    "pkg:npm/x@" + "9" * 4_000,
    "pkg:npm/%F0%9F%92%A9@1.0.0",
    "pkg:npm/a'%22;--@1",
    "pkg:npm/../../etc/passwd@1",
    "nonsense",
    "pkg:",
)


def test_a_hostile_name_in_a_report_keeps_no_result_from_being_stored(world: World) -> None:
    odd = tuple(replace(package(LEFT, "one"), purl=purl, path="\ud800/\0/x" * 999) for purl in HOSTILE)
    chain = ("x", "\0\ud800" * 999, "y")
    found = clean(*odd, replace(package(LEFT, "one"), chain=chain, integrity="sha512-" + "A" * 9_999))
    world.scanned("web/shop", found)
    (one,) = has(world, purl=LEFT)
    assert one.project == "web/shop"


def test_two_that_keep_the_same_list_at_once(world: World) -> None:
    if world.store.is_sqlite:
        return  # it has one writer at a time
    items = [Item(Name("pkg:npm/a", str(n))) for n in range(50)]
    problems: list[BaseException] = []
    gate = threading.Barrier(4)

    def keep() -> None:
        try:
            gate.wait(10)
            with world.store.write() as session:
                lists.keep(session, items)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with world.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Component)) == 50


# --- verdicts ---


def test_a_file_that_a_whole_scan_held_reads_no_findings_and_a_thief_malicious(world: World) -> None:
    world.scanned("web/shop", clean(package(LEFT, "one")))
    assert [(f.verdict, f.digest) for f in known(world, LEFT)] == [("no_findings", digest("one"))]
    world.scanned("web/shop", theft(LEFT, package(LEFT, "two")))
    assert {f.digest: f.verdict for f in known(world, LEFT)} == {
        digest("one"): "no_findings",
        digest("two"): "malicious",
    }, "verdicts belong to digests, not to names"


def test_what_was_held_beside_a_thief_or_in_an_unwhole_scan_is_inconclusive(world: World) -> None:
    world.scanned("web/shop", theft(LEFT, package(LEFT, "one"), package("pkg:npm/right@1.0.0", "r")))
    assert [f.verdict for f in known(world, "pkg:npm/right@1.0.0")] == ["inconclusive"]
    unwhole = clean(package("pkg:npm/up@1.0.0", "u"))
    unwhole = replace(unwhole, verdict=Verdict.INCONCLUSIVE, coverage=Coverage(reasons=("It hung.",)))
    world.scanned("web/shop", unwhole)
    assert [f.verdict for f in known(world, "pkg:npm/up@1.0.0")] == ["inconclusive"]


def test_a_waived_finding_and_one_that_blames_the_whole_tree_accuse_no_file(world: World) -> None:
    waived = theft(LEFT, package(LEFT, "one"))
    waived = replace(waived, findings=tuple(replace(f, waived="ours") for f in waived.findings))
    world.scanned("web/shop", waived)
    world.scanned("web/shop", theft(LEFT, package(LEFT, "one"), confidence="tree"))
    assert [f.verdict for f in known(world, LEFT)] == ["inconclusive"]
    with world.store.read() as session:
        assert session.scalars(select(Condemned)).all() == []


def wheel(name: str, here: bool, **members: str) -> Members:
    native = frozenset(m for m in members if m.endswith("so"))
    return Members(name, "1.0", here, members, native)


def test_another_systems_file_is_judged_by_its_sibling(world: World) -> None:
    num = "pkg:pypi/num@1.0"
    linux = wheel("num-linux.whl", True, init_py="1", core_so="2")
    files_ = {
        "sha256:" + "a" * 64: linux,
        "sha256:" + "b" * 64: wheel("num-win.whl", False, init_py="1", core_so="9", more_so="8"),
        "sha256:" + "c" * 64: wheel("num-mac.whl", False, init_py="OTHER", core_so="9"),
        "sha256:" + "d" * 64: wheel("num-old.whl", False, init_py="1", core_so="9", extra_py="5"),
    }
    with world.store.write() as session:
        for key, members in files_.items():
            files.keep(session, world.ids["web/shop"], name_of(num), key, members)
    ran = replace(package(num), integrity="sha256:" + "a" * 64)
    world.scanned("web/shop", clean(ran))
    found = {f.name: f for f in known(world, num)}
    assert {name: f.verdict for name, f in found.items()} == {
        "num-linux.whl": "no_findings",
        "num-win.whl": "judged_by_sibling",
        "num-mac.whl": "unknown",
        "num-old.whl": "unknown",
    }
    assert found["num-win.whl"].native == ["core_so", "more_so"]
    assert found["num-win.whl"].sibling == "sha256:" + "a" * 64
    assert known(world, num, "ops/pay") == []


# --- condemned later ---


def record(name: str = "MAL-2026-1", **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "summary": "Malicious code in left",
        "affected": [{"package": {"ecosystem": "npm", "name": "left"}, "versions": ["1.0.0"]}],
        "database_specific": {"iocs": {"domains": ["Paste.EXAMPLE"], "urls": ["https://paste.example/x"]}},
    } | changes


def imported(world: World, *records: dict[str, Any]) -> osv.Imported:
    done = osv.Imported()
    with world.store.write() as session:
        osv.take(session, osv.read(json.dumps(list(records)).encode()), done)
    return done


def test_an_imported_record_is_told_to_every_project_that_had_it_and_to_no_other(world: World) -> None:
    world.scanned("web/shop", clean(package(LEFT, "one")), by="token:ci")
    with world.store.write() as session:
        intake.take_sbom(session, world.ids["web/shop"], intake.read_sbom(sbom_of(LEFT), COMMIT), BY)
    world.scanned("ops/pay", clean(package("pkg:npm/left@2.0.0", "two")))
    assert imported(world, record()).told == 1
    ((project, body),) = world.notices(TURNED)
    assert project == world.ids["web/shop"]
    assert body["facts"]["commits"] == [COMMIT]
    assert body["facts"]["owners"] == ["ana", "token:ci"]
    assert body["facts"]["hosts"] == ["paste.example"]
    assert "Rotate" in body["todo"]
    assert "paste.example" in body["todo"]
    assert {f.verdict for f in known(world, LEFT)} == {"malicious"}
    assert imported(world, record()).told == 0, "nobody is told twice"


def test_who_takes_it_in_after_the_record_is_told_too(world: World) -> None:
    imported(world, record())
    world.scanned("ops/pay", clean(package(LEFT, "one")))
    with world.store.write() as session:
        pins = [Pin(LEFT, "left", "1.0.0", sri("one"))]
        intake.take_locks(session, world.submit("web/shop"), pins)
    assert {project for project, _ in world.notices(TURNED)} == set(world.ids.values())


def test_a_withdrawn_record_accuses_nobody_any_more(world: World) -> None:
    world.scanned("web/shop", clean(package(LEFT, "one")))
    imported(world, record())
    assert imported(world, record(withdrawn="2026-11-01T00:00:00Z")).withdrawn == 1
    assert [f.verdict for f in known(world, LEFT)] == ["no_findings"]


def test_records_of_weaknesses_and_broken_ones_are_left_out(world: World) -> None:
    world.scanned("web/shop", clean(package(LEFT, "one")))
    broken: list[Any] = [
        record("GHSA-aaaa-bbbb-cccc"),
        record("MAL-1\0"),
        {"id": "MAL-2", "affected": "all"},
        {"id": "MAL-3", "affected": [{"package": {"ecosystem": "npm", "name": 7}}]},
        [],
        None,
        {"id": ["MAL-4"]},
    ]
    done = imported(world, *broken)
    assert (done.taken, done.left_out, done.told) == (0, 7, 0)
    with pytest.raises(UsageError, match="Line 2"):
        osv.read(b'{"id": "MAL-9"}\n{"id": \n')


def test_proof_against_a_file_is_told_to_others_who_have_that_very_file(world: World) -> None:
    world.scanned("ops/pay", clean(package(THIEF, "one")))
    scan = world.scanned("web/shop", theft(THIEF, package(THIEF, "one")))
    told = dict(world.notices(TURNED))
    assert set(told) == set(world.ids.values())
    body = told[world.ids["ops/pay"]]
    assert "web/shop" not in json.dumps(body)
    assert str(scan) not in json.dumps(body), "whose scan it was is not theirs to know"
    assert "npm token" in body["todo"], "what it was seen to take"
    assert "exfiltration" in body["what"]
    assert "/home/dev" not in json.dumps(body), "paths may name the other project"
    assert "collect.example" in body["facts"]["hosts"] or "paste.example" in body["facts"]["hosts"]


def test_a_project_cannot_make_others_believe_it_of_other_bytes(world: World) -> None:
    """A lock file may call anything ``left 1.0.0``: what it does says nothing of the real one."""
    world.scanned("ops/pay", clean(package(LEFT, "the real one")))
    world.scanned("web/shop", theft(LEFT, package(LEFT, "made up")))
    assert [project for project, _ in world.notices(TURNED)] == [world.ids["web/shop"]]
    assert [f.verdict for f in known(world, LEFT, "ops/pay")] == ["no_findings"]


def test_a_doubtful_blame_is_told_to_nobody_else(world: World) -> None:
    world.scanned("ops/pay", clean(package(LEFT, "one")))
    world.scanned("web/shop", theft(LEFT, package(LEFT, "one"), confidence="likely"))
    assert world.notices(TURNED) == []


def test_what_a_lock_file_allows_among_others_is_said_so(world: World) -> None:
    scan = world.submit("web/shop")
    both = f"sha256:{'a' * 64} sha256:{'b' * 64}"
    with world.store.write() as session:
        intake.take_locks(session, scan, [Pin("pkg:pypi/num@1.0", "num", "1.0", both)])
        intake.take_locks(session, scan, [Pin("pkg:pypi/num@1.0", "num", "1.0", both)])  # tried again
    (one,) = has(world, digest="a" * 64)
    assert (one.source, one.certain) == ("lock", False)
    assert known(world, "pkg:pypi/num@1.0")[0].verdict == "unknown"


def sbom_of(*purls: str) -> bytes:
    listed = [{"type": "library", "name": "x", "purl": purl} for purl in purls]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed}).encode()


def test_an_sbom_of_another_commit_form_is_refused(world: World) -> None:
    for commit in ("main", "8f2c3a5", "Z" * 40, ""):
        with pytest.raises(UsageError, match="no commit"):
            intake.read_sbom(sbom_of(LEFT), commit)
    assert has(world, purl=LEFT) == []


def test_contacts_with_an_address_alone_are_found(world: World) -> None:
    found: Report = clean(package(LEFT, "one"))
    bare = Connection(1, "tcp", "203.0.113.9", 443, 1, None, None, 1, 1, "raw")
    world.scanned("web/shop", replace(found, network=replace(found.network, connections=(bare,))))
    assert [h.project for h in has(world, host="203.0.113.9")] == ["web/shop"]


def test_a_result_that_is_stored_again_takes_the_place_of_the_first(world: World) -> None:
    """A recording that is judged again, by new rules: what it shows now is told."""
    world.scanned("ops/pay", clean(package(THIEF, "one")))
    scan = world.scanned("web/shop", clean(package(THIEF, "one")))
    assert world.notices(TURNED) == []
    again = theft(THIEF, package(THIEF, "one"))
    with world.store.write() as session:
        results.stored(session, session.get_one(Scan, scan), replace(again, id=str(scan)))
    assert {project for project, _ in world.notices(TURNED)} == set(world.ids.values())
    assert [h.project for h in has(world, purl=THIEF)] == ["ops/pay", "web/shop"]
    assert {f.verdict for f in known(world, THIEF)} == {"malicious"}


def test_results_from_before_there_was_an_inventory_are_taken_in(world: World) -> None:
    scan = world.scanned("web/shop", clean(package(LEFT, "one")))
    with world.store.write() as session:
        for table in ("holdings", "scan_marks", "component_digests", "components", "component_lists"):
            session.execute(text(f"DELETE FROM {table}"))
    assert has(world, purl=LEFT) == []
    with world.store.write() as session:
        assert after_scan.backfill(session, 10) == 1
        assert after_scan.backfill(session, 10) == 0
    assert [h.scan for h in has(world, purl=LEFT)] == [scan]


def test_ids_that_are_nobodys(world: World) -> None:
    with world.store.write() as session:
        intake.take_locks(session, uuid.uuid4(), [Pin(LEFT, "left", "1.0.0", sri("one"))])
    assert has(world, purl=LEFT) == []


@pytest.mark.parametrize(
    ("handed", "asked"),
    [
        ("pkg:npm/a%00b", "pkg:npm/a\0b"),
        ("pkg:npm/%E2%80%AEevil@1", "pkg:npm/\u202eevil@1"),
        ("pkg:gem/a\x85b@2", "pkg:gem/a%C2%85b@2"),
    ],
)
def test_what_an_sbom_may_name_may_be_asked_for(world: World, handed: str, asked: str) -> None:
    with world.store.write() as session:
        taken = intake.take_sbom(
            session, world.ids["web/shop"], intake.read_sbom(sbom_of(handed), COMMIT), BY
        )
        assert (taken.components, taken.without_purl) == (1, 0)
    for purl in (handed, asked):
        [found] = has(world, purl=purl)
        assert found.project == "web/shop"
        assert found.what.isascii()
        assert found.what.isprintable()
