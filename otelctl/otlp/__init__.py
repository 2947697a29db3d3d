"""The OTLP codec: telemetry to bytes and back, and what the bytes of an answer are. Pure: no I/O, no clock."""

from otelctl.otlp.answers import Answer, AnswerKind, read_answer
from otelctl.otlp.logs import SyntheticLog, synthetic_log
from otelctl.otlp.messages import (
    DecodeError,
    TooLargeError,
    content_type,
    decode_request,
    empty_request,
    encode,
    encode_response,
    encode_status,
    gunzip,
    iter_spans,
    protocol_of,
    trace_ids,
)
from otelctl.otlp.metrics import SyntheticMetrics, synthetic_metrics
from otelctl.otlp.rpc import Details, as_http, method, read_details, read_rpc, service
from otelctl.otlp.traces import SyntheticTrace, synthetic_trace
from otelctl.propagation import TraceParent

__all__ = [
    "Answer",
    "AnswerKind",
    "DecodeError",
    "Details",
    "SyntheticLog",
    "SyntheticMetrics",
    "SyntheticTrace",
    "TooLargeError",
    "TraceParent",
    "as_http",
    "content_type",
    "decode_request",
    "empty_request",
    "encode",
    "encode_response",
    "encode_status",
    "gunzip",
    "iter_spans",
    "method",
    "protocol_of",
    "read_answer",
    "read_details",
    "read_rpc",
    "service",
    "synthetic_log",
    "synthetic_metrics",
    "synthetic_trace",
    "trace_ids",
]
