"""Where traces go, by our setting and OpenTelemetry's variables."""

from __future__ import annotations

import pytest

from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.watching.endpoint import of

ALL, SIGNAL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.mark.parametrize(
    ("own", "environment", "found"),
    [
        (None, {}, None),
        ("http://a:1/v1/traces", {ALL: "http://b"}, "http://a:1/v1/traces"),
        (None, {ALL: "http://b:4318"}, "http://b:4318/v1/traces"),
        (None, {ALL: "http://b:4318/x/"}, "http://b:4318/x/v1/traces"),
        (None, {ALL: "http://b", SIGNAL: "https://c/own"}, "https://c/own"),
        ("http://a", {"OTEL_SDK_DISABLED": "TRUE"}, None),
    ],
)
def test_it_is_found(own: str | None, environment: dict[str, str], found: str | None) -> None:
    assert of(Settings(traces_url=own), environment) == found


@pytest.mark.parametrize(
    "url", ["collector:4318", "file:///etc/passwd", "http://", "http://a:99999/", "http://a/\nx", "ftp://a/"]
)
def test_what_is_no_http_address_is_said_at_the_start(url: str) -> None:
    with pytest.raises(UsageError, match="PACKAGE_HUNTER_TRACES_URL"):
        of(Settings(traces_url=url), {})
