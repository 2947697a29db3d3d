"""otelctl over gRPC against a real Collector, nginx before one, and the OpenTelemetry SDK's own gRPC exporter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.real.conftest import STACK, Collector, Nginx
from tests.support.parts import Credential
from tests.support.program import Result, environment, run, sending

REVERSED = Credential(STACK.password, STACK.user)
OTHER_STACK = Credential("654321", STACK.password)
SIGNALS = ("traces", "metrics", "logs")


@dataclass(frozen=True, slots=True)
class SetUp:
    """How a user has set up a gRPC exporter: endpoint, variables, and files for TLS."""

    endpoint: str
    authorization: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    def run(self, command: str, *more: str, protocol: str = "grpc") -> Result:
        """Run a command with this set-up and a report in JSON."""
        options = [
            (name, value)
            for name, value in (("--ca-file", self.ca), ("--client-cert", self.cert), ("--client-key", self.key))
            if value
        ]
        flat = [word for pair in options for word in pair]
        variables = {**(sending(self.authorization) if self.authorization else {}), **dict(self.variables)}
        return run(
            command, self.endpoint, *flat, "--protocol", protocol, *more, "--format", "json", variables=variables
        )

    @property
    def exporter(self) -> dict[str, str]:
        """The variables by which the SDK is told the same."""
        found = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_EXPORTER_OTLP_CERTIFICATE": self.ca,
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": self.cert,
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": self.key,
            **(sending(self.authorization) if self.authorization else {}),
        }
        return {name: value for name, value in found.items() if value} | dict(self.variables)


def _ca(collector: Collector) -> str:
    return str(collector.authority.file)


HEALTHY: dict[str, Callable[[Collector], SetUp]] = {
    "plain": lambda c: SetUp(c.plain.grpc),
    "plain, bare": lambda c: SetUp(
        c.plain.grpc.removeprefix("http://"), variables=(("OTEL_EXPORTER_OTLP_INSECURE", "true"),)
    ),
    "basic": lambda c: SetUp(c.basic.grpc, STACK.header),
    "bearer": lambda c: SetUp(c.bearer.grpc, f"Bearer {c.bearer_token}"),
    "tls": lambda c: SetUp(c.tls.grpc, STACK.header, _ca(c)),
    "tls, bare": lambda c: SetUp(c.tls.grpc.removeprefix("https://"), STACK.header, _ca(c)),
    "mtls": lambda c: SetUp(c.mtls.grpc, "", _ca(c), str(c.client.cert_file), str(c.client.key_file)),
    "traces only": lambda c: SetUp(c.traces_only.grpc),
}


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


@pytest.mark.parametrize("protocol", ["grpc", "auto"])
@pytest.mark.parametrize("name", [name for name in HEALTHY if name != "traces only"])
def test_a_healthy_receiver_has_no_finding(collector: Collector, name: str, protocol: str) -> None:
    """Each listener is judged healthy over gRPC for every signal, asked for or found out."""
    result = HEALTHY[name](collector).run("check-endpoint", "--signal", "all", protocol=protocol)
    assert_healthy(result)
    for signal in SIGNALS:
        assert result.check(signal)["detail"].startswith("OK, ")
    assert_hides_the_token(result)


@pytest.mark.parametrize("gzip", ["--gzip", "--no-gzip"])
@pytest.mark.parametrize("name", HEALTHY)
def test_a_span_arrives_as_reported(collector: Collector, name: str, gzip: str) -> None:
    """The trace at the backend is the one that the report names: a server span with the child that it names."""
    result = HEALTHY[name](collector).run("send-test-span", gzip)
    assert_healthy(result)
    facts = result.report["facts"]
    arrived = collector.sink.spans(bytes.fromhex(facts["trace_id"]), 2)
    server = next(span for span in arrived if span.kind == Span.SPAN_KIND_SERVER)
    (child,) = (span for span in arrived if span is not server)
    assert (server.span_id.hex(), child.parent_span_id) == (facts["span_id"], server.span_id)


@pytest.mark.parametrize("name", ["basic", "tls", "mtls"])
def test_smoke_passes_and_its_span_arrives(collector: Collector, name: str) -> None:
    """The CI step passes over gRPC, every signal included, and its span is at the backend."""
    result = HEALTHY[name](collector).run("smoke", "--signal", "all")
    assert_healthy(result)
    assert len(collector.sink.spans(bytes.fromhex(result.report["facts"]["trace_id"]), 2)) == 2


def test_a_proxy_that_passes_grpc_on_is_healthy(nginx: Nginx) -> None:
    """nginx with HTTP/2 and grpc_pass before the Collector has no finding, by either name of the protocol."""
    for protocol in ("grpc", "auto"):
        assert_healthy(SetUp(nginx.grpc_tls, ca=str(nginx.authority.file)).run("check-endpoint", protocol=protocol))


# Faults

FAULTS: dict[str, tuple[Callable[[Collector], SetUp], list[str]]] = {
    "no credential": (lambda c: SetUp(c.basic.grpc), ["AUTH-WANTED"]),
    "of another stack": (lambda c: SetUp(c.basic.grpc, OTHER_STACK.header), ["AUTH-REFUSED"]),
    "reversed": (lambda c: SetUp(c.basic.grpc, REVERSED.header), ["AUTH-REVERSED"]),
    "Basic for Bearer": (lambda c: SetUp(c.bearer.grpc, STACK.header), ["AUTH-REFUSED"]),
    "HTTP port": (lambda c: SetUp(c.plain.http), ["NET-GRPC-ON-HTTP-PORT"]),
    "HTTP port by TLS": (lambda c: SetUp(c.tls.http, STACK.header, _ca(c)), ["NET-GRPC-ON-HTTP-PORT"]),
    "another port of it": (lambda c: SetUp(c.health.rstrip("/")), ["NET-GRPC-ON-HTTP-PORT"]),
    "https to a plain port": (
        lambda c: SetUp(c.plain.grpc.replace("http:", "https:")),
        ["NET-TLS-ON-PLAIN"],
    ),
    "bare to a plain port": (lambda c: SetUp(c.plain.grpc.removeprefix("http://")), ["NET-TLS-ON-PLAIN"]),
    "http to a TLS port": (lambda c: SetUp(c.tls.grpc.replace("https:", "http:")), ["NET-PLAIN-ON-TLS"]),
    "no CA": (lambda c: SetUp(c.tls.grpc, STACK.header), ["NET-TLS-UNTRUSTED"]),
    "no client certificate": (lambda c: SetUp(c.mtls.grpc, "", _ca(c)), ["NET-TLS-CLIENT-CERT"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_code(collector: Collector, name: str) -> None:
    """Each wrong set-up gives its one finding and exit code 1, without showing the credential."""
    set_up, codes = FAULTS[name]
    result = set_up(collector).run("check-endpoint")
    assert (result.code, result.found) == (1, codes)
    assert_hides_the_token(result)


def test_a_signal_without_pipeline_leaves_the_others_alone(collector: Collector) -> None:
    """A receiver for traces alone passes for traces, and fails for metrics and logs by a code that says why."""
    result = SetUp(collector.traces_only.grpc).run("check-endpoint", "--signal", "all")
    assert result.found == ["OTLP-UNIMPLEMENTED", "OTLP-UNIMPLEMENTED"]
    assert [result.check(signal)["status"] for signal in SIGNALS] == ["passed", "failed", "failed"]


def test_a_path_is_dropped_and_said(collector: Collector) -> None:
    """Over gRPC a path changes nothing, so the check passes with a warning that names it."""
    result = SetUp(f"{collector.plain.grpc}/otlp").run("check-endpoint")
    assert (result.code, result.found) == (0, ["GRPC-PATH-DROPPED"])
    assert result.check("traces")["status"] == "passed"


@pytest.mark.parametrize(
    ("listener", "code", "said"),
    [
        ("behind_429", "OTLP-429", "429"),
        ("behind_nothing", "OTLP-503", "connection refused"),
    ],
)
def test_a_span_shows_the_backends_refusal(collector: Collector, listener: str, code: str, said: str) -> None:
    """What the Collector's backend answers is a span's finding, in the Collector's own words."""
    set_up = SetUp(getattr(collector, listener).grpc)
    assert_healthy(set_up.run("check-endpoint"))
    result = set_up.run("send-test-span")
    assert (result.code, result.found) == (1, [code])
    assert said in result.finding(code)["summary"]
    assert "trace_id" not in result.report["facts"]


