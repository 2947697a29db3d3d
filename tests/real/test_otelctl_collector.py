"""otelctl against an OpenTelemetry Collector: what it calls healthy, what arrives, and what it finds wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.real.conftest import STACK, Collector
from tests.support.parts import Credential
from tests.support.program import Result, run, run_line, sending

PROTOCOLS = ("http/protobuf", "http/json")
REVERSED = Credential(STACK.password, STACK.user)
OTHER_STACK = Credential("654321", STACK.password)


@dataclass(frozen=True, slots=True)
class SetUp:
    """How a user has set up otelctl for one of the Collector's listeners."""

    endpoint: str
    options: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def run(self, command: str, *more: str) -> Result:
        """Run a command with this set-up and a report in JSON."""
        arguments = (command, self.endpoint, *self.options, *more, "--format", "json")
        return run(*arguments, variables=dict(self.variables))


def _with(endpoint: str, *options: object, authorization: str = "") -> SetUp:
    variables = tuple(sending(authorization).items()) if authorization else ()
    return SetUp(endpoint, tuple(map(str, options)), variables)


def _mtls(collector: Collector) -> SetUp:
    files = ("--client-cert", collector.client.cert_file, "--client-key", collector.client.key_file)
    return _with(collector.mtls.http, "--ca-file", collector.authority.file, *files)


HEALTHY: dict[str, Callable[[Collector], SetUp]] = {
    "plain": lambda c: _with(c.plain.http),
    "basic": lambda c: _with(c.basic.http, authorization=STACK.header),
    "basic, percent-encoded": lambda c: _with(c.basic.http, authorization=STACK.header.replace(" ", "%20")),
    "bearer": lambda c: _with(c.bearer.http, authorization=f"Bearer {c.bearer_token}"),
    "tls": lambda c: _with(c.tls.http, "--ca-file", c.authority.file, authorization=STACK.header),
    "mtls": _mtls,
    "traces only": lambda c: _with(c.traces_only.http),
    "small": lambda c: _with(c.small.http),
}
EVERY_SIGNAL = [name for name in HEALTHY if name != "traces only"]


def assert_healthy(result: Result) -> None:
    """Hold that a run ended well, found nothing, and says so in every way that a report has."""
    assert (result.code, result.found, result.stderr) == (0, [], "")
    report = result.report
    assert (report["ok"], report["primary"]) == (True, None)
    assert {check["status"] for check in report["checks"]} <= {"passed", "skipped"}


def assert_hides_the_token(result: Result) -> None:
    """Hold that no form of the token is in what a run wrote."""
    written = result.stdout + result.stderr
    for secret in (STACK.password, STACK.header.split()[1], REVERSED.header.split()[1]):
        assert secret[8:] not in written


