"""Layers of a container image: laid in order, whiteouts heeded, nothing outside touched."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.errors import HostError
from package_hunter.sandbox.image import archive
from package_hunter.sandbox.image.layers import LayerLimits, Root
from tests.support.requires import needs_root

Entry = tuple[str, str, bytes, str]  # name, kind, content, link


def _tar(*entries: Entry) -> bytes:
    buffer = io.BytesIO()
    kinds = {
        "file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE, "pipe": tarfile.FIFOTYPE,
    }  # fmt: skip
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name, kind, content, link in entries:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname, member.mode = kinds[kind], len(content), link, 0o6755
            out.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _file(name: str, content: bytes = b"x") -> Entry:
    return (name, "file", content, "")


def _lay(folder: Path, *layers: bytes, limits: LayerLimits | None = None) -> Root:
    needs_root()
    root = Root(folder, limits)
    try:
        for layer in layers:
            root.lay(io.BytesIO(layer))
    finally:
        root.close()
    return root


def test_later_layers_cover_delete_and_empty(tmp_path: Path) -> None:
    lower = _tar(
        _file("etc/a", b"1"), _file("etc/b", b"1"), _file("opt/x/1"), _file("opt/x/2"), _file("was-file")
    )
    upper = _tar(
        _file("./etc/a", b"2"), _file("etc/.wh.b"), _file("opt/x/3"), _file("opt/x/.wh..wh..opq"),
        ("was-file", "dir", b"", ""), _file("was-file/inner"), ("etc/name", "hard", b"", "etc/a"),
        ("dev/null", "device", b"", ""), ("run/p", "pipe", b"", ""),
    )  # fmt: skip
    _lay(tmp_path / "r", lower, gzip.compress(upper))
    found = {
        str(p.relative_to(tmp_path / "r")): p.read_bytes() for p in (tmp_path / "r").rglob("*") if p.is_file()
    }
    assert found == {"etc/a": b"2", "etc/name": b"2", "opt/x/3": b"x", "was-file/inner": b"x"}
    devices_and_pipes = [tmp_path / "r/dev/null", tmp_path / "r/run/p"]
    assert not any(os.path.lexists(path) for path in devices_and_pipes)
    assert (tmp_path / "r/etc/a").stat().st_mode & 0o7777 == 0o755  # no setuid


@pytest.mark.parametrize(
    "entries",
    [
        [_file("../out")],
        [_file("a/../../out")],
        [("way", "link", b"", "/"), _file("way/tmp/out")],
        [("way", "link", b"", ".."), _file("way/out")],
        [("name", "hard", b"", "../out")],
        [("way", "link", b"", ".."), ("name", "hard", b"", "way/out")],
        [_file("a/.wh...")],
        [_file("a/.wh..")],
    ],
)
def test_what_leads_out_is_refused(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "out").write_text("untouched")
    with pytest.raises(HostError):
        _lay(tmp_path / "r", _tar(*entries))
    assert (tmp_path / "out").read_text() == "untouched"


def test_limits(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="larger than"):
        _lay(tmp_path / "r", _tar(_file("a", b"x" * 3000)), limits=LayerLimits(bytes=2000))
    with pytest.raises(HostError, match="more than 3 files"):
        _lay(tmp_path / "s", _tar(*[_file(str(n)) for n in range(4)]), limits=LayerLimits(entries=3))


_NAMES = st.sampled_from(
    ["a", "a/b", "a/b/c", "..", "a/..", "/abs", "./a", ".wh.a", "a/.wh.b", "a/.wh..wh..opq", "c"]
)
_KINDS = st.sampled_from(["file", "dir", "link", "hard", "device"])
_TARGETS = st.sampled_from(["a", "/", "..", "../out", "/tmp", "a/b", ""])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_NAMES, _KINDS, _TARGETS), max_size=8))
def test_no_layer_leaves_its_root(tmp_path_factory, entries) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("layers")
    (folder / "out").write_text("untouched")
    rows = [(name, kind, b"x" if kind == "file" else b"", target) for name, kind, target in entries]
    try:
        _lay(folder / "r", _tar(*rows))
    except HostError:
        pass
    assert (folder / "out").read_text() == "untouched"
    assert {p.name for p in folder.iterdir()} <= {"out", "r"}


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8b\x08", b"\x1f\x8b\x08\x04" + bytes(6), b"\x1f\x8b\x08\x04" + bytes(6) + b"\x02"],
    ids=["flags", "length of the extra field", "half of that length"],
)
def test_a_compressed_layer_that_is_cut_in_its_header_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(HostError, match="cannot be unpacked"):
        _lay(tmp_path / "r", data)


@given(st.binary(max_size=2000))
@settings(max_examples=40, deadline=None)
def test_no_bytes_break_it(tmp_path_factory, data: bytes) -> None:  # type: ignore[no-untyped-def]
    try:
        _lay(tmp_path_factory.mktemp("bytes") / "r", data)
    except HostError:
        pass


def _outer(files: dict[str, bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(_tar(*[_file(name, data) for name, data in files.items()])))


def test_layers_of_both_forms_of_archive_are_found_and_verified(tmp_path: Path) -> None:
    needs_root()
    layer = gzip.compress(_tar(_file("etc/from", b"layer")))
    digest = hashlib.sha256(layer).hexdigest()
    blob = f"blobs/sha256/{digest}"
    manifest = json.dumps({"layers": [{"digest": f"sha256:{digest}"}]}).encode()
    named = hashlib.sha256(manifest).hexdigest()
    index = {"manifests": [
        {"digest": f"sha256:{named}", "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "arm64"}},
    ]}  # fmt: skip
    oci = {"index.json": json.dumps(index).encode(), f"blobs/sha256/{named}": manifest, blob: layer}
    docker = {"manifest.json": json.dumps([{"Layers": [blob]}]).encode(), blob: layer}
    for number, files in enumerate((oci, docker)):
        archive._lay(_outer(files), tmp_path / str(number))
        assert (tmp_path / str(number) / "etc/from").read_bytes() == b"layer"
    with pytest.raises(HostError, match="digest"):
        archive._lay(_outer({**docker, blob: layer + b"0"}), tmp_path / "changed")
    with pytest.raises(HostError, match="no container image"):
        archive._lay(_outer({"x": b""}), tmp_path / "none")
    with pytest.raises(HostError, match="form"):
        bad = json.dumps([{"Layers": ["../../etc/passwd"]}]).encode()
        archive._lay(_outer({"manifest.json": bad}), tmp_path / "bad")
