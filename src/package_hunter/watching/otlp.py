"""OTLP over HTTP, by OpenTelemetry's own SDK and exporter (the extra ``otel``): headers, certificates, compression and
patience as its variables say (``OTEL_EXPORTER_OTLP_HEADERS``, ...). It speaks to the one configured address: no proxy
out of the environment, no redirect."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from package_hunter import __version__
from package_hunter.errors import UsageError
from package_hunter.watching.traces import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from requests import Response

_SECONDS = 10.0  # for one request, with its tries
_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_CERTIFICATES = ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")


class OtlpExporter:
    """Implements `tracer.Exporter`. Made before rights are given up: what it needs is loaded then."""

    def __init__(self, url: str) -> None:
        try:
            import requests
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise UsageError(
                "Traces need OpenTelemetry, which is not installed.", "Install package-hunter[otel]."
            ) from error
        session = requests.Session()
        session.trust_env = False  # no proxy, no .netrc
        session.hooks["response"].append(_refuse_redirect)  # the exporter takes one for success
        own = any(os.environ.get(name) for name in _CERTIFICATES)
        bundle = str(_SYSTEM_BUNDLE) if not own and _SYSTEM_BUNDLE.is_file() else None
        self._exporter = OTLPSpanExporter(
            endpoint=url, session=session, timeout=_SECONDS, certificate_file=bundle
        )
        self._url = url

    def send(self, found: Sequence[Span]) -> str | None:
        """See the port."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        try:
            if self._exporter.export(_readable(found)) is SpanExportResult.SUCCESS:
                return None
        except Exception as error:  # whatever a library does: traces are no scan's fate
            return f"{self._url} was not told ({type(error).__name__})."
        return f"{self._url} did not take them."

    def close(self) -> None:
        """Close its connections."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _refuse_redirect(response: Response, *_: object, **__: object) -> None:
    from requests.exceptions import TooManyRedirects

    if response.is_redirect or 300 <= response.status_code < 400:
        response.close()
        raise TooManyRedirects("a redirect", response=response)


def _readable(found: Sequence[Span]) -> list[ReadableSpan]:
    """As the SDK has them; their times are over already, so no tracer of its own makes them."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

    name = os.environ.get("OTEL_SERVICE_NAME", "package-hunter")
    resource = Resource.create({"service.name": name, "service.version": __version__})
    scope = InstrumentationScope("package_hunter", __version__)
    flags, status = TraceFlags(TraceFlags.SAMPLED), {False: Status(), True: Status(StatusCode.ERROR)}
    return [
        ReadableSpan(
            name=span.name,
            context=SpanContext(span.trace, span.id, is_remote=False, trace_flags=flags),
            parent=SpanContext(span.trace, span.parent, is_remote=False) if span.parent else None,
            resource=resource,
            attributes=dict(span.attributes),
            status=status[span.failed],
            start_time=span.begin,
            end_time=span.end,
            instrumentation_scope=scope,
        )
        for span in found
    ]
