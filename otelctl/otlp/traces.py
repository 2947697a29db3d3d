"""Traces that are made to be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otelctl import __version__
from otelctl.otlp.sender import describe_sender
from otelctl.propagation import TraceParent

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class SyntheticTrace:
    """A trace made to be sent: a server span with one client span as its child. Ids are in hex.

    `traceparent` is what the client span would hand on, so that a service called next continues the trace there.
    """

    trace_id: str
    server_span_id: str
    client_span_id: str
    traceparent: str
    start_ns: int
    end_ns: int
    request: ExportTraceServiceRequest


def synthetic_trace(
    *,
    service: str,
    attributes: Mapping[str, str],
    now_ns: int,
    entropy: Callable[[int], bytes],
    parent: TraceParent | None = None,
) -> SyntheticTrace:
    """Return a trace that ends at `now_ns` (nanoseconds since the epoch) and took 25 ms.

    `attributes` go on the server span. `entropy(n)` returns n random bytes. Under `parent` the trace goes on with its
    trace id; it is marked as sampled even where the parent is not, since it is sent.
    """
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags  # noqa: PLC0415

    trace_id = bytes.fromhex(parent.trace_id) if parent else _fresh_id(entropy, 16)
    caller = bytes.fromhex(parent.span_id) if parent else b""
    server_id = _fresh_id(entropy, 8, caller)
    client_id = _fresh_id(entropy, 8, caller, server_id)
    start_ns, millisecond = now_ns - 25_000_000, 1_000_000
    flags = 1 | SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK

    request = ExportTraceServiceRequest()
    part = request.resource_spans.add()
    describe_sender(part.resource, service)
    scope = part.scope_spans.add()
    scope.scope.name, scope.scope.version = "otelctl", __version__
    server = scope.spans.add(
        trace_id=trace_id,
        span_id=server_id,
        parent_span_id=caller,
        flags=flags | (SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK if parent else 0),
        name="otelctl test span",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=now_ns,
    )
    for key, value in attributes.items():
        server.attributes.add(key=key).value.string_value = value
    scope.spans.add(
        trace_id=trace_id,
        span_id=client_id,
        parent_span_id=server_id,
        flags=flags,
        name="otelctl test child span",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start_ns + 5 * millisecond,
        end_time_unix_nano=now_ns - 5 * millisecond,
    )
    onward = TraceParent(trace_id.hex(), client_id.hex())
    return SyntheticTrace(trace_id.hex(), server_id.hex(), client_id.hex(), str(onward), start_ns, now_ns, request)


def _fresh_id(entropy: Callable[[int], bytes], size: int, *taken: bytes) -> bytes:
    """Draw an id that is not all zeros and not taken."""
    while not any(drawn := entropy(size)) or drawn in taken:
        pass
    return drawn
