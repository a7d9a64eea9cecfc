"""How the sentence of a secret that left names the way it took."""

from __future__ import annotations

import pytest

from package_hunter.findings.from_network import _through
from package_hunter.model.observation import CanaryHit


@pytest.mark.parametrize(
    ("channel", "encoding", "said"),
    [
        ("over ssh", (), "over SSH"),
        ("over smtp", ("base64",), "over SMTP, wrapped in base64"),
        ("over h2", (), "over HTTP/2"),
        ("over ftp-data", (), "over FTP"),
        ("over mongo", (), "over MongoDB"),
        ("tls", (), "tls"),
        ("http-body", (), "http-body"),
    ],
)
def test_the_protocol_of_a_conversation_is_named(channel: str, encoding: tuple[str, ...], said: str) -> None:
    assert _through(CanaryHit(1, "one", encoding, channel, "evil.example:22", 4000, False)) == said
