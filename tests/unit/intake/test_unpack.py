"""Every hostile form of archive ends in a sentence, and what is sound is unpacked as it was."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from package_hunter.errors import BadArchiveError
from package_hunter.intake.limits import Limits
from package_hunter.intake.unpack import unpack

from .conftest import Unpack, entry, tar

PLAIN = (entry("package.json", b"{}"), entry("lib/a.js", b"1\n", mode=0o4755, mtime=1_600_000_000))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w:"])
def test_every_tar_form_is_unpacked(do: Unpack, dest: Path, mode: str) -> None:
    result = do(tar(*PLAIN, mode=mode))
    assert (result.files, result.bytes, result.top) == (2, 4, "")
    assert (dest / "lib/a.js").read_bytes() == b"1\n"
    info = (dest / "lib/a.js").stat()
    assert stat.S_IMODE(info.st_mode) == 0o755, "executable stays, setuid goes"
    assert info.st_mtime == 1_600_000_000
    assert any("setuid" in note for note in result.notes)


def test_a_zip_is_unpacked(do: Unpack, dest: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top/package.json", "{}")
        link = zipfile.ZipInfo("top/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "package.json")
    assert do(sink.getvalue()).top == "top"
    assert os.readlink(dest / "top/link") == "package.json"


def test_a_single_top_folder_is_told(do: Unpack) -> None:
    assert do(tar(entry("package/package.json", b"{}"), entry("package/x", b"y"))).top == "package"


def test_leading_dots_and_repeated_folders_are_fine(do: Unpack, dest: Path) -> None:
    folder = entry("./", kind=tarfile.DIRTYPE)
    again = entry("./lib", kind=tarfile.DIRTYPE)
    assert do(tar(folder, again, again, entry("./lib//./a", b"1"))).files == 1
    assert (dest / "lib/a").read_bytes() == b"1"


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.SYMTYPE, linkname=target)


def hard(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.LNKTYPE, linkname=target)


def special(kind: bytes) -> bytes:
    return tar(*PLAIN, entry("dev", kind=kind))


def sparse() -> bytes:
    return tar(*PLAIN, entry("big", kind=tarfile.GNUTYPE_SPARSE))


def pax(**headers: str) -> bytes:
    info, data = entry("a", b"x")
    info.pax_headers = headers
    return tar(*PLAIN, (info, data), form=tarfile.PAX_FORMAT)


def zipped(name: str, data: str = "x", attributes: int = 0o644 << 16) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = attributes, zipfile.ZIP_DEFLATED
        archive.writestr(info, data)
    return sink.getvalue()


def patched_size(text: bytes) -> bytes:
    """A tar whose first header claims another size (with a right checksum)."""
    raw = bytearray(tar(entry("a", b"x"), mode="w:"))
    raw[124:136] = text
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    return bytes(raw)


def encrypted_zip() -> bytes:
    raw = bytearray(zipped("a"))
    raw[6] |= 1
    central = raw.index(b"PK\x01\x02")
    raw[central + 8] |= 1
    return bytes(raw)


def lying_zip() -> bytes:
    """The directory promises one byte where the data has 4096."""
    raw = bytearray(zipped("a", "0" * 4096))
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<I", 1)
    return bytes(raw)


GOOD = tar(*PLAIN)
HOSTILE = {
    "empty": (b"", "empty file"),
    "no archive": (b"hello" * 300, "no tar or zip"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + bytes(600), "rar"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(600), "zstd"),
    "truncated gzip": (GOOD[:-20], "damaged or cut short"),
    "broken gzip": (GOOD[:40] + b"\xff\xff\xff" + GOOD[43:], "damaged|sound"),
    "truncated bzip2": (bz2.compress(tar(*PLAIN, mode="w:"))[:-9], "damaged or cut short"),
    "truncated xz": (lzma.compress(tar(*PLAIN, mode="w:"))[:-9], "damaged or cut short"),
    "gzip of nothing like a tar": (gzip.compress(b"hello" * 300), "damaged tar header"),
    "truncated tar": (tar(entry("a", b"x" * 5000), mode="w:")[:2000], "sound|damaged|promised"),
    "damaged second header": (tar(*PLAIN, mode="w:")[:1024] + b"\x01" * 512, "damaged tar header"),
    "no file": (tar(entry("a", kind=tarfile.DIRTYPE)), "no file"),
    "bytes bomb": (tar(entry("zeros", bytes(2 << 20))), "more than 1,048,576 bytes"),
    "bomb in headers only": (gzip.compress(tar(entry("a", b"1"), mode="w:") + bytes(4 << 20)), "more than"),
    "files bomb": (tar(*(entry(f"f{i}", b"1") for i in range(60))), "more than 50 files"),
    "folders bomb": (tar(*(entry(f"d{i}/f", b"1") for i in range(30))), "more than 50 files"),
    "depth": (tar(entry("/".join("d" * 9) + "/f", b"1")), "deeper than 8"),
    "long name": (tar(entry("n" * 65, b"1")), "longer than 64"),
    "long path": (tar(entry("/".join(["n" * 60] * 5), b"1")), "longer than 256"),
    "huge long-name header": (tar(entry("n" * 40_000, b"1")), "extended header"),
    "absolute": (tar(*PLAIN, entry("/etc/passwd", b"x")), "absolute path"),
    "climbing": (tar(*PLAIN, entry("a/../../b", b"x")), "climbs out"),
    "climbing by pax": (pax(path="../b"), "climbs out"),
    "link out": (tar(*PLAIN, link("l", "../x")), "leads out"),
    "link to a host file": (tar(*PLAIN, link("l", "/etc/passwd")), "leads out"),
    "link out through a link": (tar(*PLAIN, link("lib/d", ".."), link("m", "lib/d/../x")), "leads out"),
    "link out of the one top folder": (tar(entry("p/package.json", b"{}"), link("p/l", "../q")), "leads out"),
    "empty link": (tar(*PLAIN, link("l", "")), "leads out"),
    "write through a link": (tar(*PLAIN, link("l", "lib"), entry("l/x", b"x")), "which is no folder"),
    "link over a folder": (tar(*PLAIN, link("lib", "x")), "occurs twice"),
    "file below a file": (tar(*PLAIN, entry("package.json/x", b"x")), "which is no folder"),
    "hard link out": (tar(*PLAIN, hard("h", "../x")), "climbs out"),
    "hard link to a host file": (tar(*PLAIN, hard("h", "/etc/shadow")), "absolute path"),
    "hard link to nothing": (tar(*PLAIN, hard("h", "nowhere")), "no earlier file"),
    "hard link to itself": (tar(*PLAIN, hard("h", "h")), "no earlier file"),
    "hard link to a link": (tar(*PLAIN, link("l", "lib"), hard("h", "l")), "no earlier file"),
    "character device": (special(tarfile.CHRTYPE), "a character device"),
    "block device": (special(tarfile.BLKTYPE), "a block device"),
    "named pipe": (special(tarfile.FIFOTYPE), "a named pipe"),
    "unknown type": (special(b"Q"), "unknown type"),
    "sparse": (sparse(), "sparse"),
    "sparse by pax": (
        pax(**{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.size": "9"}),
        "sparse|sound",
    ),
    "duplicate": (tar(*PLAIN, entry("package.json", b"[]")), "occurs twice"),
    "case collision": (tar(*PLAIN, entry("PACKAGE.json", b"[]")), "letter case"),
    "case collision of folders": (tar(*PLAIN, entry("LIB/b", b"[]")), "letter case"),
    "unicode collision": (tar(entry("caf\u00e9", b"1"), entry("cafe\u0301", b"2")), "letter case"),
    "name not UTF-8": (tar(*PLAIN, entry("caf\udce9", b"x")), "not UTF-8"),
    "huge pax header": (pax(comment="x" * 20_000), "extended header"),
    "pax size negative": (pax(size="-1"), "sound|negative|damaged"),
    "pax size no number": (pax(size="lots"), "sound|damaged|promised"),
    "size negative": (patched_size(b"\xff" * 12), "negative|damaged"),
    "size beyond the end": (patched_size(b"77777777777\0"), "more than|sound|promised"),
    "zip climbing": (zipped("../x"), "climbs out"),
    "zip absolute": (zipped("/x"), "absolute path"),
    "zip device": (zipped("x", attributes=(stat.S_IFCHR | 0o644) << 16), "device"),
    "zip link out": (zipped("x", "/etc/passwd", (stat.S_IFLNK | 0o777) << 16), "leads out|no file"),
    "zip bomb": (zipped("x", "0" * (2 << 20)), "more than 1,048,576"),
    "zip encrypted": (encrypted_zip(), "encrypted"),
    "zip lying about sizes": (lying_zip(), "sound|promised"),
    "zip cut": (zipped("x", "0" * 5000)[:-30], "sound"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_are_refused_with_a_sentence(do: Unpack, case: str) -> None:
    data, says = HOSTILE[case]
    with pytest.raises(BadArchiveError, match=says) as caught:
        do(data)
    assert caught.value.exit_code == 3
    assert caught.value.advice, "says what to do"
    assert str(caught.value).isprintable(), "a hostile name cannot drive the terminal"


def test_names_with_escapes_are_shown_harmless(do: Unpack) -> None:
    with pytest.raises(BadArchiveError) as caught:
        do(tar(entry("../\x1b[2J\nx", b"x")))
    assert "\x1b" not in caught.value.message and "\n" not in caught.value.message


def test_links_within_the_tree_stay(do: Unpack, dest: Path) -> None:
    do(
        tar(
            *PLAIN,
            link("bin", "lib"),
            link("lib/up", "../package.json"),
            link("loop", "loop"),
            hard("h", "lib/a.js"),
        )
    )
    assert os.readlink(dest / "bin") == "lib"
    assert (dest / "lib/up").read_bytes() == b"{}"
    assert (dest / "h").read_bytes() == b"1\n"


def test_a_cut_tail_behind_the_end_mark_is_found(do: Unpack) -> None:
    raw = gzip.compress(tar(*PLAIN, mode="w:") + os.urandom(100_000))
    with pytest.raises(BadArchiveError, match="cut short"):
        do(raw[:-30_000])


names = st.text(st.sampled_from("ab./\u00e9\\ \n"), min_size=1, max_size=12)
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
entries = st.lists(st.tuples(names, kinds, names, st.binary(max_size=20)), min_size=1, max_size=8)


def _inside(dest: Path) -> None:
    """Nothing leads out of ``dest``, nothing but files, folders and links lies in it."""
    for base, folders, files in os.walk(dest):
        for name in folders + files:
            path = Path(base) / name
            mode = path.lstat().st_mode
            assert stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
            assert not mode & 0o6000
            if stat.S_ISLNK(mode):
                try:
                    target = path.resolve(strict=False)
                except (RuntimeError, OSError):
                    continue  # a loop, or too long a name: leads nowhere
                assert target == dest.resolve() or dest.resolve() in target.parents


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(what=entries)
def test_whatever_the_entries_nothing_leaves_the_destination(
    tmp_path_factory: pytest.TempPathFactory, what: list[tuple[str, bytes, str, bytes]]
) -> None:
    dest = tmp_path_factory.mktemp("parent") / "dest"
    dest.mkdir()
    made = tar(*(entry(n, d if k == tarfile.REGTYPE else b"", k, linkname=t) for n, k, t, d in what))
    fd = os.open(dest, os.O_RDONLY | os.O_DIRECTORY)
    try:
        unpack(io.BytesIO(made), fd, Limits(files=50))
    except BadArchiveError:
        pass
    finally:
        os.close(fd)
    _inside(dest)
    assert [path.name for path in dest.parent.iterdir()] == ["dest"]


SEEDS = [
    tar(*PLAIN, mode="w:"),
    tar(entry("n" * 120, b"1"), mode="w:"),
    tar(entry("p" * 120, b"x" * 600), mode="w:", form=tarfile.PAX_FORMAT),
    zipped("a/b", "x" * 50),
    GOOD,
]


@settings(max_examples=250, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0), st.binary(max_size=6)), max_size=6),
)
def test_damaged_archives_end_in_our_error_or_unpack(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, changes: list[tuple[int, bytes]]
) -> None:
    data = bytearray(seed)
    for at, piece in changes:
        place = at % len(data)
        data[place : place + len(piece)] = piece
    dest = tmp_path_factory.mktemp("dest")
    fd = os.open(dest, os.O_RDONLY | os.O_DIRECTORY)
    try:
        unpack(io.BytesIO(bytes(data)), fd, Limits(files=50, unpacked_bytes=1 << 20))
    except BadArchiveError:
        pass
    finally:
        os.close(fd)
    _inside(dest)