def test_the_backends_401_is_not_blamed_on_who_sent_the_span(collector: Collector) -> None:
    """Where an empty call was accepted and a span is UNAUTHENTICATED, the credential at fault is the Collector's."""
    result = SetUp(collector.behind_401.grpc).run("smoke")
    assert (result.code, result.found) == (1, ["AUTH-BEHIND"])


def test_tls_without_http2(nginx: Nginx) -> None:
    """A TLS server that offers no h2, as one that opens TLS does, is named by what it chose and by its certificate."""
    result = SetUp(nginx.otlp_tls, ca=str(nginx.authority.file)).run("check-endpoint")
    assert "NET-ALPN" in result.found
    assert "http/1.1" in result.finding("NET-ALPN")["summary"]
    assert "otelctl test CA" in result.finding("NET-ALPN")["cause"]


def test_auto_says_what_differs_and_checks_what_is_spoken(collector: Collector) -> None:
    """With settings for the other protocol, what the port speaks is found, told apart from them, and checked."""
    for endpoint, asked, spoken in (
        (collector.plain.grpc, "http/protobuf", "gRPC"),
        (collector.plain.http, "grpc", "HTTP"),
    ):
        variables = (("OTEL_EXPORTER_OTLP_PROTOCOL", asked),)
        result = SetUp(endpoint, variables=variables).run("check-endpoint", protocol="auto")
        assert (result.code, result.found) == (1, ["CONF-PROTOCOL-DIFFERS"])
        assert result.check("spoken")["detail"] == f"{spoken} without TLS"
        assert result.check("traces")["status"] == "passed"


