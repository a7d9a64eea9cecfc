"""Members of real archives, read in a child without rights."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from package_hunter.errors import HunterError, UsageError
from package_hunter.inventory.members import members_of, runs_here
from package_hunter.inventory.siblings import sibling_of
from tests.support.gem_server import make_gem

ELF, PE = b"\x7fELF\x02" + b"x" * 50, b"MZ\x90\x00" + b"y" * 50


def wheel(folder: Path, name: str, **members: bytes) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member.replace("__", "/").replace("_DOT_", "."), content)
    return path


def pair(folder: Path, **other: bytes) -> tuple[Path, Path]:
    same = {"num__init_DOT_py": b"import num.core", "num-1.0.dist-info__METADATA": b"Name: num"}
    one = {
        **same,
        "num__core_DOT_so": ELF,
        "num-1.0.dist-info__RECORD": b"a",
        "num-1.0.dist-info__WHEEL": b"Tag: x",
    }
    two = {
        **same,
        "num__core_DOT_pyd": PE,
        "num-1.0.dist-info__RECORD": b"b",
        "num-1.0.dist-info__WHEEL": b"Tag: y",
    }
    return (
        wheel(folder, "num-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", **one),
        wheel(folder, "num-1.0-cp311-cp311-win_amd64.whl", **(two | other)),
    )


def test_a_wheel_for_another_system_is_the_sibling_of_one_with_the_same_code(tmp_path: Path) -> None:
    linux, windows = pair(tmp_path)
    digest, here = members_of(linux, "1.0")
    _, there = members_of(windows, "1.0")
    assert digest == f"sha256:{hashlib.sha256(linux.read_bytes()).hexdigest()}"
    assert (here.native, there.native) == ({"num/core.so"}, {"num/core.pyd"})
    assert sibling_of(there, here) == ["num/core.pyd"]


@pytest.mark.parametrize(
    "other",
    [
        {"num__init_DOT_py": b"import os"},
        {"num__extra_DOT_py": b"import os"},
        {"num_DOT_pth": b"import os"},
        {"num-1.0.dist-info__entry_points_DOT_txt": b"[console_scripts]"},
    ],
)
def test_one_that_has_other_code_is_none(tmp_path: Path, other: dict[str, bytes]) -> None:
    linux, windows = pair(tmp_path, **other)
    here, there = members_of(linux, "1.0")[1], members_of(windows, "1.0")[1]
    assert sibling_of(there, here) is None
    assert sibling_of(here, there) is None, "what the one that ran has more may be what made it harmless"


def test_a_script_that_begins_like_a_program_is_compared_as_a_script(tmp_path: Path) -> None:
    linux, windows = pair(tmp_path, num__evil_DOT_py=b"MZ=1;import os")
    here, there = members_of(linux, "1.0")[1], members_of(windows, "1.0")[1]
    assert there.native == {"num/core.pyd"}
    assert sibling_of(there, here) is None


def test_gems_and_tars_are_read_too(tmp_path: Path) -> None:
    gem = tmp_path / "a-1.0.gem"
    gem.write_bytes(make_gem("a", "1.0", load="A = 1\n"))
    assert members_of(gem, "1.0")[1].members["lib/a.rb"] == hashlib.sha256(b"A = 1\n").hexdigest()
    tgz = tmp_path / "a-1.0.tgz"
    with tarfile.open(tgz, "w:gz") as archive:
        info = tarfile.TarInfo("package/link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
        info = tarfile.TarInfo("package/index.js")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert set(members_of(tgz, "1.0")[1].members) == {"package/link", "package/index.js"}


def test_broken_and_doubled_files_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "a.whl"
    broken.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(HunterError, match="broken"):
        members_of(broken, "1.0")
    double = tmp_path / "b.whl"
    with zipfile.ZipFile(double, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.py", "honest")
        archive.writestr("a.py", "evil")
    with pytest.raises(HunterError, match="two members of one name"):
        members_of(double, "1.0")
    with pytest.raises(UsageError):
        members_of(tmp_path, "1.0")


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("a-1.0-py3-none-any.whl", True),
        ("a-1.0-cp311-cp311-manylinux_2_17_MACHINE.manylinux2014_MACHINE.whl", True),
        ("a-1.0-cp311-cp311-musllinux_1_2_MACHINE.whl", True),
        ("a-1.0-cp311-cp311-win_amd64.whl", False),
        ("a-1.0-cp311-cp311-macosx_11_0_arm64.whl", False),
        ("a-1.0-cp311-cp311-linux_s390x.whl", False),
        ("nonsense.whl", False),
        ("a-1.0.tar.gz", True),
        ("a-1.0.gem", True),
        ("a-1.0-MACHINE-linux.gem", True),
        ("a-1.0-x64-mingw-ucrt.gem", False),
        ("a-1.0-arm64-darwin.gem", False),
    ],
)
def test_what_a_box_here_can_load(name: str, here: bool) -> None:
    import os

    assert runs_here(name.replace("MACHINE", os.uname().machine)) is here
