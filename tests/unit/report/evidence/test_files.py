"""Files that were changed."""

from __future__ import annotations

from package_hunter.model.observation import FileChange
from package_hunter.report.evidence import Exhibits
from tests.support.evidence_samples import BEGAN, alert, process, with_processes

BOX = [process(1, None, "init"), process(2, 1, "node steal.js"), process(3, 1, "gcc a.c")]


def change(path: str, key: int, action: str = "created") -> FileChange:
    return FileChange(path, action, key, BEGAN)


def test_those_of_processes_of_note_stand_apart() -> None:
    files = (
        change("/home/dev/.bashrc", 2, "written"),
        change("/home/dev/.bashrc", 2, "written"),
        change("/home/dev/projects/demo/a.o", 3),
        change("/home/dev/projects/demo/node_modules/x/index.js", 2),
        change("/etc/cron.d/x", 2),
    )
    found = Exhibits(with_processes(BOX, [alert(2)], files=files)).files
    assert (found.total, found.unpacked) == (4, 1)
    assert [place.name for place in found.places] == [
        "In the home folder",
        "Elsewhere in the system",
        "In the project",
    ]
    [home] = found.places[0].changes
    assert (home.path, home.count, home.program) == ("/home/dev/.bashrc", 2, "node")
    assert [c.path for c in found.places[2].others] == ["/home/dev/projects/demo/a.o"]


def test_a_hundred_thousand_are_counted() -> None:
    files = tuple(change(f"/tmp/x/{n}", 3) for n in range(100_000))
    [place] = Exhibits(with_processes(BOX, files=files)).files.places
    assert len(place.others) + place.more == 100_000
