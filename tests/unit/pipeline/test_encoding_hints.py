"""What a source would decode is read out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Package
from package_hunter.pipeline.encoding_hints import encodings_of, members_of, sources


@pytest.mark.parametrize(
    ("source", "first"),
    [
        (b"eval(atob(t))", "base64"),
        (b"exec(zlib.decompress(base64.b64decode(r.read())))", "base64+zlib"),
        (b"eval(Buffer.from(JSON.parse(t).model, 'base64').toString())", "json+base64"),
        (b"t.split('').reverse().join('')", "reversed"),
        (b"exec(bytes.fromhex(r.text))", "hex"),
        (b"zlib.gunzipSync(b)", "gzip"),
        (b"nothing", "base64"),
    ],
)
def test_what_is_named_comes_first_and_there_are_three(source: bytes, first: str) -> None:
    found = encodings_of(source)
    assert found[0] == first and len(found) == len(set(found)) == 3


def test_fields_are_read_and_calls_are_none() -> None:
    assert members_of(b"x.widget; y['inner']; z.call()") == ("widget", "inner")


@given(st.binary(max_size=300))
def test_any_bytes(source: bytes) -> None:
    assert len(encodings_of(source)) == 3 and len(members_of(source)) <= 60


def test_only_a_packages_own_files_are_read(tmp_path: Path) -> None:
    for name in ("p/lib/a.js", "p/node_modules/q/b.js", "p/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "p/link.js").symlink_to("/etc/passwd")
    package = Package("pkg:npm/p@1.0.0", "p", "1.0.0", path="/p")
    assert sources(BoxTree(tmp_path), [package]) == {"pkg:npm/p@1.0.0": b"p/lib/a.js"}
