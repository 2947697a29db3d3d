"""Metrics and logs sent by the commands to the embedded gateway, and check-env beside them, which sends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from otelctl import otlp
from otelctl.gateway import Gateway, Received, Tenant
from otelctl.settings import Protocol, Signal
from tests.support.gateway import authorization, tenant
from tests.support.program import Result, run, sending

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def stack() -> Tenant:
    """A stack whose token may write every signal."""
    return tenant()


@pytest.fixture
def gateway(stack: Tenant) -> Iterator[Gateway]:
    """The embedded gateway."""
    with Gateway([stack]) as serving:
        yield serving


def otelctl(gateway: Gateway, stack: Tenant, *arguments: str, **variables: str) -> Result:
    """Run a command with endpoint and headers in its environment, and its report as JSON."""
    given = {**sending(authorization(stack)), "OTEL_EXPORTER_OTLP_ENDPOINT": gateway.url, **variables}
    return run(*arguments, "--format", "json", variables=given)


def only(gateway: Gateway) -> Received:
    """Return the one request that came."""
    (item,) = gateway.received
    return item


@pytest.mark.parametrize("protocol", [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON])
@pytest.mark.parametrize("gzip", ["--gzip", "--no-gzip"])
def test_a_test_metric_arrives(gateway: Gateway, stack: Tenant, protocol: Protocol, gzip: str) -> None:
    """A counter, a gauge and a histogram arrive in either encoding, of the service and with the attributes given."""
    command = ["send-test-metric", "--service", "shop", "--attribute", "team=a", "--protocol", protocol, gzip]
    ended = otelctl(gateway, stack, *command)
    assert (ended.code, ended.found) == (0, [])
    item = only(gateway)
    assert (item.signal, item.protocol, item.status) == (Signal.METRICS, protocol, 200)
    assert item.header("content-encoding") == ("gzip" if gzip == "--gzip" else "")
    message: Any = item.message
    wanted = otlp.synthetic_metrics(service="shop", attributes={"team": "a"}, now_ns=_time(message)).request
    assert message == wanted
    assert 'otelctl_test_runs_total{job="shop"}' in ended.stdout.replace("\\", "")


def _time(message: Any) -> int:
    metric = message.resource_metrics[0].scope_metrics[0].metrics[0]
    return int(metric.sum.data_points[0].time_unix_nano)


def test_a_test_log_arrives_in_its_trace(gateway: Gateway, stack: Tenant) -> None:
    """The record carries the ids of the traceparent given."""
    ended = otelctl(gateway, stack, "send-test-log", "--trace-parent", TRACEPARENT)
    assert (ended.code, ended.found) == (0, [])
    message: Any = only(gateway).message
    assert otlp.trace_ids(message) == {TRACEPARENT.split("-")[1]}
    assert "otelctl test log record" in ended.stdout


def test_a_test_log_without_a_parent_is_in_no_trace(gateway: Gateway, stack: Tenant) -> None:
    """No trace is invented that nobody would find."""
    assert otelctl(gateway, stack, "send-test-log").code == 0
    assert otlp.trace_ids(only(gateway).message) == frozenset()  # type: ignore[arg-type]  # it was taken


@pytest.mark.parametrize(
    "arguments",
    [
        ("send-test-log", "--parent", "00-xyz"),
        ("send-test-log", "--attribute", "nonsense"),
        ("send-test-metric", "--attribute", "=x"),
        ("send-test-metric", "--service", " "),
    ],
)
def test_bad_options_are_one_line(gateway: Gateway, stack: Tenant, arguments: tuple[str, ...]) -> None:
    """What cannot be read of the options ends with 2 and one line, and sends nothing."""
    ended = run(*arguments, variables={"OTEL_EXPORTER_OTLP_ENDPOINT": gateway.url, **sending(authorization(stack))})
    assert (ended.code, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert gateway.received == ()


def test_the_variables_of_a_signal_come_first(gateway: Gateway, stack: Tenant) -> None:
    """The metrics' own endpoint is used as it is, and its own headers in place of the general ones."""
    ended = otelctl(
        gateway,
        stack,
        "send-test-metric",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_HEADERS="Authorization=Basic bm9uZTpub25l",
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{gateway.url}/v1/metrics",
        OTEL_EXPORTER_OTLP_METRICS_HEADERS=f"Authorization={authorization(stack)}",
    )
    assert (ended.code, ended.found) == (0, [])
    assert only(gateway).path == "/otlp/v1/metrics"


def test_smoke_shows_which_signals_the_token_may_write() -> None:
    """A token without metrics:write: one line a signal says so, and spans and the log record were sent all the same."""
    stack = tenant(Signal.TRACES, Signal.LOGS)
    with Gateway([stack]) as gateway:
        ended = otelctl(gateway, stack, "smoke", "--signal", "all")
        taken = [item.signal for item in gateway.received if item.accepted and item.size]
        records = [item.message for item in gateway.received if item.signal is Signal.LOGS and item.size]
    assert (ended.code, ended.found) == (1, ["AUTH-SCOPE"])
    text = json.dumps(ended.report)
    for word in ("accepted", "refused, AUTH-SCOPE"):
        assert word in text
    assert taken == [Signal.TRACES, Signal.LOGS]
    trace = ended.check("send")
    assert trace["status"] == "passed"
    assert ended.check("send-metrics")["status"] == "skipped"
    (message,) = records
    assert message is not None
    (trace_id,) = otlp.trace_ids(message)
    assert trace_id in text


def test_smoke_of_one_signal_sends_that_one(gateway: Gateway, stack: Tenant) -> None:
    """--signal logs probes and sends logs alone."""
    ended = otelctl(gateway, stack, "smoke", "--signal", "logs")
    assert ended.code == 0
    assert {item.signal for item in gateway.received} == {Signal.LOGS}
    assert ended.check("send-logs")["status"] == "passed"


def test_check_env_sends_nothing_and_finds_nothing_in_a_healthy_environment(gateway: Gateway, stack: Tenant) -> None:
    """The settings that work pass for every SDK, without one request, and without showing the header."""
    ended = otelctl(gateway, stack, "check-env", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", OTEL_SERVICE_NAME="shop")
    assert (ended.code, ended.found) == (0, [])
    assert gateway.received == ()
    assert f"{gateway.url}/v1/logs" in ended.stdout
    header = authorization(stack)
    assert header.removeprefix("Basic ") not in ended.stdout + ended.stderr
    assert f"({len(header)} bytes)" in ended.stdout


def test_check_env_tells_what_one_version_makes_of_the_settings(gateway: Gateway, stack: Tenant) -> None:
    """Python 1.26 drops the header with a space and counts seconds; a .env file is read in place of the environment."""
    ended = otelctl(
        gateway, stack, "check-env", "--sdk", "python@1.26", "--signal", "traces",
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", OTEL_SERVICE_NAME="shop", OTEL_EXPORTER_OTLP_TIMEOUT="10000",
    )  # fmt: skip
    assert (ended.code, ended.found) == (1, ["AUTH-SPACE-DROPPED", "ENV-TIMEOUT-UNIT"])
    assert "authorization dropped" in ended.stdout


@pytest.mark.parametrize("given", ["cobol", "python@new", "python@"])
def test_an_sdk_that_nobody_knows_is_one_line(given: str) -> None:
    """Another language, or a version that is no number, ends with 2; a version left out is the newest."""
    ended = run("check-env", "--sdk", given, variables={"OTEL_SERVICE_NAME": "x"})
    assert (ended.code == 2) == (given != "python@")
    assert len(ended.stderr.splitlines()) == (1 if ended.code == 2 else 0)
