"""Addresses that users give."""

from __future__ import annotations

import pytest

from package_hunter.notices.addresses import check_mail, check_url, origin


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.example/a/b?c=d",
        "http://10.0.0.1:8080/",
        "https://[2606:4700::1]/x",
        "https://xn--bcher-kva.example/",
    ],
)
def test_addresses(text: str) -> None:
    assert check_url(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.example",
        "ftp://x.example/",
        "file:///etc/passwd",
        "gopher://x.example/",
        "https://",
        "https://user:pass@x.example/",
        "https://x.example/#a",
        "https://x.example/a b",
        "https://x.example/\r\nHost: evil",
        "https://x.example:0/",
        "https://x.example:99999/",
        "https://" + "a" * 300 + ".example/",
        "https://bücher.example/",
        "https://x.example\\@evil.example/",
        "javascript:alert(1)",
        "https://[::1/",
    ],
)
def test_what_is_no_address_here(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_url(text)


def test_what_is_shown_of_a_secret_address() -> None:
    assert origin("https://hooks.example:8443/services/T0/B0/secret?k=v") == "https://hooks.example:8443/…"
    assert origin("https://jira.example") == "https://jira.example"
    assert origin("https://[2606:4700::1]/s") == "https://[2606:4700::1]/…"


@pytest.mark.parametrize("text", ["security@example.org", "a+b@localhost", "o'neil@example.co"])
def test_mail_addresses(text: str) -> None:
    assert check_mail(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b",
        "a@b\r\nBcc: c@d",
        "a b@c",
        '"a b"@c',
        "a@b,c@d",
        "<a@b>",
        "a@" + "b" * 300,
        "ä@b.example",
    ],
)
def test_what_is_no_mail_address(text: str) -> None:
    with pytest.raises(ValueError, match="mail address"):
        check_mail(text)
