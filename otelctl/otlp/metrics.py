"""Metrics that are made to be sent: one of each kind that a receiver must know.

Source: opentelemetry-proto metrics.proto; cumulative, since Grafana Cloud and Prometheus take nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otelctl import __version__
from otelctl.otlp.sender import describe_sender

if TYPE_CHECKING:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

COUNTER, GAUGE, HISTOGRAM = "otelctl.test.runs", "otelctl.test.level", "otelctl.test.duration"

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SyntheticMetrics:
    """A counter, a gauge and a histogram of one point each; times in nanoseconds since the epoch."""

    names: tuple[str, str, str]
    start_ns: int
    end_ns: int
    request: ExportMetricsServiceRequest


def synthetic_metrics(*, service: str, attributes: Mapping[str, str], now_ns: int) -> SyntheticMetrics:
    """Return metrics observed at `now_ns`, cumulative over the second before it. `attributes` go on every point."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # noqa: PLC0415
        ExportMetricsServiceRequest,
    )
    from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality  # noqa: PLC0415

    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    start_ns = now_ns - _SECOND
    request = ExportMetricsServiceRequest()
    part = request.resource_metrics.add()
    describe_sender(part.resource, service)
    scope = part.scope_metrics.add()
    scope.scope.name, scope.scope.version = "otelctl", __version__

    counter = scope.metrics.add(name=COUNTER, description="Runs of otelctl's test, always 1", unit="{run}")
    counter.sum.aggregation_temporality, counter.sum.is_monotonic = cumulative, True
    counter.sum.data_points.add(start_time_unix_nano=start_ns, time_unix_nano=now_ns, as_int=1)

    gauge = scope.metrics.add(name=GAUGE, description="A level of otelctl's test, always 0.5", unit="1")
    gauge.gauge.data_points.add(time_unix_nano=now_ns, as_double=0.5)

    histogram = scope.metrics.add(name=HISTOGRAM, description="A duration of otelctl's test, always 25 ms", unit="s")
    histogram.histogram.aggregation_temporality = cumulative
    histogram.histogram.data_points.add(
        start_time_unix_nano=start_ns,
        time_unix_nano=now_ns,
        count=1,
        sum=0.025,
        min=0.025,
        max=0.025,
        explicit_bounds=[0.01, 0.1, 1.0],
        bucket_counts=[0, 1, 0, 0],
    )
    for points in (counter.sum.data_points, gauge.gauge.data_points, histogram.histogram.data_points):
        for key, value in attributes.items():
            points[0].attributes.add(key=key).value.string_value = value
    return SyntheticMetrics((COUNTER, GAUGE, HISTOGRAM), start_ns, now_ns, request)
