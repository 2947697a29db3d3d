"""The embedded gateway, as real clients see it."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import os
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

from otelctl import otlp
from otelctl.gateway import Gateway, Partial, Received, Tenant, invent_credential
from otelctl.secret import MASK, Secret
from otelctl.settings import Protocol, Signal
from tests.support.ca import Authority
from tests.support.gateway import Reply, authorization, basic, send, tenant

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
RESOURCE = Resource({"service.name": "shop"})


@pytest.fixture(scope="module")
def stack() -> Tenant:
    """A stack whose token may write every signal."""
    return tenant()


@pytest.fixture
def gateway(stack: Tenant) -> Iterator[Gateway]:
    """A gateway that knows the stack, and has met no bug of its own when the test is over."""
    with Gateway([stack], timeout=2.0, max_body=200_000) as running:
        yield running
    assert running.crashes == ()


def _headers(stack: Tenant, media_type: str = JSON, **more: str) -> dict[str, str]:
    extra = {name.replace("_", "-"): value for name, value in more.items()}
    return {"Authorization": authorization(stack), "Content-Type": media_type, **extra}


def _trace() -> otlp.SyntheticTrace:
    return otlp.synthetic_trace(service="shop", attributes={}, now_ns=time.time_ns(), entropy=os.urandom)


# --- what real exporters send arrives as it was


def _options(gateway: Gateway, stack: Tenant, signal: Signal, packed: bool) -> dict[str, Any]:
    return {
        "endpoint": f"{gateway.url}/v1/{signal}",
        "headers": {"authorization": authorization(stack)},
        "compression": Compression.Gzip if packed else Compression.NoCompression,
        "timeout": 5,
    }


def _arrived(gateway: Gateway, signal: Signal, packed: bool) -> Any:
    item = gateway.wait_for(lambda item: item.accepted and item.signal is signal, 5)
    assert item is not None
    assert item.protocol is Protocol.HTTP_PROTOBUF
    assert (item.header("content-encoding") == "gzip") is packed
    return item.message


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_spans_of_the_python_sdk_arrive_as_they_were(gateway: Gateway, stack: Tenant, packed: bool) -> None:
    """Names, ids, kinds, attributes and the resource are those that the SDK gave them."""
    provider = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(**_options(gateway, stack, Signal.TRACES, packed))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("cart").start_as_current_span(
        "GET /cart", kind=SpanKind.SERVER, attributes={"items": 3}
    ) as span:
        context = span.get_span_context()
    assert gateway.wait_for_trace(f"{context.trace_id:032x}", 5) is not None
    ((service, arrived),) = otlp.iter_spans(_arrived(gateway, Signal.TRACES, packed))
    provider.shutdown()
    assert service == "shop"
    assert (arrived.name, arrived.kind) == ("GET /cart", 2)
    assert int.from_bytes(arrived.trace_id, "big") == context.trace_id
    assert int.from_bytes(arrived.span_id, "big") == context.span_id
    assert [(item.key, item.value.int_value) for item in arrived.attributes] == [("items", 3)]
    assert 0 < arrived.start_time_unix_nano <= arrived.end_time_unix_nano


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_metrics_of_the_python_sdk_arrive_as_they_were(gateway: Gateway, stack: Tenant, packed: bool) -> None:
    """A counter, a gauge and a histogram carry the values that were recorded."""
    exporter = OTLPMetricExporter(**_options(gateway, stack, Signal.METRICS, packed))
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, 60_000)], RESOURCE)
    meter = provider.get_meter("cart")
    meter.create_counter("orders").add(7)
    meter.create_gauge("load").set(0.5)
    meter.create_histogram("wait").record(12)
    assert provider.force_flush()
    message = _arrived(gateway, Signal.METRICS, packed)
    provider.shutdown()
    metrics = {metric.name: metric for metric in message.resource_metrics[0].scope_metrics[0].metrics}
    assert metrics["orders"].sum.data_points[0].as_int == 7
    assert metrics["load"].gauge.data_points[0].as_double == 0.5
    assert metrics["wait"].histogram.data_points[0].sum == 12


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_logs_of_the_python_sdk_arrive_as_they_were(gateway: Gateway, stack: Tenant, packed: bool) -> None:
    """A record has its body and severity, and is found by the trace that it names."""
    provider = LoggerProvider(resource=RESOURCE)
    exporter = OTLPLogExporter(**_options(gateway, stack, Signal.LOGS, packed))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    context = SpanContext(0xA1, 0xB2, is_remote=False, trace_flags=TraceFlags(1))
    provider.get_logger("cart").emit(
        LogRecord(
            timestamp=time.time_ns(),
            context=set_span_in_context(NonRecordingSpan(context)),
            body="sold out",
            severity_number=SeverityNumber.WARN,
        )
    )
    message = _arrived(gateway, Signal.LOGS, packed)
    provider.shutdown()
    assert gateway.wait_for_trace(f"{0xA1:032x}", 0) is not None
    (record,) = message.resource_logs[0].scope_logs[0].log_records
    assert (record.body.string_value, record.severity_number) == ("sold out", 13)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_json_arrives_as_it_was(gateway: Gateway, stack: Tenant, packed: bool) -> None:
    """A trace sent as JSON by urllib is decoded to the same message, and answered in JSON."""
    trace = _trace()
    headers = _headers(stack) | ({"Content-Encoding": "gzip"} if packed else {})
    body = otlp.encode(trace.request, Protocol.HTTP_JSON, gzip=packed)
    request = urllib.request.Request(f"{gateway.url}/v1/traces", body, headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert (answer.status, answer.read()) == (200, b'{"partialSuccess":{}}')
    item = gateway.wait_for_trace(trace.trace_id, 0)
    assert item is not None
    assert item.message == trace.request
    assert item.protocol is Protocol.HTTP_JSON


# --- credentials


def _legacy(stack: Tenant) -> dict[str, tuple[str | None, str]]:
    token, instance_id = stack.token.reveal(), stack.instance_id
    legacy_key = base64.b64encode(b'{"k":"abc","n":"x","id":1}').decode()
    none, legacy = "no credentials provided", "legacy auth cannot be upgraded because the host is not found"
    unknown = "invalid authentication credentials"
    return {
        "nothing sent": (None, none),
        "empty": ("", none),
        "percent-encoded space": (basic(instance_id, token).replace(" ", "%20"), none),
        "cut at the space": ("Basic", none),
        "not base64": (f"Basic {instance_id}:{token}", none),
        "no colon": ("Basic " + base64.b64encode(token.encode()).decode(), none),
        "another scheme": (f"Digest {token}", none),
        "Bearer": (f"Bearer {token}", legacy),
        "bare token": (token, legacy),
        "service account": (basic(instance_id, "glsa_abc"), legacy),
        "legacy key": (basic(instance_id, legacy_key), legacy),
        "reversed": (basic(token, instance_id), unknown),
        "other stack": (basic("1", token), unknown),
        "not a token": (basic(instance_id, "hunter2"), unknown),
        "other token": (basic(instance_id, invent_credential(os.urandom).token.reveal()), "invalid token"),
        "line break at the end": (basic(instance_id, f"{token}\n"), "invalid token"),
    }


_CAUSES = tuple(_legacy(tenant()))


@pytest.mark.parametrize("cause", _CAUSES)
def test_each_401_has_its_cause_and_its_text(gateway: Gateway, stack: Tenant, cause: str) -> None:
    """A refusal says in Grafana's words what is wrong with the header, before anything is parsed."""
    header, text = _legacy(stack)[cause]
    headers = {"Content-Type": JSON} | ({} if header is None else {"Authorization": header})
    reply = send(gateway.port, headers=headers, body=b"garbage")
    assert reply.status == 401
    assert reply.headers["content-type"] == JSON
    assert reply.document == {"status": "error", "error": f"authentication error: {text}"}
    (item,) = gateway.received
    assert (item.status, item.message, item.accepted) == (401, None, False)


