"""What `make demo-server` is made with, before any server runs."""

from __future__ import annotations

import io
import json
import re
import stat
import tarfile
from pathlib import Path

import pytest
from ci.demo_server import folder as folders
from ci.demo_server.plan import FULL, GROUPS, PEOPLE, PROJECTS, WALK, Submission
from ci.demo_server.proposals import planned
from ci.demo_server.scans import archive

from package_hunter.errors import HostError, UsageError
from package_hunter.governance.proposals.kinds import KINDS

SENT = list(dict.fromkeys(one for plan in (FULL, WALK) for wave in plan.waves for one in wave))


def test_the_folder_is_ours_alone_or_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "file").write_text("x")
    for name in ("link", "open", "file"):
        with pytest.raises(HostError, match="no folder that you alone can write"):
            folders.prepare(tmp_path / name, fresh=False)
        with pytest.raises(HostError, match="no folder that you alone can write"):
            folders.prepare(tmp_path / name, fresh=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_nothing_is_removed_that_no_demo_server_made(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="no demo server's folder"):
        folders.prepare(tmp_path / "work", fresh=True)
    assert (tmp_path / "work/thesis.txt").read_text() == "years"


def test_passwords_stay_and_are_for_their_owner(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    folders.prepare(place, fresh=False)
    first = folders.passwords(place)
    folders.prepare(place, fresh=False)
    assert folders.passwords(place) == first
    assert set(first) == {person.name for person in PEOPLE}
    assert len(set(first.values())) == len(PEOPLE)
    [kept] = [one for one in place.iterdir() if one.name.startswith("demo-passwords")]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    folders.prepare(place, fresh=True)
    assert folders.passwords(place) != first


def test_one_server_holds_a_folder(tmp_path: Path) -> None:
    with (
        folders.held(tmp_path),
        pytest.raises(HostError, match="A demo server runs"),
        folders.held(tmp_path),
    ):
        pass


@pytest.mark.parametrize("one", SENT, ids=lambda one: one.key)
def test_what_is_sent_is_the_simulation_in_its_version(one: Submission) -> None:
    data = archive(one)
    assert archive(one) == data  # the same is known again
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = {entry.name for entry in tar.getmembers()}
        manifests = [name for name in names if name.endswith("package.json")]
        versions = {json.loads(tar.extractfile(name).read())["version"] for name in manifests}  # type: ignore[union-attr]
    assert not versions or one.version in versions
    assert not any(name.endswith("twin.toml") for name in names)


def test_a_twin_is_sent_without_the_theft() -> None:
    theft, honest = (archive(Submission("web/shop", "eslint-scope", honest=h)) for h in (False, True))

    def build(data: bytes) -> str:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found = tar.extractfile("scope-lint/build.js")
            assert found is not None
            return found.read().decode()

    assert re.search("_authToken", build(theft))
    assert not re.search("_authToken", build(honest))


def test_everything_is_in_a_place_that_is_made_and_by_somebody_who_is_there() -> None:
    places = {*GROUPS, *PROJECTS}
    assert {project.partition("/")[0] for project in PROJECTS} == set(GROUPS)
    assert {one.project for one in SENT} <= places
    assert {place for person in PEOPLE for _, place in person.roles if place} <= places
    changes = planned({"fingerprint": "0" * 32, "path": "web/blog"})
    names = {person.name for person in PEOPLE}
    assert {one.place for one in changes} <= places
    assert {one.kind for one in changes} <= set(KINDS)
    assert {one.who for one in changes} | {one.then[0] for one in changes if one.then} <= names
    assert len({one.why for one in changes}) == len(changes)