def test_auto_tells_an_http_server_that_speaks_http2_from_grpc(collector: Collector) -> None:
    """The Collector's HTTP receiver agrees on h2 by TLS too, and is found to speak HTTP."""
    result = SetUp(collector.tls.http, STACK.header, _ca(collector)).run("check-endpoint", protocol="auto")
    assert_healthy(result)
    assert result.check("spoken")["detail"] == "HTTP by TLS"


# The SDK's own exporter

_EXPORT = """
import logging, sys
logging.disable(logging.CRITICAL)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
results = []
class Kept(OTLPSpanExporter):
    def export(self, spans):
        results.append(super().export(spans))
        return results[-1]
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(Kept(timeout=3)))
with provider.get_tracer("t").start_as_current_span("s"):
    pass
sys.exit(results != [SpanExportResult.SUCCESS])
"""


@pytest.mark.parametrize("name", ["plain", "plain, bare", "basic", "tls", "tls, bare", "mtls"])
def test_what_is_called_healthy_the_sdk_exports_to(collector: Collector, name: str) -> None:
    """The same settings that otelctl calls healthy make the SDK's gRPC exporter succeed."""
    assert _exports(HEALTHY[name](collector))


@pytest.mark.parametrize("name", ["no credential", "HTTP port", "https to a plain port", "no CA", "http to a TLS port"])
def test_what_is_called_broken_the_sdk_fails_on(collector: Collector, name: str) -> None:
    """The same settings that otelctl finds a fault in make the SDK's gRPC exporter fail."""
    assert not _exports(FAULTS[name][0](collector))


def _exports(set_up: SetUp) -> bool:
    done = subprocess.run(
        [sys.executable, "-c", _EXPORT],
        env={**environment(set_up.exporter), "GRPC_VERBOSITY": "NONE", "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=40,
        check=False,
        capture_output=True,
    )
    return done.returncode == 0