def test_a_real_exporter_is_refused_as_recorded(
    gateway: Gateway, stack: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    """The Python SDK logs for the gateway's 401 what it logs for the recorded one."""
    options = _options(gateway, stack, Signal.TRACES, packed=False)
    options["headers"] = {"authorization": basic(stack.token.reveal(), stack.instance_id)}
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**options)))
    with provider.get_tracer("x").start_as_current_span("x"):
        pass
    provider.shutdown()
    assert "Failed to export spans batch code: 401, reason: Unauthorized" in caplog.messages


def test_a_scope_is_judged_by_signal() -> None:
    """A token that may write traces only is refused for the others with 401 and the scope's text."""
    narrow = tenant(Signal.TRACES)
    with Gateway([narrow]) as gateway:
        answers = {signal: send(gateway.port, f"/otlp/v1/{signal}", headers=_headers(narrow)) for signal in Signal}
    assert answers[Signal.TRACES].status == 200
    for signal in (Signal.METRICS, Signal.LOGS):
        assert answers[signal].status == 401
        assert answers[signal].document["error"] == "authentication error: invalid scope requested"


def test_each_stack_is_known_by_its_own_token() -> None:
    """Of two stacks, each token opens its own instance id alone."""
    first, second = tenant(), tenant()
    with Gateway([first, second]) as gateway:
        for stack in (first, second):
            assert send(gateway.port, headers=_headers(stack)).status == 200
        crossed = {"Authorization": basic(first.instance_id, second.token.reveal()), "Content-Type": JSON}
        assert send(gateway.port, headers=crossed).status == 401


