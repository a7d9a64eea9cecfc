"""Hostile archives: each refused with a sentence, at no cost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from package_hunter.bundle import Trust, archive, verify
from package_hunter.bundle.archive import Reader
from package_hunter.bundle.errors import BadBundleError
from tests.support.bundle_samples import KEY, again, bundled, content

OURS = Trust(keys=(KEY.public_key(),))


def _made(*entries: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as target:
        for name, data in entries:
            target.writestr(name, data)
    return made


@pytest.mark.parametrize(
    "name",
    [
        "../report.json",
        "/etc/passwd",
        "rules/../key.pem",
        "rules\\000.yaml",
        "rules/000.yaml/",
        "REPORT.JSON",
        "a" * 5_000,
    ],
)
def test_a_name_that_has_no_place(name: str) -> None:
    with pytest.raises(BadBundleError, match="no place in one"):
        Reader(_made((name, b"x")))


def test_a_name_that_goes_on_behind_a_nul() -> None:
    data = _made(("recordings/0.scapX.txt", b"x"), how=zipfile.ZIP_STORED).getvalue()
    with pytest.raises(BadBundleError, match="no place in one"):
        Reader(io.BytesIO(data.replace(b"scapX", b"scap\0")))


def test_a_name_twice() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        made = _made(("key.pem", b"x"), ("key.pem", b"y"))
    with pytest.raises(BadBundleError, match="twice"):
        Reader(made)


def test_a_bomb_is_not_unpacked() -> None:
    """40 MB in a file that may have 64 KiB; and one that lies about its size."""
    with pytest.raises(BadBundleError, match=r"key\.pem in the bundle is larger than"):
        Reader(_made(("key.pem", bytes(40 << 20))))
    made = _made(("key.pem", bytes(1 << 20))).getvalue()
    small = (1_000).to_bytes(4, "little")
    lying = made.replace((1 << 20).to_bytes(4, "little"), small)
    with pytest.raises(BadBundleError, match="damaged or cut short"):
        Reader(io.BytesIO(lying)).read("key.pem")


def test_a_packed_recording_is_refused() -> None:
    with pytest.raises(BadBundleError, match="packed in a way that no bundle has"):
        Reader(_made(("recordings/0.scap", bytes(1 << 20))))


def test_another_packing_is_refused() -> None:
    with pytest.raises(BadBundleError, match="packed in a way that no bundle has"):
        Reader(_made(("report.json", b"x" * 100), how=zipfile.ZIP_BZIP2))


def _encrypted(data: bytes) -> bytes:
    """With the flag of an encrypted entry in both headers."""
    made = bytearray(data)
    made[6] |= 1
    at = made.index(b"PK\x01\x02")
    made[at + 8] |= 1
    return bytes(made)


def test_an_encrypted_one_is_refused() -> None:
    with pytest.raises(BadBundleError, match="encrypted"):
        Reader(io.BytesIO(_encrypted(_made(("key.pem", b"x")).getvalue())))


def _many(data: bytes) -> bytes:
    """Says that its table of contents is 4 GB."""
    return data[:-10] + b"\xff\xff\xff\xff" + data[-6:]


def _count(data: bytes) -> bytes:
    return data[:-12] + b"\xff\xff" + data[-10:]


def _wide(data: bytes) -> bytes:
    """With the mark of the 64-bit form ahead of its end."""
    return data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"", "no bundle"),
        (lambda data: b"PK\x05\x06", "no bundle"),
        (lambda data: b"\x1f\x8b" + bytes(100), "no bundle"),
        (lambda data: data[: len(data) // 2], "no bundle, or not the whole"),
        (lambda data: data[:-1], "no bundle, or not the whole"),
        (lambda data: data + b"x", "no bundle"),
        (_many, "no bundle holds so many"),
        (_count, "no bundle holds so many"),
        (_wide, "64-bit"),
        (lambda data: data[100:], "damaged"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, change: Callable[[bytes], bytes], said: str) -> None:
    path = bundled(tmp_path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BadBundleError, match=said):
        verify(path, OURS)


def test_each_byte_that_is_turned_is_noticed(tmp_path: Path) -> None:
    """In the contents of any file, and in the table: never the same verdict as though nothing were."""
    path = bundled(tmp_path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as opened:
        starts = [info.header_offset + 30 + len(info.filename) for info in opened.infolist()]
    for at in (start + 5 for start in starts):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with pytest.raises(BadBundleError):
            verify(path, Trust(names=frozenset({"0" * 32}), keys=(KEY.public_key(),)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = bundled(tmp_path)
    kept = [(name, content(path, name)) for name in ("attestation.json", "key.pem", "policy.json")]
    path.write_bytes(_made(*kept).getvalue())
    with pytest.raises(BadBundleError, match=r"has no report\.json"):
        verify(path, OURS)


def test_json_that_is_nested_without_end(tmp_path: Path) -> None:
    deep = b"[" * 1_000_000
    with pytest.raises(BadBundleError, match="no DSSE envelope"):
        verify(again(bundled(tmp_path), {"attestation.json": deep}), OURS)


def test_limits_are_of_known_names_only() -> None:
    assert archive.limit_of(archive.rules_name(7)) is not None
    assert archive.limit_of(archive.recording_name(12)) is not None
    assert archive.limit_of("rules/x.yaml") is None
