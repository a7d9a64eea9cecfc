from __future__ import annotations

import ssl

from package_hunter.decoy.tls import Certificates, make_ca


def _agreed(certificates: Certificates, name: str) -> str | None:
    """The protocol that a client which knows both gets."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    knows = ssl.create_default_context()
    knows.check_hostname, knows.verify_mode = False, ssl.CERT_NONE
    knows.set_alpn_protocols(["h2", "http/1.1"])
    client = knows.wrap_bio(to_client, to_server, server_hostname=name)
    server = certificates.context("localhost").wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.selected_alpn_protocol()


def test_http_2_is_offered_while_it_is_spoken() -> None:
    certificates = Certificates(*make_ca(), None, lambda name: name != "plain.example")
    assert [_agreed(certificates, f"{name}.example") for name in ("a", "plain")] == ["h2", "http/1.1"]
    certificates.only_http_1()
    assert [_agreed(certificates, f"{name}.example") for name in ("a", "new")] == ["http/1.1"] * 2