def test_an_invented_credential_is_well_formed() -> None:
    """The id is numeric, the token `glc_` and base64 JSON with org, name, key and region; equal dice, equal pair."""
    made = invent_credential(lambda size: b"\x01" * size, region="prod-test-0")
    assert made == invent_credential(lambda size: b"\x01" * size, region="prod-test-0")
    assert made.instance_id.isdigit()
    claims = json.loads(base64.b64decode(made.token.reveal().removeprefix("glc_")))
    assert claims.keys() == {"o", "n", "k", "m"}
    assert claims["m"] == {"r": "prod-test-0"}


def test_a_received_credential_does_not_show(gateway: Gateway, stack: Tenant) -> None:
    """Authorization is kept, for who asks for it by name, and masked in whatever is printed of a request."""
    send(gateway.port, "/otlp/v1/traces?token=glc_query", headers=_headers(stack, X_Custom="seen"))
    (item,) = gateway.received
    kept = item.header("AUTHORIZATION")
    assert isinstance(kept, Secret)
    assert kept.reveal() == authorization(stack)
    assert item.header("x-custom") == "seen"
    shown = f"{item!r} {item}"
    assert MASK in shown
    assert stack.token.reveal() not in shown
    assert authorization(stack) not in shown
    assert "glc_query" not in shown


# --- answers


@pytest.mark.parametrize(
    ("path", "method", "media_type", "status", "body"),
    [
        ("/v1/traces", "POST", JSON, 404, b"404 page not found\n"),
        ("/otlpx/v1/traces", "POST", JSON, 404, b"404 page not found\n"),
        ("/otlp", "POST", JSON, 404, b"404 page not found\n"),
        ("/otlp/v1/traces/v1/traces", "POST", JSON, 404, b"404 page not found\n"),
        ("/otlp/v1/traces", "GET", JSON, 405, b"405 method not allowed, supported: [POST]"),
        ("/otlp/v1/traces", "BREW", JSON, 405, b"405 method not allowed, supported: [POST]"),
        ("/otlp/v1/traces", "HEAD", JSON, 405, b""),
        (
            "/otlp/v1/traces",
            "POST",
            "text/plain",
            415,
            b"415 unsupported media type, supported: [application/json, application/x-protobuf]",
        ),
    ],
)
def test_what_is_no_export_is_refused_as_recorded(
    gateway: Gateway, stack: Tenant, path: str, method: str, media_type: str, status: int, body: bytes
) -> None:
    """Path, method and content type have the answers that the Collector's receiver gives."""
    reply = send(gateway.port, path, method=method, headers=_headers(stack, media_type))
    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize("signal", Signal)
def test_an_empty_request_succeeds(gateway: Gateway, stack: Tenant, signal: Signal) -> None:
    """The safe probe is answered with full success in the type that it came in, for every signal."""
    json_reply = send(gateway.port, f"/otlp/v1/{signal}", headers=_headers(stack), body=b"{}")
    assert (json_reply.status, json_reply.body) == (200, b'{"partialSuccess":{}}')
    protobuf_reply = send(gateway.port, f"/otlp/v1/{signal}", headers=_headers(stack, PROTOBUF), body=b"")
    assert (protobuf_reply.status, protobuf_reply.body) == (200, b"\x0a\x00")
    assert protobuf_reply.headers["content-type"] == PROTOBUF


def _spans(trace_id: str, span_id: str) -> bytes:
    span = {"traceId": trace_id, "spanId": span_id, "name": "x"}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


