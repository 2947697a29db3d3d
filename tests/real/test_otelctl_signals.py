"""Metrics and logs through a real Collector: what left it is what otelctl made, by HTTP and by gRPC."""

from __future__ import annotations

import secrets

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from tests.real.conftest import Collector
from tests.support.parts import wait_until
from tests.support.program import run

PROTOCOLS = pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])


def _endpoint(collector: Collector, protocol: str) -> str:
    return collector.plain.grpc if protocol == "grpc" else collector.plain.http


def _metrics(collector: Collector, service: str) -> list[Metric]:
    """Return the metrics of a service that have left the Collector so far."""
    found = []
    for one in list(collector.sink.requests):
        if one.path.endswith("/v1/metrics"):
            for part in ExportMetricsServiceRequest.FromString(one.body).resource_metrics:
                if any(pair.value.string_value == service for pair in part.resource.attributes):
                    found += [metric for scope in part.scope_metrics for metric in scope.metrics]
    return found


def _records(collector: Collector, service: str) -> list[LogRecord]:
    """Return the log records of a service that have left the Collector so far."""
    found = []
    for one in list(collector.sink.requests):
        if one.path.endswith("/v1/logs"):
            for part in ExportLogsServiceRequest.FromString(one.body).resource_logs:
                if any(pair.value.string_value == service for pair in part.resource.attributes):
                    found += [record for scope in part.scope_logs for record in scope.log_records]
    return found


@PROTOCOLS
def test_metrics_leave_the_collector_as_they_were_made(collector: Collector, protocol: str) -> None:
    """A counter, a gauge and a cumulative histogram of one point each come out with their values and attributes."""
    service = f"metrics-{secrets.token_hex(4)}"
    arguments = ("--service", service, "--protocol", protocol, "--attribute", "shop=Zürich", "--format", "json")
    result = run("send-test-metric", _endpoint(collector, protocol), *arguments)
    assert (result.code, result.found) == (0, [])
    assert wait_until(lambda: len(_metrics(collector, service)) == 3, 10)
    by_kind = {metric.WhichOneof("data"): metric for metric in _metrics(collector, service)}
    assert set(by_kind) == {"sum", "gauge", "histogram"}
    assert by_kind["sum"].sum.is_monotonic
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    assert by_kind["sum"].sum.aggregation_temporality == cumulative
    assert by_kind["histogram"].histogram.aggregation_temporality == cumulative
    (point,) = by_kind["histogram"].histogram.data_points
    assert (point.count, sum(point.bucket_counts), point.sum) == (1, 1, 0.025)
    for data in (by_kind["sum"].sum, by_kind["gauge"].gauge, by_kind["histogram"].histogram):
        (number,) = data.data_points
        assert {pair.key: pair.value.string_value for pair in number.attributes}["shop"] == "Zürich"
    assert by_kind["gauge"].gauge.data_points[0].as_double == 0.5


@PROTOCOLS
def test_a_log_record_leaves_the_collector_in_its_trace(collector: Collector, protocol: str) -> None:
    """The record comes out with its severity and the ids of the trace that --parent names."""
    service, trace, span = f"logs-{secrets.token_hex(4)}", secrets.token_hex(16), secrets.token_hex(8)
    result = run(
        "send-test-log", _endpoint(collector, protocol), "--service", service, "--protocol", protocol,
        "--parent", f"00-{trace}-{span}-01", "--format", "json",
    )  # fmt: skip
    assert (result.code, result.found) == (0, [])
    assert wait_until(lambda: len(_records(collector, service)) == 1, 10)
    (record,) = _records(collector, service)
    assert (record.trace_id.hex(), record.severity_text) == (trace, "INFO")
    assert record.span_id.hex() == span
    assert record.body.string_value
