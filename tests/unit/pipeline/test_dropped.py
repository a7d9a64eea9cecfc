"""Files that packages left in a box: which, how many, and nothing through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.observation import FileChange, Observation, Process
from package_hunter.model.scan import Command, CommandRun, Package
from package_hunter.pipeline.dropped import DroppedFiles, collect, dropped

NPM, SCRIPT, IMPORT = 1, 2, 3
LEFT = Package("pkg:npm/left@1.0.0", "left", "1.0.0", path="/p/node_modules/left")


def process(key: int, parent: int | None, exe: str = "/usr/bin/node") -> Process:
    return Process(key, parent, 100 + key, key, "node", exe, "node", "/p", 1000, key * 10, None, None)


RUNS = [
    CommandRun("install", "default", Command(("npm", "rebuild"), "/p"), 101, 5, 100, 0),
    CommandRun("import", "default", Command(("node", "x"), "/p"), 103, 5, 100, 0),
]


def seen(*changes: tuple[str, str, int], ran: str = "", to: str | None = None) -> Observation:
    files = tuple(FileChange(path, what, who, n, to) for n, (path, what, who) in enumerate(changes, 50))
    programs = (process(4, SCRIPT, ran),) if ran else ()
    return Observation(
        processes=(process(NPM, None), process(SCRIPT, NPM), process(IMPORT, None), *programs), files=files
    )


@pytest.fixture
def into(tmp_path: Path) -> DroppedFiles:
    (tmp_path / "out").mkdir()
    return DroppedFiles(tmp_path / "out", 10, 100, 1_000)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    root = tmp_path / "box"
    for path in ("home/dev", "tmp", "p/node_modules/left"):
        (root / path).mkdir(parents=True)
    return root


def left(into: DroppedFiles, box: Path, observation: Observation) -> list[tuple[str, bytes]]:
    collect(into, BoxTree(box), observation, RUNS, [LEFT])
    return [(file.path, (into.folder / file.sha256).read_bytes()) for file in dropped(into)]


def test_what_a_package_wrote_is_kept_and_what_its_manager_wrote_is_not(
    into: DroppedFiles, box: Path
) -> None:
    for name in ("tmp/x", "tmp/lock", "tmp/loaded"):
        (box / name).write_bytes(name.encode())
    found = left(
        into,
        box,
        seen(
            ("/tmp/lock", "created", NPM), ("/tmp/x", "created", SCRIPT), ("/tmp/loaded", "written", IMPORT)
        ),
    )
    assert found == [("/tmp/x", b"tmp/x"), ("/tmp/loaded", b"tmp/loaded")]


def test_the_most_telling_come_first(into: DroppedFiles, box: Path) -> None:
    for name in ("p/node_modules/left/build.o", "tmp/x", "home/dev/run"):
        (box / name).write_bytes(name.encode())
    changes = [
        ("/p/node_modules/left/build.o", "created", SCRIPT),
        ("/tmp/x", "created", SCRIPT),
        ("/home/dev/run", "created", SCRIPT),
    ]
    found = left(into, box, seen(*changes, ran="/home/dev/run"))
    assert [path for path, _ in found] == ["/home/dev/run", "/tmp/x", "/p/node_modules/left/build.o"]


def test_a_file_that_got_another_name_is_found_there(into: DroppedFiles, box: Path) -> None:
    (box / "tmp/b").write_bytes(b"moved")
    assert left(into, box, seen(("/tmp/a", "renamed", SCRIPT), to="/tmp/b")) == [("/tmp/b", b"moved")]


def test_links_pipes_holes_and_what_is_gone_are_left_out(
    into: DroppedFiles, box: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"host's")
    (box / "tmp/link").symlink_to(tmp_path / "secret")
    (box / "tmp/folder").symlink_to(tmp_path)
    os.mkfifo(box / "tmp/pipe")
    (box / "tmp/hole").touch()
    os.truncate(box / "tmp/hole", 1 << 40)
    (box / "tmp/empty").touch()
    names = ("link", "folder/secret", "pipe", "hole", "gone", "empty", "../../secret")
    assert left(into, box, seen(*((f"/tmp/{name}", "created", SCRIPT) for name in names))) == []
    assert list(into.folder.iterdir()) == []


def test_no_more_than_is_allowed_over_all_boxes(into: DroppedFiles, box: Path) -> None:
    changes = []
    for number in range(30):
        (box / f"tmp/{number}").write_bytes(bytes([number]) * 80)
        changes.append((f"/tmp/{number}", "created", SCRIPT))
    assert len(left(into, box, seen(*changes[:6]))) == 6
    found = left(into, box, seen(*changes[6:]))
    assert len(found) == 10
    assert len(left(into, box, seen(*changes))) == 10
    few = DroppedFiles(into.folder, 100, 100, 1_000)
    assert sum(len(content) for _, content in left(few, box, seen(*changes))) <= 1_000


def test_the_same_content_twice_is_one_file_under_two_paths(into: DroppedFiles, box: Path) -> None:
    for name in ("tmp/a", "tmp/b"):
        (box / name).write_bytes(b"same")
    found = left(into, box, seen(("/tmp/a", "created", SCRIPT), ("/tmp/b", "created", SCRIPT)))
    assert [path for path, _ in found] == ["/tmp/a", "/tmp/b"]
    assert len([path for path in into.folder.iterdir() if path.name != "index"]) == 1
