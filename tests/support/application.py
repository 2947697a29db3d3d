"""An application with the OpenTelemetry SDK's own OTLP/HTTP exporters, set up by environment variables alone.

Run as a program (`python -m tests.support.application`) it exports a span, a metric and a log record, and ends with 0
where the exporters say that all were taken.
"""

from __future__ import annotations

import sys
import time

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def main() -> int:
    """Export one item of each signal; return 0 where the exporters took all for accepted."""
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    records = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # the SDK has no type for it
    tracing, logging, metering = TracerProvider(), LoggerProvider(), MeterProvider([metrics])
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    with tracing.get_tracer("application").start_as_current_span("a span"):
        pass
    logging.add_log_record_processor(SimpleLogRecordProcessor(records))
    logging.get_logger("application").emit(LogRecord(timestamp=time.time_ns(), body="a record"))
    metering.get_meter("application").create_counter("a.counter").add(1)
    data = metrics.get_metrics_data()
    if data is None:
        return 2
    results = [
        OTLPSpanExporter().export(spans.get_finished_spans()),
        OTLPLogExporter().export(records.get_finished_logs()),
        OTLPMetricExporter().export(data),
    ]
    return 0 if all(result.name == "SUCCESS" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