@pytest.mark.parametrize(
    ("body", "more", "says"),
    [
        (b"garbage", {}, "the body is not JSON"),
        (b"{}", {"Content_Encoding": "gzip"}, "unexpected EOF"),
        (b"{}", {"Content_Encoding": "br"}, "unsupported Content-Encoding: br"),
        (gzip.compress(b"{}", mtime=0)[:-3], {"Content_Encoding": "gzip"}, "unexpected EOF"),
        (_spans("01" * 8, "01" * 8), {}, "ID.UnmarshalJSONIter: length mismatch"),
        (_spans("00" * 16, "01" * 8), {}, "trace ids must be 128 bit, received 0 bits"),
        (_spans("01" * 16, "00" * 8), {}, "span ids must be 64 bit and not all zero, received 0 bits"),
        (_spans("01" * 16, ""), {}, "span ids must be 64 bit and not all zero, received 0 bits"),
    ],
)
def test_bad_data_is_a_400_with_a_status_in_the_requests_type(
    gateway: Gateway, stack: Tenant, body: bytes, more: dict[str, str], says: str
) -> None:
    """google.rpc.Status says what is wrong, in the words that were recorded where there is a record."""
    reply = send(gateway.port, headers=_headers(stack, **more), body=body)
    assert reply.status == 400
    answer = otlp.read_answer(Signal.TRACES, reply.headers["content-type"], reply.body)
    assert (answer.kind, answer.protocol, answer.code) == (otlp.AnswerKind.STATUS, Protocol.HTTP_JSON, 3)
    assert answer.message.startswith(says)


def test_bad_protobuf_is_a_400_in_protobuf(gateway: Gateway, stack: Tenant) -> None:
    """The type of the answer follows the request's; a wrong length of an id is named too."""
    bad_id = _trace().request
    bad_id.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    for body, says in (
        (b"garbage", "not a protobuf message"),
        (bad_id.SerializeToString(), "invalid length for TraceID"),
    ):
        reply = send(gateway.port, headers=_headers(stack, PROTOBUF), body=body)
        answer = otlp.read_answer(Signal.TRACES, reply.headers["content-type"], reply.body)
        assert (reply.status, answer.kind, answer.protocol) == (400, otlp.AnswerKind.STATUS, Protocol.HTTP_PROTOBUF)
        assert says in answer.message


def test_partial_success_is_given_where_configured(stack: Tenant) -> None:
    """Telemetry is answered with the rejection, an empty request with success, in both types."""
    with Gateway([stack], partial=Partial(1, "span too old")) as gateway:
        for protocol in (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON):
            media_type = otlp.content_type(protocol)
            reply = send(
                gateway.port, headers=_headers(stack, media_type), body=otlp.encode(_trace().request, protocol)
            )
            answer = otlp.read_answer(Signal.TRACES, reply.headers["content-type"], reply.body)
            assert reply.status == 200
            assert (answer.kind, answer.rejected, answer.message) == (otlp.AnswerKind.PARTIAL, 1, "span too old")
            empty = send(gateway.port, headers=_headers(stack, media_type), body=otlp.empty_request(protocol))
            assert otlp.read_answer(Signal.TRACES, media_type, empty.body).kind is otlp.AnswerKind.SUCCESS


def test_a_waiting_reader_gets_the_trace_that_comes_later(gateway: Gateway, stack: Tenant) -> None:
    """wait_for_trace returns as soon as the trace is there, and None once its time is up."""
    trace = _trace()
    assert gateway.wait_for_trace(trace.trace_id, 0.01) is None
    found: list[Received | None] = []
    waiting = threading.Thread(target=lambda: found.append(gateway.wait_for_trace(trace.trace_id, 5)))
    waiting.start()
    send(gateway.port, headers=_headers(stack), body=otlp.encode(trace.request, Protocol.HTTP_JSON))
    waiting.join(5)
    (item,) = found
    assert item is not None
    assert item.message == trace.request


