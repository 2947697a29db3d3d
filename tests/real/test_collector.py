"""What an OpenTelemetry Collector answers: the facts that otelctl's judgement of one rests on."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.real.conftest import Collector
from tests.support.parts import Credential, ask

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def one_span() -> tuple[bytes, bytes]:
    """Return the id of a new trace, and a request that holds its one span."""
    trace_id, now = os.urandom(16), time.time_ns()
    span = Span(
        trace_id=trace_id, span_id=os.urandom(8), name="a span", start_time_unix_nano=now, end_time_unix_nano=now + 1
    )
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])
    return trace_id, request.SerializeToString()


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_an_empty_json_request_is_accepted(collector: Collector, signal: str) -> None:
    """A Collector answers an empty JSON request with 200 and an empty partial success, which is full success."""
    answer = ask(f"{collector.plain.http}/v1/{signal}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == {"partialSuccess": {}}


def test_an_empty_protobuf_request_is_accepted(collector: Collector) -> None:
    """A Collector answers an empty protobuf request with 200 and a response without a partial success."""
    answer = ask(f"{collector.plain.http}/v1/traces", body=b"", headers={**PROTOBUF, "Content-Length": "0"})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(answer.body).partial_success.error_message


def test_a_request_without_credential_is_refused(collector: Collector) -> None:
    """A receiver with basicauth answers 401 with a JSON status of its own when no credential comes."""
    answer = ask(f"{collector.basic.http}/v1/traces")
    assert answer.status == 401
    assert json.loads(answer.body) == {"code": 16, "message": "no basic auth provided"}


def test_a_reversed_credential_is_refused(collector: Collector) -> None:
    """A receiver with basicauth answers 401 with another message when token and instance ID are swapped."""
    swapped = Credential(collector.credential.password, collector.credential.user)
    answer = ask(f"{collector.basic.http}/v1/traces", credential=swapped)
    assert answer.status == 401
    assert json.loads(answer.body) == {"code": 16, "message": "invalid credentials"}


def test_the_right_credential_is_accepted(collector: Collector) -> None:
    """A receiver with basicauth accepts a user and password of its htpasswd."""
    assert ask(f"{collector.basic.http}/v1/traces", credential=collector.credential).status == 200


def test_a_bearer_token_is_wanted(collector: Collector) -> None:
    """A receiver with bearertokenauth refuses Basic and accepts its token."""
    url = f"{collector.bearer.http}/v1/traces"
    assert ask(url, credential=collector.credential).status == 401
    assert ask(url, headers={"Authorization": f"Bearer {collector.bearer_token}"}).status == 200


def test_other_methods_and_content_types_are_refused_in_plain_text(collector: Collector) -> None:
    """A receiver names the one method and the two content types that it supports."""
    url = f"{collector.plain.http}/v1/traces"
    get = ask(url, method="GET", body=b"")
    assert (get.status, get.body) == (405, b"405 method not allowed, supported: [POST]")
    text = ask(url, headers={"Content-Type": "text/plain"})
    assert text.status == 415
    assert text.body == b"415 unsupported media type, supported: [application/json, application/x-protobuf]"


@pytest.mark.parametrize("path", ["/v1/traces/v1/traces", "/otlp/v1/traces", "/"])
def test_another_path_is_not_found(collector: Collector, path: str) -> None:
    """A receiver answers Go's plain 404 at any other path: a doubled one, and Grafana Cloud's own."""
    answer = ask(collector.plain.http + path)
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


def test_a_signal_without_pipeline_is_not_found(collector: Collector) -> None:
    """A receiver without a pipeline for logs answers 404 to them, and takes traces at the same time."""
    assert ask(f"{collector.traces_only.http}/v1/logs").status == 404
    assert ask(f"{collector.traces_only.http}/v1/traces").status == 200


def test_a_body_over_the_limit_is_refused_as_a_bad_request(collector: Collector) -> None:
    """A receiver whose limit a body exceeds answers 400, not 413, and names the size in its message."""
    answer = ask(f"{collector.small.http}/v1/traces", body=b" " * 2048 + b"{}")
    assert (answer.status, json.loads(answer.body)["message"]) == (400, "http: request body too large")


def test_a_span_reaches_the_backend(collector: Collector) -> None:
    """What a Collector accepts it exports: a span arrives at the backend behind it."""
    trace_id, body = one_span()
    answer = ask(f"{collector.basic.http}/v1/traces", body=body, headers=PROTOBUF, credential=collector.credential)
    assert answer.status == 200
    assert [span.name for span in collector.sink.spans(trace_id)] == ["a span"]


@pytest.mark.parametrize(
    ("listener", "status", "message"),
    [
        ("behind_401", 401, "responded with HTTP Status Code 401"),
        ("behind_429", 429, "responded with HTTP Status Code 429"),
        ("behind_nothing", 503, "connection refused"),
    ],
)
def test_the_backends_refusal_is_answered_to_a_span_alone(
    collector: Collector, listener: str, status: int, message: str
) -> None:
    """Without a queue a Collector passes its backend's refusal on to who sends a span, and to an empty request none."""
    url = f"{getattr(collector, listener).http}/v1/traces"
    assert ask(url).status == 200
    answer = ask(url, body=one_span()[1], headers=PROTOBUF)
    assert (answer.status, message in answer.body.decode(errors="replace")) == (status, True)