def sent_to(collector: Collector, trace_id: str) -> list[tuple[str, Span]]:
    """Wait for the two spans of a trace, and return each with its service.name."""
    raw = bytes.fromhex(trace_id)
    collector.sink.spans(raw, 2)
    return [
        (next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name"), span)
        for request in list(collector.sink.requests)
        if request.path.endswith("/v1/traces")
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.trace_id == raw
    ]


# Healthy


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", EVERY_SIGNAL)
def test_a_healthy_receiver_has_no_finding(collector: Collector, name: str, protocol: str) -> None:
    """Every way to set up a receiver is judged healthy for every signal and encoding when the user's matches it."""
    result = HEALTHY[name](collector).run("check-endpoint", "--signal", "all", "--protocol", protocol)
    assert_healthy(result)
    for signal in ("traces", "metrics", "logs"):
        assert result.check(signal)["detail"].startswith("200")
        assert "an empty request was accepted" in result.check(signal)["detail"]
    assert_hides_the_token(result)


def test_a_probe_leaves_nothing_behind(collector: Collector) -> None:
    """What check-endpoint sends, the backend behind the Collector never sees."""
    before = len(collector.sink.requests)
    assert_healthy(HEALTHY["basic"](collector).run("check-endpoint", "--signal", "all"))
    # A span goes through afterwards; whatever the probe had left would have come before it.
    sent = HEALTHY["basic"](collector).run("send-test-span")
    assert len(sent_to(collector, sent.report["facts"]["trace_id"])) == 2
    assert len(collector.sink.requests) == before + 1


def test_the_credential_is_called_accepted_only_where_one_was_sent(collector: Collector) -> None:
    """A pass says of the credential what it proves: with one it was accepted, without one nothing is said."""
    with_one = HEALTHY["basic"](collector).run("check-endpoint").check("traces")["detail"]
    without = HEALTHY["plain"](collector).run("check-endpoint").check("traces")["detail"]
    assert with_one == "200, sent with the credential, an empty request was accepted"
    assert without == "200, an empty request was accepted"


def test_a_per_signal_endpoint_is_used_as_it_is(collector: Collector) -> None:
    """A URL in the per-signal variable gets nothing appended, and is healthy with its whole path."""
    variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.plain.http}/v1/traces"}
    assert_healthy(run("check-endpoint", "--format", "json", variables=variables))


