"""What pages load is what was vendored."""

from __future__ import annotations

import hashlib

from package_hunter.web.assets import ASSETS, asset

_HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"


def test_htmx_is_the_file_that_was_vendored() -> None:
    assert hashlib.sha256(ASSETS["htmx.min.js"].body).hexdigest() == _HTMX


def test_an_address_changes_with_its_file() -> None:
    for name, one in ASSETS.items():
        assert asset(name) == f"/static/{hashlib.sha256(one.body).hexdigest()[:16]}/{name}"


def test_styles_and_scripts_name_nothing_elsewhere() -> None:
    for name, one in ASSETS.items():
        text = one.body.decode()
        if name.endswith(".css"):
            assert "url(" not in text and "@import" not in text, name
    assert "eval(" not in ASSETS["pages.js"].body.decode()
