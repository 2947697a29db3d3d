"""Metrics and a log record that are made to be sent."""

from __future__ import annotations

from typing import Any

import pytest

from otelctl import otlp
from otelctl.settings import Protocol, Signal

NOW = 1_763_000_000_000_000_000
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def metrics(**attributes: str) -> otlp.SyntheticMetrics:
    """Return the synthetic metrics of a service called shop."""
    return otlp.synthetic_metrics(service="shop", attributes=attributes, now_ns=NOW)


def by_name(made: otlp.SyntheticMetrics) -> dict[str, Any]:
    """Return the metrics by their names."""
    (scope,) = made.request.resource_metrics[0].scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def resource(request: Any, field: str) -> dict[str, str]:
    """Return the attributes of a request's resource."""
    (part,) = getattr(request, field)
    return {item.key: item.value.string_value for item in part.resource.attributes}


def test_metrics_are_a_counter_a_gauge_and_a_histogram() -> None:
    """One of each kind that dashboards are built of, in this order, of the service named."""
    made = metrics()
    found = by_name(made)
    assert list(found) == list(made.names) == ["otelctl.test.runs", "otelctl.test.level", "otelctl.test.duration"]
    assert [metric.WhichOneof("data") for metric in found.values()] == ["sum", "gauge", "histogram"]
    assert resource(made.request, "resource_metrics")["service.name"] == "shop"


def test_metrics_are_cumulative() -> None:
    """Delta is what Mimir refuses: the counter, which only grows, and the histogram count from a start on."""
    counter, _, histogram = by_name(metrics()).values()
    assert counter.sum.is_monotonic
    assert (counter.sum.aggregation_temporality, histogram.histogram.aggregation_temporality) == (2, 2)
    for point in (counter.sum.data_points[0], histogram.histogram.data_points[0]):
        assert (point.start_time_unix_nano, point.time_unix_nano) == (NOW - 1_000_000_000, NOW)


def test_the_histogram_adds_up() -> None:
    """There is one bucket more than bounds, the buckets sum to the count, and the value lies in its own."""
    (point,) = by_name(metrics())["otelctl.test.duration"].histogram.data_points
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == point.count == 1
    bucket = list(point.bucket_counts).index(1)
    assert point.explicit_bounds[bucket - 1] < point.sum <= point.explicit_bounds[bucket]
    assert point.min == point.max == point.sum


def test_attributes_go_on_every_point() -> None:
    """Each of the three points has the attributes asked for, or a query by them would find only some."""
    for metric in by_name(metrics(team="a")).values():
        (point,) = getattr(metric, metric.WhichOneof("data")).data_points
        assert [(item.key, item.value.string_value) for item in point.attributes] == [("team", "a")]


def log(**arguments: Any) -> otlp.SyntheticLog:
    """Return the synthetic log record of a service called shop."""
    return otlp.synthetic_log(service="shop", attributes={"team": "a"}, now_ns=NOW, **arguments)


def test_a_log_record_is_tied_to_its_span() -> None:
    """Trace and span id, and the sampled flag, are those of the trace named."""
    made = log(trace_id=TRACE, span_id=SPAN)
    (record,) = made.request.resource_logs[0].scope_logs[0].log_records
    assert (record.trace_id.hex(), record.span_id.hex(), record.flags) == (TRACE, SPAN, 1)
    assert (record.severity_text, record.severity_number, record.body.string_value) == ("INFO", 9, made.body)
    assert record.time_unix_nano == record.observed_time_unix_nano == NOW
    assert resource(made.request, "resource_logs")["service.name"] == "shop"
    assert [(item.key, item.value.string_value) for item in record.attributes] == [("team", "a")]
    assert otlp.trace_ids(made.request) == {TRACE}


def test_a_log_record_without_a_trace_names_none() -> None:
    """Ids of zeros would be a trace that is none: they are left out, and so are the flags."""
    (record,) = log().request.resource_logs[0].scope_logs[0].log_records
    assert (record.trace_id, record.span_id, record.flags) == (b"", b"", 0)


@pytest.mark.parametrize("protocol", [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON])
def test_both_survive_their_encoding(protocol: Protocol) -> None:
    """What is encoded, in protobuf or JSON, is decoded to the same message."""
    made = {Signal.METRICS: metrics(team="a").request, Signal.LOGS: log(trace_id=TRACE, span_id=SPAN).request}
    for signal, request in made.items():
        body = otlp.encode(request, protocol)
        assert otlp.decode_request(signal, otlp.content_type(protocol), body) == request