@pytest.mark.parametrize("gzip", ["--gzip", "--no-gzip"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["plain", "basic", "bearer", "tls", "mtls", "traces only", "small"])
def test_a_span_arrives_as_reported(collector: Collector, name: str, protocol: str, gzip: str) -> None:
    """The trace at the backend is the one that the report names: a server span with the child that it names."""
    result = HEALTHY[name](collector).run("send-test-span", "--protocol", protocol, gzip)
    assert_healthy(result)
    facts = result.report["facts"]
    arrived = [span for _, span in sent_to(collector, facts["trace_id"])]
    server = next(span for span in arrived if span.kind == Span.SPAN_KIND_SERVER)
    (child,) = (span for span in arrived if span is not server)
    assert (server.span_id.hex(), server.parent_span_id) == (facts["span_id"], b"")
    assert child.parent_span_id == server.span_id
    assert facts["traceparent"] == f"00-{facts['trace_id']}-{child.span_id.hex()}-01"
    assert server.start_time_unix_nano <= child.start_time_unix_nano < child.end_time_unix_nano
    assert child.end_time_unix_nano <= server.end_time_unix_nano


def test_what_was_asked_for_is_in_the_span(collector: Collector) -> None:
    """Service, attributes and parent go to the backend as they were given, and the trace continues its parent's."""
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    result = _with(collector.plain.http).run(
        "send-test-span", "--service", 'shop "ü"', "--attribute", "deployment=a=b", "--attribute", "empty=",
        "--parent", f"00-{trace_id}-{parent}-01",
    )  # fmt: skip
    assert_healthy(result)
    facts = result.report["facts"]
    assert facts["trace_id"] == trace_id
    assert facts["traceql"] == '{ resource.service.name = "shop \\"ü\\"" }'
    arrived = sent_to(collector, trace_id)
    assert {service for service, _ in arrived} == {'shop "ü"'}
    server = next(span for _, span in arrived if span.kind == Span.SPAN_KIND_SERVER)
    assert server.parent_span_id.hex() == parent
    attributes = {one.key: one.value.string_value for one in server.attributes}
    assert (attributes["deployment"], attributes["empty"]) == ("a=b", "")


@pytest.mark.parametrize("name", ["basic", "tls", "mtls"])
def test_smoke_passes_and_its_span_arrives(collector: Collector, name: str) -> None:
    """The CI step passes on a healthy Collector, every signal included, and its span is at the backend."""
    result = HEALTHY[name](collector).run("smoke", "--signal", "all")
    assert_healthy(result)
    assert len(sent_to(collector, result.report["facts"]["trace_id"])) == 2


# Faults

FAULTS: dict[str, tuple[Callable[[Collector], SetUp], list[str]]] = {
    "no credential": (lambda c: _with(c.basic.http), ["AUTH-WANTED"]),
    "of another stack": (lambda c: _with(c.basic.http, authorization=OTHER_STACK.header), ["AUTH-REFUSED"]),
    "reversed": (lambda c: _with(c.basic.http, authorization=REVERSED.header), ["AUTH-REVERSED"]),
    "Basic for Bearer": (lambda c: _with(c.bearer.http, authorization=STACK.header), ["AUTH-REFUSED"]),
    "Bearer for Basic": (lambda c: _with(c.basic.http, authorization=f"Bearer {c.bearer_token}"), ["AUTH-REFUSED"]),
    "token as Bearer": (lambda c: _with(c.basic.http, authorization=f"Bearer {STACK.password}"), ["AUTH-SCHEME"]),
    "/otlp": (lambda c: _with(f"{c.plain.http}/otlp"), ["URL-SELF-HOSTED-OTLP"]),
    "/otlp/": (lambda c: _with(f"{c.plain.http}/otlp/"), ["URL-SELF-HOSTED-OTLP"]),
    "/otlp with a credential": (
        lambda c: _with(f"{c.basic.http}/otlp", authorization=STACK.header),
        ["URL-SELF-HOSTED-OTLP"],
    ),
    "path doubled": (lambda c: _with(f"{c.plain.http}/v1/traces"), ["URL-PATH-DOUBLED"]),
    "another path": (lambda c: _with(f"{c.plain.http}/somewhere"), ["URL-PATH-WRONG"]),
    "no pipeline": (lambda c: _with(c.traces_only.http, "--signal", "metrics"), ["OTLP-UNIMPLEMENTED"]),
    "gRPC port": (lambda c: _with(c.plain.grpc), ["NET-HTTP-ON-GRPC-PORT"]),
    "gRPC port, https": (lambda c: _with(c.plain.grpc.replace("http:", "https:")), ["NET-TLS-ON-PLAIN"]),
    # grpc-go closes on a client that did not choose h2, and says nothing.
    "gRPC port by TLS": (lambda c: _with(c.tls.grpc, "--ca-file", c.authority.file), ["NET-RESET"]),
    "another port of it": (lambda c: _with(c.health.rstrip("/")), ["OTLP-NOT-OTLP"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_code(collector: Collector, name: str) -> None:
    """Each wrong set-up gives its one finding and exit code 1, without showing the credential."""
    set_up, codes = FAULTS[name]
    result = set_up(collector).run("check-endpoint")
    assert (result.code, result.found) == (1, codes)
    assert_hides_the_token(result)


@pytest.mark.parametrize("name", ["/otlp", "/otlp/", "path doubled", "/otlp with a credential"])
def test_what_is_advised_for_the_path_mends_it(collector: Collector, name: str) -> None:
    """The command that the finding gives for a wrong path is the same check with the right one, and passes."""
    wrong = FAULTS[name][0](collector)
    (command,) = advised(wrong.run("check-endpoint"))
    mended = run_line(f"{command} --format json", variables=dict(wrong.variables))
    assert_healthy(mended)


def test_what_is_advised_for_a_reversed_header_mends_it(collector: Collector) -> None:
    """The advised line puts the mended header into the variable, and the next check of the same shell passes."""
    variables = sending(REVERSED.header)
    wrong = run("check-endpoint", collector.basic.http, "--format", "json", variables=variables)
    (command,) = advised(wrong)
    again = f"{command}\notelctl check-endpoint {collector.basic.http} --format json"
    assert_healthy(run_line(again, variables=variables))


def advised(result: Result) -> list[str]:
    """Return the commands of the first finding's fix."""
    findings: list[dict[str, Any]] = [finding for check in result.report["checks"] for finding in check["findings"]]
    return [step["command"] for step in findings[0]["fix"] if step["command"]]


def test_a_signal_without_pipeline_leaves_the_others_alone(collector: Collector) -> None:
    """A receiver for traces alone passes for traces, and fails for metrics and logs by a code that says why."""
    result = _with(collector.traces_only.http).run("check-endpoint", "--signal", "all")
    assert result.found == ["OTLP-UNIMPLEMENTED", "OTLP-UNIMPLEMENTED"]
    assert [result.check(signal)["status"] for signal in ("traces", "metrics", "logs")] == [
        "passed",
        "failed",
        "failed",
    ]
    assert {finding["certainty"] for finding in result.check("logs")["findings"]} == {"certain"}


def test_several_endpoints_are_judged_each_for_itself(collector: Collector) -> None:
    """A fault of one endpoint neither hides nor colours another's result."""
    bad, good = f"{collector.plain.http}/otlp", collector.plain.http
    result = run("check-endpoint", bad, good, "--format", "json")
    assert (result.code, result.found) == (1, ["URL-SELF-HOSTED-OTLP"])
    assert result.check(f"{bad} traces")["status"] == "failed"
    assert result.check(f"{good} traces")["status"] == "passed"


# The Collector's own backend


@pytest.mark.parametrize("listener", ["behind_401", "behind_429", "behind_nothing"])
def test_an_empty_request_shows_nothing_of_the_backend(collector: Collector, listener: str) -> None:
    """A probe passes, and claims no more than that an empty request was accepted, whatever stands behind."""
    result = _with(getattr(collector, listener).http).run("check-endpoint")
    assert_healthy(result)
    assert result.check("traces")["detail"] == "200, an empty request was accepted"


@pytest.mark.parametrize("command", ["send-test-span", "smoke"])
@pytest.mark.parametrize(
    ("listener", "code", "said"),
    [("behind_429", "OTLP-429", "HTTP Status Code 429"), ("behind_nothing", "OTLP-503", "connection refused")],
)
def test_a_span_shows_the_backends_refusal(
    collector: Collector, listener: str, code: str, said: str, command: str
) -> None:
    """What the Collector's backend answers is a span's finding, in the Collector's own words."""
    result = _with(getattr(collector, listener).http).run(command)
    assert (result.code, result.found) == (1, [code])
    assert said in result.finding(code)["summary"]
    assert "trace_id" not in result.report["facts"]


def test_the_backends_401_is_not_blamed_on_who_sent_the_span(collector: Collector) -> None:
    """Where an empty request was accepted and a span gets 401, the credential at fault is the Collector's own."""
    result = _with(collector.behind_401.http).run("smoke")
    assert (result.code, result.found) == (1, ["AUTH-BEHIND"])
    assert result.check("traces")["status"] == "passed"


def test_the_backends_401_is_told_by_the_collectors_words(collector: Collector) -> None:
    """The Collector says whose request was answered with 401, so a span alone is enough to tell."""
    result = _with(collector.behind_401.http).run("send-test-span")
    assert (result.code, result.found) == (1, ["AUTH-BEHIND"])


@pytest.mark.parametrize("gzip", ["--gzip", "--no-gzip"])
def test_a_body_over_the_limit_is_told_by_its_size(collector: Collector, gzip: str) -> None:
    """A Collector's 400 to a body over its limit, before compression, is told from one to bad data."""
    result = HEALTHY["small"](collector).run("send-test-span", gzip, "--attribute", f"big={'x' * 2000}")
    assert (result.code, result.found) == (1, ["OTLP-413"])


def test_what_is_advised_for_grpc_is_another_check(collector: Collector) -> None:
    """Asked for gRPC at the HTTP port, otelctl advises a check over HTTP, and that passes."""
    result = _with(collector.plain.http).run("check-endpoint", "--protocol", "grpc")
    assert (result.code, result.found) == (1, ["NET-GRPC-ON-HTTP-PORT"])
    assert_healthy(run_line(f"{advised(result)[0]} --format json"))