def test_one_connection_serves_many_requests(gateway: Gateway, stack: Tenant) -> None:
    """Accepted and refused requests, with bodies read and unread, follow each other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    with contextlib.closing(connection):
        for headers, status in [(_headers(stack), 200), ({"Content-Type": JSON}, 401), (_headers(stack), 200)] * 3:
            connection.request("POST", "/otlp/v1/traces", b"{}" + b" " * 100_000, headers)
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (status, True)


def test_chunked_and_expected_bodies_are_read(gateway: Gateway, stack: Tenant) -> None:
    """A body in chunks arrives whole, and a client that waits for 100 Continue gets it."""
    trace = _trace()
    body = otlp.encode(trace.request, Protocol.HTTP_JSON)
    chunks = iter([body[:10], body[10:]])
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    with contextlib.closing(connection):
        connection.request("POST", "/otlp/v1/traces", chunks, _headers(stack), encode_chunked=True)
        assert connection.getresponse().read() == b'{"partialSuccess":{}}'
    assert gateway.wait_for_trace(trace.trace_id, 0) is not None
    head = f"POST /otlp/v1/traces HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization(stack)}\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as client:
        client.sendall(f"{head}Content-Type: {JSON}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"{}")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


# --- what a hostile client can do


def _raw(gateway: Gateway, data: bytes, timeout: float = 8.0) -> bytes:
    """Send bytes and return everything that comes back before the connection ends."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout) as client:
        with contextlib.suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while piece := client.recv(65_536):
                received += piece
        return received


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: 999999999\r\n", b"413"),
        ("Content-Length: -1\r\n", b"400"),
        ("Content-Length: 1_0\r\n", b"400"),
        ("Content-Length: 2\r\nContent-Length: 3\r\n", b"400"),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"400"),
        ("Transfer-Encoding: gzip\r\n", b"400"),
        ("X: y\r\n" * 200, b"431"),
        (f"X: {'y' * 100_000}\r\n", b"431"),
    ],
)
def test_a_head_that_lies_is_refused(gateway: Gateway, stack: Tenant, head: str, status: bytes) -> None:
    """Lengths that are too large, malformed or contradict each other, and floods of headers, end the connection."""
    start = f"POST /otlp/v1/traces HTTP/1.1\r\nAuthorization: {authorization(stack)}\r\nContent-Type: {JSON}\r\n"
    answer = _raw(gateway, f"{start}{head}\r\n{{}}".encode())
    assert answer.split(b" ", 2)[1] == status
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n", b"200"),
        (b"2;ext=1\r\n{}\r\n0\r\n\r\n", b"200"),
        (b"zz\r\n{}\r\n", b"400"),
        (b"-2\r\n{}\r\n", b"400"),
        (b"2\r\n{}xx\r\n0\r\n\r\n", b"400"),
        (b"0\r\n" + b"T: x\r\n" * 200 + b"\r\n", b"400"),
        (b"fffffff\r\n{}", b"413"),
        (b"f" * 2000, b"400"),
    ],
)
def test_chunks_are_read_to_the_letter(gateway: Gateway, stack: Tenant, chunks: bytes, status: bytes) -> None:
    """Broken, endless and oversized chunks are refused, with extensions and trailers in their place."""
    head = (
        f"POST /otlp/v1/traces HTTP/1.1\r\nAuthorization: {authorization(stack)}\r\nContent-Type: {JSON}\r\n"
        "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert _raw(gateway, head.encode() + chunks).split(b" ", 2)[1] == status


def test_a_body_over_the_limit_is_413_however_it_comes(gateway: Gateway, stack: Tenant) -> None:
    """Too many bytes, plain or grown from gzip, are refused, and the client that sends them all reads why."""
    bomb = gzip.compress(bytes(50_000_000))
    plain = send(gateway.port, headers=_headers(stack), body=b" " * 3_000_000)
    grown = send(gateway.port, headers=_headers(stack, Content_Encoding="gzip"), body=bomb)
    for reply in (plain, grown):
        assert reply.status == 413
        assert reply.document == {"code": 3, "message": "request body too large: the limit is 200000 bytes"}


def test_a_large_body_without_credential_is_a_401(gateway: Gateway) -> None:
    """The credential is judged before the size is."""
    assert send(gateway.port, headers={"Content-Type": JSON}, body=b" " * 3_000_000).status == 401


def test_a_slow_client_costs_the_time_out_and_no_more(stack: Tenant) -> None:
    """A client that drips a byte at a time is cut off at the deadline of the request, not of each byte."""
    with Gateway([stack], timeout=0.5) as gateway, socket.create_connection(("127.0.0.1", gateway.port), 5) as client:
        start = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - start < 5:
                client.sendall(b"P")
                client.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if not client.recv(100):
                        break
        assert time.monotonic() - start < 2
        assert send(gateway.port, headers=_headers(stack)).status == 200


def test_idle_connections_are_bounded_and_shut_nobody_out_for_long(stack: Tenant) -> None:
    """A hundred silent connections leave the gateway serving again after the time-out, and close with it."""
    with Gateway([stack], timeout=0.5) as gateway, contextlib.ExitStack() as idle:
        for _ in range(100):
            idle.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 5))
        time.sleep(0.8)
        assert send(gateway.port, headers=_headers(stack)).status == 200
        start = time.monotonic()
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"POST /otlp/v1/traces HTTP/9.9\r\n\r\n",
        b"POST /otlp/v1/traces HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /otlp/v1/traces HTTP/1.1\r\nAuthorization: Basic \xff\xfe\r\nContent-Type: \xff\r\n\r\n",
        b"POST /otlp/v1/traces HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        b"",
    ],
    ids=lambda data: repr(data)[:30],
)
def test_garbage_ends_without_a_crash(gateway: Gateway, stack: Tenant, data: bytes) -> None:
    """TLS, HTTP/2, broken requests and early ends get an error or nothing, never an echo, and others are served on."""
    answer = _raw(gateway, data)
    assert b"otlp/v1" not in answer
    assert b"HTTP/1.1 2" not in answer
    assert send(gateway.port, headers=_headers(stack)).status == 200