def test_tls_is_trusted_by_its_authority_alone(collector: Collector) -> None:
    """A TLS receiver is refused by a client with the system's authorities, and accepted by one with its own."""
    url = f"{collector.tls.http}/v1/traces"
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        ask(url, context=ssl.create_default_context())
    assert caught.value.verify_code == 20  # unable to get local issuer certificate
    trusting = ssl.create_default_context(cafile=str(collector.authority.file))
    assert ask(url, credential=collector.credential, context=trusting).status == 200


def test_a_missing_client_certificate_is_an_alert_after_the_handshake(collector: Collector) -> None:
    """By TLS 1.3 a receiver with client_ca_file lets the client's handshake end well, and its first read fail."""
    where = urlsplit(collector.mtls.http)
    context = ssl.create_default_context(cafile=str(collector.authority.file))
    assert where.hostname is not None
    with (
        socket.create_connection((where.hostname, where.port or 0), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname=where.hostname) as secured,
    ):
        assert secured.version() == "TLSv1.3"
        # Who writes a request first may be told of a reset instead.
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            secured.recv(1)


def test_a_client_certificate_is_accepted(collector: Collector) -> None:
    """A receiver with client_ca_file takes a certificate of this authority instead of a credential."""
    context = ssl.create_default_context(cafile=str(collector.authority.file))
    context.load_cert_chain(collector.client.cert_file, collector.client.key_file)
    assert ask(f"{collector.mtls.http}/v1/traces", context=context).status == 200


def test_plain_http_to_tls_is_a_400_that_is_not_good(collector: Collector) -> None:
    """A TLS receiver answers plain HTTP with 400 in Go's words."""
    # Without a body: it would go out by itself, and where it meets the closed connection the answer may be lost.
    answer = ask(collector.tls.http.replace("https://", "http://") + "/v1/traces", body=b"")
    assert (answer.status, answer.body) == (400, b"Client sent an HTTP request to an HTTPS server.\n")


def test_tls_to_plain_http_is_a_wrong_version(collector: Collector) -> None:
    """A TLS client at a plain port fails its handshake on the first bytes."""
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        ask(collector.plain.http.replace("http://", "https://") + "/v1/traces", context=ssl.create_default_context())


def test_the_grpc_port_answers_http_with_settings(collector: Collector) -> None:
    """A gRPC receiver answers HTTP/1.1 with an HTTP/2 SETTINGS frame, which no HTTP client understands."""
    where = urlsplit(collector.plain.grpc)
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port or 0), timeout=5) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        first = connection.recv(16)
    assert first[:1] == b"\0"
    assert first[3:4] == b"\4"


def test_an_empty_request_moves_no_counter(collector: Collector) -> None:
    """A Collector counts the spans that it accepted, and an empty request, which it accepts too, counts for nothing."""

    def accepted() -> float:
        for line in ask(collector.metrics, method="GET", body=b"").body.decode().splitlines():
            if line.startswith("otelcol_receiver_accepted_spans") and 'receiver="otlp/plain",transport="http"' in line:
                return float(line.rsplit(" ", 1)[1])
        return 0

    url, before = f"{collector.plain.http}/v1/traces", accepted()
    assert ask(url, body=one_span()[1], headers=PROTOBUF).status == 200
    assert accepted() == before + 1
    assert ask(url).status == 200
    assert accepted() == before + 1


def test_its_health_says_nothing_of_export(collector: Collector) -> None:
    """The health_check extension answers 200 while a pipeline has no backend to export to."""
    assert ask(collector.health, method="GET", body=b"").status == 200
