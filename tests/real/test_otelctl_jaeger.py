"""otelctl against Jaeger v2: what is sent is found, whole, and drawn; what is not there is told as that."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags, format_trace_id, set_span_in_context
from opentelemetry.trace.span import NonRecordingSpan

from tests.support.parts import free_ports, listening, missing, running
from tests.support.program import run, run_line

pytestmark = pytest.mark.real
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Jaeger:
    """A running Jaeger: where it takes spans, and where it is asked for them."""

    otlp: str
    query: str


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """The Jaeger that build_jaeger.sh built, with its storage in memory."""
    script = HERE / "build_jaeger.sh"
    binary = subprocess.run(["sh", script, "--path"], capture_output=True, text=True, check=True).stdout.strip()
    if not os.access(binary, os.X_OK):
        missing("Jaeger is not built: sh tests/real/build_jaeger.sh")
    folder = tmp_path_factory.mktemp("jaeger")
    otlp, query, grpc = free_ports(3)
    configuration = {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
        },
        "extensions": {
            "jaeger_query": {
                "storage": {"traces": "memory"},
                "http": {"endpoint": f"127.0.0.1:{query}"},
                "grpc": {"endpoint": f"127.0.0.1:{grpc}"},
            },
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 1000}}}},
        },
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp}"}}}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
    }
    file = folder / "config.json"
    file.write_text(json.dumps(configuration))  # JSON is YAML
    with running([binary, "--config", file], ready=lambda: listening(otlp, query), log=folder / "log"):
        yield Jaeger(f"http://127.0.0.1:{otlp}", f"http://127.0.0.1:{query}")


@pytest.mark.parametrize("command", ["send-test-span", "smoke"])
def test_what_is_sent_is_found_whole_and_drawn(jaeger: Jaeger, command: str) -> None:
    """--verify finds both spans by their IDs, measures the delay, and draws the trace."""
    shown = run(command, jaeger.otlp, "--verify", "--jaeger-url", jaeger.query)
    assert shown.code == 0, shown.stdout + shown.stderr
    assert "all 2 spans that were sent are there" in " ".join(shown.stdout.split())
    assert re.search(r"^  Visible after  \d+\.\d{3} s$", shown.stdout, re.MULTILINE)
    assert re.search(r"^    otelctl test span +25 ms  █{20}$", shown.stdout, re.MULTILINE)
    assert re.search(r"^      otelctl test child span +15 ms   +█+$", shown.stdout, re.MULTILINE)


def test_the_trace_comes_back_as_otlp(jaeger: Jaeger) -> None:
    """The trace in the report's JSON has the IDs, times and attributes that were sent."""
    arguments = ("--attribute", "team=shop", "--verify", "--jaeger-url", jaeger.query, "--format", "json")
    report = run("send-test-span", jaeger.otlp, *arguments).report
    (resource,) = report["trace"]["resourceSpans"]
    server, child = resource["scopeSpans"][0]["spans"]
    assert server["traceId"] == report["facts"]["trace_id"]
    assert server["spanId"] == child["parentSpanId"] == report["facts"]["span_id"]
    assert int(server["endTimeUnixNano"]) - int(server["startTimeUnixNano"]) == 25_000_000
    assert {"key": "team", "value": {"stringValue": "shop"}} in server["attributes"]


def test_an_unknown_trace_is_absent(jaeger: Jaeger) -> None:
    """A trace that was never sent is TRACE-ABSENT, after the time that was given for it."""
    arguments = ("--jaeger-url", jaeger.query, "--within", "1", "--format", "json")
    result = run("find-trace", "00000000000000000000000000000001", *arguments)
    assert (result.code, result.found) == (1, ["TRACE-ABSENT"])


def test_jaeger_taken_for_tempo(jaeger: Jaeger) -> None:
    """Jaeger given as --tempo-url is recognised, and the command that is advised finds the trace."""
    sent = run("send-test-span", jaeger.otlp, "--format", "json").report["facts"]["trace_id"]
    result = run("find-trace", sent, "--tempo-url", jaeger.query, "--format", "json")
    assert (result.code, result.found) == (1, ["TRACE-URL-KIND"])
    again = run_line(result.finding("TRACE-URL-KIND")["fix"][0]["command"])
    assert again.code == 0, again.stdout


def test_a_path_too_many(jaeger: Jaeger) -> None:
    """Below a path that Jaeger answers with its web page, the base that answers queries is found and advised."""
    sent = run("send-test-span", jaeger.otlp, "--format", "json").report["facts"]["trace_id"]
    result = run("find-trace", sent, "--jaeger-url", f"{jaeger.query}/jaeger", "--format", "json")
    assert result.found == ["TRACE-URL-PATH"]
    assert run_line(result.finding("TRACE-URL-PATH")["fix"][0]["command"]).code == 0


def test_a_trace_of_two_services_with_an_error(jaeger: Jaeger) -> None:
    """What two services send through the SDK is drawn as one trace, with its services, and its error marked."""

    def provider(service: str) -> TracerProvider:
        made = TracerProvider(resource=Resource({"service.name": service}), shutdown_on_exit=False)
        made.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{jaeger.otlp}/v1/traces")))
        return made

    checkout, payment = provider("checkout"), provider("payment")
    with checkout.get_tracer("test").start_as_current_span("POST /orders") as root:
        onward = root.get_span_context()
        handed = SpanContext(onward.trace_id, onward.span_id, is_remote=True, trace_flags=TraceFlags(1))
        context = set_span_in_context(NonRecordingSpan(handed))
        with payment.get_tracer("test").start_as_current_span("charge", context) as charge:
            charge.set_status(Status(StatusCode.ERROR, "declined"))
    checkout.shutdown()
    payment.shutdown()
    shown = run("find-trace", format_trace_id(onward.trace_id), "--jaeger-url", jaeger.query)
    assert shown.code == 0, shown.stdout
    assert re.search(r"^    POST /orders +checkout +\d.*█", shown.stdout, re.MULTILINE)
    assert re.search(r"^  ✗   charge +payment +\d.*█", shown.stdout, re.MULTILINE)
    assert re.search(r"^  Services +checkout, payment$", shown.stdout, re.MULTILINE)


def test_a_parent_of_somebody_else_is_a_note(jaeger: Jaeger) -> None:
    """A trace that a caller without spans here began is whole as far as it goes: a notice, and exit code 0."""
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    sent = run("send-test-span", jaeger.otlp, "--parent", parent, "--verify", "--jaeger-url", jaeger.query)
    assert sent.code == 0, sent.stdout
    result = run("find-trace", parent, "--jaeger-url", jaeger.query, "--within", "0", "--format", "json")
    assert (result.code, result.found) == (0, ["TRACE-ROOT-ELSEWHERE"])
