"""The exporter, against a receiver that reads what it is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from package_hunter.watching.otlp import OtlpExporter
from package_hunter.watching.traces import Span
from tests.support.otlp_receiver import OtlpReceiver, otlp_receiver

SPANS = (
    Span(7, 1, 0, "scan", 10, 90, attributes={"hunter.scan.status": "finished"}),
    Span(7, 2, 1, "try", 20, 80, failed=True, attributes={"hunter.try": 2}),
)


def _sent(url: str) -> str | None:
    with closing(OtlpExporter(url)) as exporter:
        return exporter.send(SPANS)


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as made:
        yield made


def test_spans_arrive_as_they_are(receiver: OtlpReceiver) -> None:
    assert _sent(receiver.url) is None
    whole, tried = receiver.of(f"{7:032x}")
    assert (whole.name, whole.span_id.hex(), whole.parent_span_id) == ("scan", f"{1:016x}", b"")
    assert (whole.start_time_unix_nano, whole.end_time_unix_nano, whole.status.code) == (10, 90, 0)
    assert (tried.name, tried.parent_span_id.hex(), tried.status.code) == ("try", f"{1:016x}", 2)
    assert tried.attributes[0].value.int_value == 2
    assert receiver.resources[0]["service.name"] == "package-hunter"


def test_headers_of_the_environment_are_sent(receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
    assert _sent(receiver.url) is None
    assert receiver.headers[0]["x-tenant"] == "blue"


def test_no_proxy_of_the_environment_is_asked(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with otlp_receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base)
        assert _sent(receiver.url) is None
        assert proxy.requests == 0
    assert receiver.requests == 1


@pytest.mark.parametrize("status", [302, 307, 400, 404])
def test_what_is_not_taken_is_said_and_no_redirect_is_followed(receiver: OtlpReceiver, status: int) -> None:
    with otlp_receiver() as elsewhere:
        receiver.status, receiver.location = status, elsewhere.url
        problem = _sent(receiver.url)
        assert problem is not None and receiver.url in problem
        assert elsewhere.requests == 0


def test_nobody_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("package_hunter.watching.otlp._SECONDS", 0.5)
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        problem = _sent(f"http://127.0.0.1:{held.getsockname()[1]}/v1/traces")
    assert problem is not None
