"""A log record that is made to be sent, and what ties it to a trace.

Source: opentelemetry-proto logs.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otelctl import __version__
from otelctl.otlp.sender import describe_sender

if TYPE_CHECKING:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

BODY = "otelctl test log record"


@dataclass(frozen=True, slots=True)
class SyntheticLog:
    """One log record; ids in hex, empty where it belongs to no trace."""

    body: str
    trace_id: str
    span_id: str
    request: ExportLogsServiceRequest


def synthetic_log(
    *, service: str, attributes: Mapping[str, str], now_ns: int, trace_id: str = "", span_id: str = "", flags: int = 1
) -> SyntheticLog:
    """Return a record of severity INFO at `now_ns` (nanoseconds since the epoch), in the span named by ids in hex."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest  # noqa: PLC0415
    from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber  # noqa: PLC0415

    request = ExportLogsServiceRequest()
    part = request.resource_logs.add()
    describe_sender(part.resource, service)
    scope = part.scope_logs.add()
    scope.scope.name, scope.scope.version = "otelctl", __version__
    record = scope.log_records.add(
        time_unix_nano=now_ns,
        observed_time_unix_nano=now_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        severity_text="INFO",
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        flags=flags if trace_id else 0,
    )
    record.body.string_value = BODY
    for key, value in attributes.items():
        record.attributes.add(key=key).value.string_value = value
    return SyntheticLog(BODY, trace_id, span_id, request)
