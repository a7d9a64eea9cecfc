"""Commits fetched from a real git server, scanned, and their forge told: on both databases."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.governance.gate import fetches, origins, repositories, watches
from package_hunter.governance.gate.fetches import Fetcher
from package_hunter.governance.gate.forges import Forge, Forges
from package_hunter.governance.gate.watches import Watcher
from package_hunter.model.priority import Priority
from package_hunter.queue import reuse
from package_hunter.queue.base import Queue
from package_hunter.store.access_tables import Project
from package_hunter.store.archives import Archives
from package_hunter.store.database import Store, now_ms
from package_hunter.store.gate_tables import Fetch, ScanOrigin, Watch
from package_hunter.store.models import JobRow, Scan
from tests.integration.service.test_gate import ask
from tests.support import forge_api, git_server
from tests.support.archives import held
from tests.support.forge_api import serving
from tests.support.git_server import TOKEN, repository
from tests.support.inventory_world import BY, World, clean, package
from tests.support.requires import needs_program

LEFT = package("pkg:npm/left@1.0.0", "one")


@pytest.fixture
def world(store: Store, queue: Queue) -> World:
    return World(store, queue)


@pytest.fixture
def home() -> Iterator[Path]:
    needs_program("git")
    with tempfile.TemporaryDirectory(prefix="package-hunter-forge-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def forge(home: Path) -> Iterator[git_server.Forge]:
    with git_server.forge(home) as made:
        yield made


def known(forge: git_server.Forge, api: str = "") -> Forges:
    return Forges(
        (
            Forge(
                name="lab",
                kind="gitlab",
                url=forge.url,
                api=f"{api}/api/v4",
                token=TOKEN if not api else forge_api.TOKEN,
                git_user="oauth2",
                networks=("127.0.0.0/8",),
            ),
        )
    )


def bind(world: World, forges: Forges, url: str, check: str | None = None) -> None:
    with world.store.write() as session:
        project = session.get_one(Project, world.ids["web/shop"])
        where = repositories.Place(url, "web/shop", check)
        repositories.bind(session, forges, project, where, BY)


def want(world: World, commit: str) -> None:
    with world.store.write() as session:
        project = session.get_one(Project, world.ids["web/shop"])
        fetches.ask(session, project, origins.check(commit, "main", "7", None), "ana")
        watches.watch(session, project.id, commit, "main", "7")


def soon(world: World) -> None:
    """Let what was put off be due."""
    with world.store.write() as session:
        for row in [*session.query(Fetch).all(), *session.query(Watch).all()]:
            row.due = now_ms() - 1


def test_a_fetched_commit_is_scanned_and_counts(
    world: World, settings: Settings, home: Path, forge: git_server.Forge
) -> None:
    _, commit = repository(home / "a", **{"package.json": b'{"name": "x"}'})
    forges = known(forge)
    bind(world, forges, f"{forge.url}a/.git")
    want(world, commit)
    want(world, commit)  # asked twice, fetched once
    fetcher = Fetcher(settings, world.store, world.queue, forges)
    assert fetcher.step()
    assert not fetcher.step()
    with world.store.read() as session:
        (row,) = session.query(Fetch).all()
        assert (row.status, row.reason) == ("done", None)
        scan = session.get_one(Scan, row.scan_id)
        origin = session.get_one(ScanOrigin, scan.id)
        assert (origin.known, origin.commit, origin.merge_request) == ("fetched", commit, "7")
        assert scan.submitter == "ana"
        waits = session.get_one(JobRow, scan.id)
        assert waits.priority == Priority.MERGE_REQUEST, "somebody waits for it, as if it had been submitted"
    assert scan.sha256 is not None
    with (
        Archives(settings, world.store).opened(scan.sha256, scan.size) as file,
        tarfile.open(fileobj=io.BytesIO(file.read())) as tar,
    ):
        assert tar.getnames() == ["./package.json"]
    assert ask(world, commit)["waits"]
    world.finish(scan.id, clean(LEFT))
    answer = ask(world, commit)
    assert (answer["result"], answer["scans"][0]["known"]) == ("pass", "fetched")


def test_a_commit_that_cannot_be_fetched_is_missing_with_the_reason(
    world: World, settings: Settings, home: Path, forge: git_server.Forge
) -> None:
    repository(home / "a", **{"package.json": b"{}"})
    forges = known(forge)
    bind(world, forges, f"{forge.url}a/.git")
    want(world, "1" * 40)
    assert Fetcher(settings, world.store, world.queue, forges).step()
    assert "could not be fetched" in ask(world, "1" * 40)["says"]
    assert not held(settings.data_dir)


def test_a_forge_that_is_down_is_asked_again(world: World, settings: Settings, home: Path) -> None:
    with git_server.forge(home) as gone:
        pass
    forges = known(gone)
    bind(world, forges, f"{gone.url}a/.git")
    want(world, "1" * 40)
    fetcher = Fetcher(settings, world.store, world.queue, forges)
    for _ in range(4):
        assert fetcher.step()
        soon(world)
    assert not fetcher.step()
    with world.store.read() as session:
        (row,) = session.query(Fetch).all()
        assert (row.status, row.attempts) == ("failed", 4)


def test_a_repository_of_no_known_forge_is_not_bound_and_none_means_none(
    world: World, forge: git_server.Forge
) -> None:
    for url in (
        "https://169.254.169.254/x",
        "http://127.0.0.1:1/x",
        "file:///etc",
        "https://gitlab.example/x",
    ):
        with pytest.raises(UsageError):
            bind(world, known(forge), url)
    with pytest.raises(UsageError, match="not known where"):
        want(world, "1" * 40)


def test_the_forge_is_told_each_time_that_the_word_changes(
    world: World, settings: Settings, home: Path, forge: git_server.Forge
) -> None:
    _, commit = repository(home / "a", **{"package.json": b"{}"})
    with serving(forge_api.gitlab) as api:
        forges = known(forge, api.url)
        bind(world, forges, f"{forge.url}a/.git", check="3")
        want(world, commit)
        watcher = Watcher(settings, world.store, forges)
        assert watcher.step()
        assert not watcher.step()
        soon(world)
        assert watcher.step()
        assert [told["status"] for told in api.told] == ["failed"], "the same word is told once"
        Fetcher(settings, world.store, world.queue, known(forge)).step()
        soon(world)
        watcher.step()
        with world.store.read() as session:
            scan = session.query(Fetch).one().scan_id
        assert scan is not None
        world.finish(scan, clean(LEFT))
        soon(world)
        api.failing.append(503)
        watcher.step()
        soon(world)
        watcher.step()
    assert [told["status"] for told in api.told] == ["failed", "pending", "passed"]
    assert api.told[0]["path"].endswith("/merge_requests/7/status_check_responses")
    with world.store.read() as session:
        row = session.query(Watch).one()
        assert (row.error, row.attempts) == (None, 0)


def test_equal_inputs_are_covered_by_the_earlier_scan_whoever_submitted_it(
    world: World, settings: Settings
) -> None:
    """Within a project, where both trees are known for sure; what is claimed is covered by its own account alone."""
    from tests.integration.service.test_gate import fetched, submit

    settings = settings.model_copy(update={"result_cache_seconds": 3_600.0})
    first = fetched(world, "1" * 40, by="ana")
    world.finish(first, clean(LEFT))
    reuse.note(world.store, "key", first)
    sure, claimed = fetched(world, "2" * 40, by="bob"), submit(world, None, "3" * 40)
    shop = world.ids["web/shop"]

    def found(submitter: str, scan: object) -> str | None:
        known_result = reuse.known(world.store, "key", submitter, settings, shop, scan)  # type: ignore[arg-type]
        return None if known_result is None else known_result.id

    assert found("bob", sure) == str(first)
    assert found("bob", claimed) is None
    assert found("bob", None) is None
    assert found("ana", claimed) == str(first)
    assert reuse.known(world.store, "key", "bob", settings, world.ids["ops/pay"], sure) is None


def test_history_tells_where_a_repository_is(world: World, forge: git_server.Forge) -> None:
    from package_hunter.store import history

    bind(world, known(forge), f"{forge.url}a.git")
    with world.store.write() as session:
        repositories.forget(session, session.get_one(Project, world.ids["web/shop"]), BY, "moved")
        told = [e for e in history.entries(session, 99) if e.action.startswith("repository.")]
    assert [e.action for e in told] == ["repository.set", "repository.remove"]
    assert json.loads(told[0].after or "")["url"] == f"{forge.url}a.git"
