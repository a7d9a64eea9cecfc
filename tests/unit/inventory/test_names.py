"""Purls and digests as strangers write them."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.errors import UsageError
from package_hunter.inventory.names import Name, digest_of, digests_in, name_in, name_of

SHA256 = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    ("purl", "name"),
    [
        ("pkg:npm/%40a/b@1.0.0", Name("pkg:npm/%40a/b", "1.0.0")),
        ("pkg:npm/@a/b@1.0.0", Name("pkg:npm/%40a/b", "1.0.0")),
        ("pkg:PyPI/Foo_Bar@1", Name("pkg:pypi/foo-bar", "1")),
        ("pkg:gem/nokogiri@1.18?platform=x86_64-linux#lib", Name("pkg:gem/nokogiri", "1.18")),
        ("pkg:npm/a", Name("pkg:npm/a", "")),
        ("pkg:npm/a%00b", Name("pkg:npm/a%00b", "")),
        ("pkg:npm/a\0b", Name("pkg:npm/a%00b", "")),
        ("pkg:gem/a%0Ab@2", Name("pkg:gem/a%0Ab", "2")),
        ("pkg:npm/\u202eevil@1", name_of("pkg:npm/%E2%80%AEevil@1")),
    ],
)
def test_a_purl_is_split(purl: str, name: Name) -> None:
    assert name_of(purl) == name
    assert name_of(name.purl) == name


@pytest.mark.parametrize(
    "purl", ["", "a", "pkg:", "pkg:npm", "pkg:npm/a@1\0", "pkg:npm/a@1%00", "pkg:npm/" + "a" * 600, "\ud800"]
)
def test_what_is_none_is_refused(purl: str) -> None:
    assert name_in(purl) is None
    with pytest.raises(UsageError):
        name_of(purl)


@given(st.text(max_size=700))
def test_any_text_is_a_name_or_none(text: str) -> None:
    for made in (text, f"pkg:npm/{text}", f"pkg:npm/a@{text}"):
        found = name_in(made)
        if found is not None:
            found.base.encode()
            assert "\0" not in found.base + found.version
            assert name_in(found.purl) is not None or len(found.purl) > 512


@pytest.mark.parametrize(
    "text",
    [
        f"sha256:{SHA256}",
        f"SHA-256={SHA256.upper()}",
        "sha256-" + base64.b64encode(hashlib.sha256(b"x").digest()).decode(),
        f"md5:00 sha1-AAAA sha256:{SHA256}?opt sha512:{SHA256}",
    ],
)
def test_digests_are_written_one_way(text: str) -> None:
    assert digests_in(text) == {f"sha256:{SHA256}"}


def test_a_digest_alone_is_known_by_its_length() -> None:
    assert digest_of(SHA256.upper()) == digest_of(f" sha256:{SHA256} ") == f"sha256:{SHA256}"
    for text in ("", "abc", "sha1-" + "A" * 28, SHA256[:-1], "sha256:" + "g" * 64):
        with pytest.raises(UsageError, match="no digest"):
            digest_of(text)


@given(st.text(max_size=300))
def test_any_text_holds_digests_or_none(text: str) -> None:
    assert all(d.partition(":")[0] in ("sha256", "sha384", "sha512") for d in digests_in(text))
