"""OpenTelemetry by Ray's own hook: a span for each task and actor call, sent to whoever collects traces. No Ray here.

Ray calls `set_up` in each of its processes (`ray start --tracing-startup-hook`, or `ray.tracing` for a local Ray). A
span holds names and ids, not arguments; what an exception says is redacted, as in a job's bundle.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

HOOK = f"{__name__}:set_up"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def check_tracing() -> None:
    """Refuse before Ray starts what would end each of its processes.

    Raises:
        ValueError: no endpoint is named, or the exporter is not installed.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        raise ValueError(f"ray.tracing sends spans to the collector that {ENDPOINTS[1]} names; "
                         "set it, to http://127.0.0.1:4318 for one")  # fmt: skip
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401
    except ImportError:
        raise ValueError("ray.tracing needs an exporter: pip install opentelemetry-exporter-otlp-proto-http") from None


def set_up() -> None:
    """Send this process's spans by OTLP over HTTP; the standard OTEL_… variables say where to and how."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    from ray_jobs.cluster.redaction import known_secrets, redact, redact_values

    secrets = known_secrets()

    def hide(span: ReadableSpan) -> ReadableSpan:
        events = [Event(event.name, redact_values(dict(event.attributes or {}), secrets), event.timestamp)
                  for event in span.events]  # fmt: skip
        status = trace.Status(span.status.status_code, redact(span.status.description or "", secrets) or None)
        return ReadableSpan(
            span.name, span.context, span.parent, span.resource, redact_values(dict(span.attributes or {}), secrets),
            events, span.links, span.kind, None, status, span.start_time, span.end_time, span.instrumentation_scope,
        )  # fmt: skip

    class Redacting(OTLPSpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return super().export([hide(span) for span in spans])

    provider = TracerProvider(resource=Resource.create({"service.name": "wavecoder"}))
    provider.add_span_processor(BatchSpanProcessor(Redacting()))
    trace.set_tracer_provider(provider)
