"""Where traces go. Nowhere, unless somebody says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from package_hunter.config import Settings
from package_hunter.errors import UsageError

_OWN = "PACKAGE_HUNTER_TRACES_URL"
_SIGNAL, _ALL = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"


def of(settings: Settings, environment: Mapping[str, str] = os.environ) -> str | None:
    """The address of a receiver of OTLP over HTTP: our own setting, else as OpenTelemetry's variables name it
    (specification, "OTLP Exporter Configuration"). None: nobody is told."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if settings.traces_url:
        return _checked(settings.traces_url, _OWN)
    if url := environment.get(_SIGNAL):
        return _checked(url, _SIGNAL)
    if url := environment.get(_ALL):
        return _checked(url.rstrip("/") + "/v1/traces", _ALL)
    return None


def _checked(url: str, name: str) -> str:
    """The address; UsageError where it is none that can be spoken to."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits or not url.isprintable() or any(c.isspace() for c in url):
        raise UsageError(f"{name} is no http address.", "It looks like http://127.0.0.1:4318/v1/traces.")
    return url