def test_it_prints_nothing(gateway: Gateway, stack: Tenant, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither requests nor broken connections leave a word on stdout or stderr."""
    send(gateway.port, headers=_headers(stack))
    _raw(gateway, b"garbage\r\n\r\n")
    assert capfd.readouterr() == ("", "")


# --- where it listens


def test_it_listens_on_loopback_only(stack: Tenant) -> None:
    """Any other address is refused before a port is opened; both families of loopback serve."""
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(ValueError, match="loopback only"):
            Gateway([stack], host=host)
    with Gateway([stack], host="::1") as gateway:
        assert gateway.url == f"http://[::1]:{gateway.port}/otlp"
        assert send(gateway.port, host="::1", headers=_headers(stack)).status == 200


def test_it_speaks_tls(stack: Tenant, tmp_path: Path) -> None:
    """With a certificate it serves HTTPS; a client that stalls or speaks plain HTTP disturbs no other."""
    authority = Authority.create(tmp_path)
    with Gateway([stack], tls=authority.issue("gateway").server_context(), timeout=2.0) as gateway:
        assert gateway.url.startswith("https://")
        with socket.create_connection(("127.0.0.1", gateway.port), 5):
            _raw(gateway, b"POST /otlp/v1/traces HTTP/1.1\r\n\r\n")
            request = urllib.request.Request(f"{gateway.url}/v1/traces", b"{}", _headers(stack))
            context = ssl.create_default_context(cafile=authority.file)
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                assert answer.read() == b'{"partialSuccess":{}}'
        refused = urllib.request.Request(f"{gateway.url}/v1/traces", b"{}", {"Content-Type": JSON})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(refused, timeout=5, context=context)
        with caught.value:
            assert caught.value.code == 401
    assert gateway.crashes == ()


def test_it_can_be_closed_while_clients_hold_on(stack: Tenant) -> None:
    """Leaving the context cuts open connections and frees the port at once."""
    with contextlib.ExitStack() as clients:
        with Gateway([stack], timeout=60) as gateway:
            held = clients.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 5))
            assert send(gateway.port, headers=_headers(stack)).status == 200
            start = time.monotonic()
        assert time.monotonic() - start < 1
        assert held.recv(10) == b""
        with Gateway([stack], port=gateway.port) as again:
            assert send(again.port, headers=_headers(stack)).status == 200


def test_what_is_kept_is_bounded(stack: Tenant) -> None:
    """The oldest requests go first, by number."""
    with Gateway([stack]) as gateway:
        replies: list[Reply] = []
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
        with contextlib.closing(connection):
            for index in range(1005):
                connection.request("POST", "/otlp/v1/traces", b"{}", _headers(stack, X_Number=str(index)))
                answer = connection.getresponse()
                replies.append(Reply(answer.status, {}, answer.read()))
        kept = gateway.received
    assert len(kept) == 1000
    assert kept[0].header("x-number") == "5"
