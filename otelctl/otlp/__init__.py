"""The OTLP codec: telemetry to bytes and back, and what the bytes of an answer are. Pure: no I/O, no clock."""

from otelctl.otlp.answers import Answer, AnswerKind, read_answer
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
from otelctl.otlp.traces import SyntheticTrace, TraceParent, synthetic_trace

__all__ = [
    "Answer",
    "AnswerKind",
    "DecodeError",
    "SyntheticTrace",
    "TooLargeError",
    "TraceParent",
    "content_type",
    "decode_request",
    "empty_request",
    "encode",
    "encode_response",
    "encode_status",
    "gunzip",
    "iter_spans",
    "protocol_of",
    "read_answer",
    "synthetic_trace",
    "trace_ids",
]
