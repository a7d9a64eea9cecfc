"""Hostile projects are copied as they are, and nothing outside is touched or read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.errors import SandboxError
from package_hunter.model.box import HOST_ID_BASE, UID, BoxSpec
from package_hunter.model.scan import BoxFile
from package_hunter.sandbox.populate import populate
from tests.support.requires import needs_root
from tests.support.sandbox_box import MakeBox, run

_NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda n: b"/" not in n and b"\0" not in n and n not in (b".", b"..")
)
_FILES = st.binary(max_size=200)
_LINKS = st.sampled_from(
    [b"/etc/shadow", b"../../../../../../etc/shadow", b".", b"..", b"/proc/self/root", b"x" * 200]
)
_TREES = st.recursive(
    st.tuples(st.just("file"), _FILES) | st.tuples(st.just("link"), _LINKS),
    lambda inner: st.tuples(st.just("dir"), st.dictionaries(_NAMES, inner, max_size=4)),
    max_leaves=12,
)


def _make(path: bytes, node: tuple[str, object]) -> None:
    kind, value = node
    if kind == "file":
        with open(path, "wb") as file:
            file.write(value)  # type: ignore[arg-type]
    elif kind == "link":
        os.symlink(value, path)  # type: ignore[arg-type]
    else:
        os.mkdir(path)
        for name, inner in value.items():  # type: ignore[attr-defined]
            _make(os.path.join(path, name), inner)


def _look(path: bytes) -> object:
    if os.path.islink(path):
        return ("link", os.readlink(path))
    if os.path.isdir(path):
        return ("dir", {name: _look(os.path.join(path, name)) for name in os.listdir(path)})
    with open(path, "rb") as file:
        return ("file", file.read())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_root()
    root = tmp_path_factory.mktemp("image")
    (root / "home/dev/projects").mkdir(parents=True)
    (root / "home/dev").chmod(0o755)
    return root


@settings(max_examples=60, deadline=None)
@given(tree=st.dictionaries(_NAMES, _TREES, max_size=5))
def test_any_tree_is_copied_as_it_is(image: Path, tree: dict[bytes, tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        source_tree, upper = Path(place, "source_tree"), Path(place, "upper")
        upper.mkdir()
        _make(os.fsencode(source_tree), ("dir", tree))
        populate(BoxSpec(scan_id="x", project_dir=source_tree), upper, image)
        copied = upper / "home/dev/projects/app"
        assert _look(os.fsencode(copied)) == _look(os.fsencode(source_tree))
        for directory, names, files in os.walk(copied):
            for name in (*names, *files):
                assert os.lstat(os.path.join(directory, name)).st_uid == HOST_ID_BASE + UID


@settings(max_examples=60, deadline=None)
@given(tree=st.dictionaries(_NAMES, _TREES, max_size=5), data=st.data())
def test_planting_never_leaves_the_upper_layer(
    image: Path, tree: dict[bytes, tuple[str, object]], data: st.DataObject
) -> None:
    """Files planted over whatever the project put there land in the box, with their content."""
    with tempfile.TemporaryDirectory() as place:
        source_tree, upper, outside = (Path(place, n) for n in ("source_tree", "upper", "outside"))
        upper.mkdir()
        outside.mkdir()
        _make(os.fsencode(source_tree), ("dir", tree))
        names = [os.fsdecode(n) for n in tree] or ["a"]
        parts = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
        where = "/home/dev/projects/app/" + "/".join(parts)
        shadow = os.stat("/etc/shadow").st_mtime_ns
        populate(
            BoxSpec(scan_id="x", project_dir=source_tree, files=(BoxFile(where, b"canary", 0o600),)),
            upper,
            image,
        )
        planted = Path(str(upper) + where)
        assert planted.read_bytes() == b"canary" and not planted.is_symlink()
        assert planted.resolve().is_relative_to(upper)
        assert os.stat("/etc/shadow").st_mtime_ns == shadow and list(outside.iterdir()) == []


@pytest.mark.parametrize("path", ["relative", "/", "/a/../b", "/a\0b", ""])
def test_paths_that_are_none(image: Path, tmp_path: Path, path: str) -> None:
    with pytest.raises(SandboxError, match="not an absolute path"):
        populate(BoxSpec(scan_id="x", files=(BoxFile(path, b""),)), tmp_path, image)


def test_directories_too_deep(image: Path, tmp_path: Path) -> None:
    deep = tmp_path / "source_tree"
    deep.mkdir()
    fd = os.open(deep, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    (tmp_path / "upper").mkdir()
    with pytest.raises(SandboxError, match="nested"):
        populate(BoxSpec(scan_id="x", project_dir=deep), tmp_path / "upper", image)


def test_no_two_files_of_a_box_have_one_inode_number(make_box: MakeBox) -> None:
    box = make_box()
    code = (
        "import os\n"
        "for n in range(1500): open(f'/tmp/f{n}', 'w').close()\n"
        "seen = {}\n"
        "for top in ('/tmp', '/etc', '/usr/bin', '/usr/lib/ruby', '/home'):\n"
        "    for folder, _, files in os.walk(top):\n"
        "        for path in [folder, *(os.path.join(folder, f) for f in files)]:\n"
        "            facts = os.lstat(path)\n"
        "            if facts.st_nlink == 1 or os.path.isdir(path):\n"
        "                seen.setdefault((facts.st_dev, facts.st_ino), []).append(path)\n"
        "assert len({dev for dev, _ in seen}) == 1, 'numbers are told apart by device only'\n"
        "print(len(seen), [paths for paths in seen.values() if len(paths) > 1][:3])\n"
    )
    done = run(box, "python3", "-c", code)
    number, _, twice = done.output_tail.strip().partition(" ")
    assert int(number) > 3_000 and twice == "[]", done.output_tail
