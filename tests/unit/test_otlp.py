"""The OTLP codec: what is sent, what is read, and what the bytes of an answer are."""

from __future__ import annotations

import base64
import contextlib
import gzip
import itertools
import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelctl import otlp
from otelctl.otlp import Answer, AnswerKind
from otelctl.settings import Protocol, Signal
from tests.support.gateway import transcripts

NOW = 1_795_207_628_000_000_000
HTTP = (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON)
JSON_TYPE = "application/json"
PROTOBUF_TYPE = "application/x-protobuf"


def _trace(parent: otlp.TraceParent | None = None) -> otlp.SyntheticTrace:
    return otlp.synthetic_trace(
        service="shop", attributes={"http.route": "/cart"}, now_ns=NOW, entropy=os.urandom, parent=parent
    )


# --- requests


def test_a_synthetic_trace_is_a_server_span_with_a_client_span_inside() -> None:
    """The child lies within its parent in time, belongs to it by id, and both say whose they are."""
    trace = _trace()
    (service, server), (_, client) = otlp.iter_spans(trace.request)
    assert service == "shop"
    assert (server.kind, client.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert server.trace_id == client.trace_id == bytes.fromhex(trace.trace_id)
    assert (server.span_id.hex(), client.span_id.hex()) == (trace.server_span_id, trace.client_span_id)
    assert not server.parent_span_id
    assert client.parent_span_id == server.span_id
    assert server.start_time_unix_nano < client.start_time_unix_nano < client.end_time_unix_nano
    assert client.end_time_unix_nano < server.end_time_unix_nano == NOW
    assert trace.traceparent == f"00-{trace.trace_id}-{trace.client_span_id}-01"
    assert [(item.key, item.value.string_value) for item in server.attributes] == [("http.route", "/cart")]
    resource = trace.request.resource_spans[0].resource.attributes
    assert {item.key: item.value.string_value for item in resource}["telemetry.sdk.name"] == "otelctl"


def test_a_synthetic_trace_goes_on_under_its_parent() -> None:
    """With a traceparent the server span has its trace id, and its span as a remote parent."""
    parent = otlp.TraceParent.parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
    trace = _trace(parent)
    server = next(span for _, span in otlp.iter_spans(trace.request))
    assert trace.trace_id == parent.trace_id
    assert server.parent_span_id.hex() == parent.span_id
    assert server.flags == 0x301
    assert trace.traceparent.endswith("-01")


def test_ids_are_never_zero_nor_equal() -> None:
    """A source of randomness that gives zeros and repeats itself is asked again."""
    draws = iter([bytes(16), b"t" * 16, bytes(8), b"s" * 8, b"s" * 8, b"c" * 8])

    def entropy(size: int) -> bytes:
        drawn = next(draws)
        assert len(drawn) == size
        return drawn

    trace = otlp.synthetic_trace(service="x", attributes={}, now_ns=NOW, entropy=entropy)
    assert bytes.fromhex(trace.trace_id) == b"t" * 16
    assert (bytes.fromhex(trace.server_span_id), bytes.fromhex(trace.client_span_id)) == (b"s" * 8, b"c" * 8)


def test_json_has_hex_ids_integer_enums_and_64_bits_as_strings() -> None:
    """The JSON is OTLP's and not protobuf's."""
    trace = _trace()
    document = json.loads(otlp.encode(trace.request, Protocol.HTTP_JSON))
    server = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert server["traceId"] == trace.trace_id
    assert server["kind"] == 2
    assert server["endTimeUnixNano"] == str(NOW)


@pytest.mark.parametrize("protocol", HTTP)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_encoded_decodes_to_the_same(protocol: Protocol, packed: bool) -> None:
    """A request survives both encodings, gzipped by us and opened by the standard library."""
    request = _trace().request
    body = otlp.encode(request, protocol, gzip=packed)
    assert otlp.encode(request, protocol, gzip=packed) == body
    plain = gzip.decompress(body) if packed else body
    assert otlp.decode_request(Signal.TRACES, otlp.content_type(protocol), plain) == request


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_UINT64 = st.integers(0, 2**64 - 1)
_VALUES: st.SearchStrategy[AnyValue] = st.recursive(
    st.one_of(
        st.builds(AnyValue, string_value=_TEXT),
        st.builds(AnyValue, bool_value=st.booleans()),
        st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
        st.builds(AnyValue, double_value=st.floats(allow_nan=False)),
        st.builds(AnyValue, bytes_value=st.binary(max_size=20)),
        st.just(AnyValue()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: AnyValue(array_value=ArrayValue(values=values))),
        st.lists(st.tuples(_TEXT, inner), max_size=3).map(
            lambda pairs: AnyValue(
                kvlist_value=KeyValueList(values=[KeyValue(key=key, value=value) for key, value in pairs])
            )
        ),
    ),
    max_leaves=8,
)


@st.composite
def _trace_requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        scope = request.resource_spans.add().scope_spans.add()
        for _ in range(draw(st.integers(0, 2))):
            span = scope.spans.add(
                trace_id=draw(st.binary(max_size=16)),
                span_id=draw(st.binary(max_size=8)),
                parent_span_id=draw(st.binary(max_size=8)),
                name=draw(_TEXT),
                kind=draw(st.sampled_from([0, 1, 2, 3, 4, 5, 77])),  # enums are open
                flags=draw(st.integers(0, 2**32 - 1)),
                start_time_unix_nano=draw(_UINT64),
                end_time_unix_nano=draw(_UINT64),
            )
            span.attributes.add(key=draw(_TEXT), value=draw(_VALUES))
            span.events.add(name=draw(_TEXT), time_unix_nano=draw(_UINT64))
            span.links.add(trace_id=draw(st.binary(min_size=16, max_size=16)), trace_state=draw(_TEXT))
    return request


@settings(max_examples=60, deadline=None)
@given(_trace_requests())
def test_any_trace_request_survives_both_encodings(request: ExportTraceServiceRequest) -> None:
    """Protobuf and JSON carry the same spans, whatever their ids, enums, numbers and nested values are."""
    for protocol in HTTP:
        body = otlp.encode(request, protocol)
        assert otlp.decode_request(Signal.TRACES, otlp.content_type(protocol), body) == request


@settings(max_examples=40, deadline=None)
@given(
    st.floats(allow_nan=False),
    st.integers(-(2**63), 2**63 - 1),
    st.lists(_UINT64, max_size=4),
    st.binary(max_size=16),
    _VALUES,
)
def test_metrics_and_logs_survive_both_encodings(
    number: float, integer: int, counts: list[int], trace_id: bytes, value: AnyValue
) -> None:
    """The other signals go the same way, exemplars' and records' ids in hex too."""
    metrics = ExportMetricsServiceRequest()
    made = metrics.resource_metrics.add().scope_metrics.add().metrics
    point = made.add(name="a").sum.data_points.add(as_int=integer)
    point.exemplars.add(trace_id=trace_id, as_double=number)
    made.add(name="b").gauge.data_points.add(as_double=number)
    made.add(name="c").histogram.data_points.add(bucket_counts=counts, sum=number, count=sum(counts) % 2**64)
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(body=value, trace_id=trace_id, severity_number=9)
    requests: list[tuple[Signal, Any]] = [(Signal.METRICS, metrics), (Signal.LOGS, logs)]
    for (signal, request), protocol in itertools.product(requests, HTTP):
        body = otlp.encode(request, protocol)
        assert otlp.decode_request(signal, otlp.content_type(protocol), body) == request
        assert otlp.trace_ids(request) == ({trace_id.hex()} if trace_id else set())


def test_json_ignores_what_it_does_not_know() -> None:
    """Unknown fields, snake_case spellings and nulls are ignored; ids in capitals and enum names are read."""
    body = json.dumps(
        {
            "future": {"traceId": 5},
            "resource_spans": "not a list",
            "resourceSpans": [
                {
                    "resource": None,
                    "scopeSpans": [{"spans": [{"traceId": "0A" * 16, "spanId": "0b" * 8, "kind": "SPAN_KIND_CLIENT"}]}],
                }
            ],
        }
    )
    request = otlp.decode_request(Signal.TRACES, "application/json; charset=utf-8", body.encode())
    ((_, span),) = otlp.iter_spans(request)
    assert (span.trace_id, span.span_id, span.kind) == (b"\x0a" * 16, b"\x0b" * 8, Span.SPAN_KIND_CLIENT)


def _attribute(value: bytes) -> bytes:
    return b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":' + value + b"}]}}]}"


@pytest.mark.parametrize(
    ("media_type", "body", "says"),
    [
        ("text/plain", b"{}", "unsupported content type text/plain"),
        ("", b"{}", "unsupported content type none"),
        (PROTOBUF_TYPE, b"garbage", "not a protobuf message of traces"),
        (JSON_TYPE, b"", "not JSON"),
        (JSON_TYPE, b"garbage", "not JSON"),
        (JSON_TYPE, b"\xff\xfe", "not JSON"),
        (JSON_TYPE, b'{"x": NaN}', "NaN is not JSON"),
        (JSON_TYPE, b"[" * 100_000, "nested too deep"),
        (JSON_TYPE, b'{"x":' + b"9" * 5000 + b"}", "not JSON"),
        (JSON_TYPE, b"[]", "not an object"),
        (JSON_TYPE, b'{"resourceSpans": 5}', "resourceSpans holds something else"),
        (JSON_TYPE, b'{"resourceSpans": {}}', "not a request of traces"),
        (JSON_TYPE, b'{"resourceSpans": [[{}]]}', "resourceSpans holds something else"),
        (JSON_TYPE, _attribute(b'{"intValue":"9223372036854775808"}'), "not a request of traces"),
        (JSON_TYPE, _attribute(b'{"intValue":1e400}'), "not a request of traces"),
        (JSON_TYPE, _attribute(b'{"boolValue":"yes"}'), "not a request of traces"),
        (JSON_TYPE, _attribute(b'{"intValue":1,"boolValue":true}'), "not a request of traces"),
        (JSON_TYPE, b'{"resourceSpans": ["x"]}', "resourceSpans holds something else"),
        (JSON_TYPE, b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}', "traceId is not hex"),
        (JSON_TYPE, b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01 02"}]}]}]}', "traceId is not hex"),
        (JSON_TYPE, b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\ud800"}]}]}]}', "not a request of traces"),
        (JSON_TYPE, b'{"resourceSpans":' * 300 + b"[]" + b"}" * 300, "resourceSpans|not a request"),
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(media_type: str, body: bytes, says: str) -> None:
    """Each kind of bad body raises DecodeError, and nothing else, with words for it."""
    with pytest.raises(otlp.DecodeError, match=says):
        otlp.decode_request(Signal.TRACES, media_type, body)


def test_values_nest_to_a_bound_only() -> None:
    """A list in a list, two hundred times over, is refused in JSON and in protobuf."""
    body = b""
    # AnyValue.array_value, ArrayValue.values, and so on outwards to ExportTraceServiceRequest.resource_spans.
    for tag in [0x0A, 0x2A] * 200 + [0x12, 0x0A, 0x0A, 0x0A]:
        size = len(body)
        body = bytes([tag, size] if size < 128 else [tag, size % 128 | 0x80, size // 128]) + body
    with pytest.raises(otlp.DecodeError):
        otlp.decode_request(Signal.TRACES, PROTOBUF_TYPE, body)
    nested: object = {"stringValue": "x"}
    for _ in range(200):
        nested = {"arrayValue": {"values": [nested]}}
    document = {"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": nested}]}}]}
    with pytest.raises(otlp.DecodeError, match="nests more"):
        otlp.decode_request(Signal.TRACES, JSON_TYPE, json.dumps(document).encode())


_KEYS = ("resourceSpans", "resource", "attributes", "key", "value", "scopeSpans", "spans", "traceId", "kind", "links",
    "stringValue", "intValue", "doubleValue", "arrayValue", "values", "startTimeUnixNano", "status", "flags", "code",
    "boolValue", "bytesValue")  # fmt: skip
_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.just("resourceSpans"), _JSON_VALUES))
def test_no_json_breaks_the_decoder(document: dict[str, Any]) -> None:
    """JSON of any shape is a request or a DecodeError."""
    with contextlib.suppress(otlp.DecodeError):
        request = otlp.decode_request(Signal.TRACES, JSON_TYPE, json.dumps(document).encode())
        assert otlp.decode_request(Signal.TRACES, JSON_TYPE, otlp.encode(request, Protocol.HTTP_JSON)) == request


def test_gunzip_opens_what_gzip_made_and_no_more() -> None:
    """Several members are one body; a bomb, a cut, a wrong checksum and many members are refused."""
    assert otlp.gunzip(gzip.compress(b"ab") + gzip.compress(b"cd"), 4) == b"abcd"
    with pytest.raises(otlp.TooLargeError):
        otlp.gunzip(gzip.compress(b"ab") + gzip.compress(b"cd"), 3)
    with pytest.raises(otlp.TooLargeError):
        otlp.gunzip(gzip.compress(bytes(10_000_000)), 1000)
    for bad in (b"", b"{}", b"plain text", gzip.compress(b"abc")[:-1], gzip.compress(b"abc")[:-8] + bytes(8)):
        with pytest.raises(otlp.DecodeError):
            otlp.gunzip(bad, 1000)
    with pytest.raises(otlp.DecodeError, match="members"):
        otlp.gunzip(gzip.compress(b"") * 10_000, 1000)


# --- traceparent


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.integers(0, 255))
def test_a_traceparent_is_read_back(trace_id: bytes, span_id: bytes, flags: int) -> None:
    """Whatever ids and flags it has, what is written is what is read, unless an id is all zeros."""
    made = otlp.TraceParent(trace_id.hex(), span_id.hex(), flags)
    if any(trace_id) and any(span_id):
        assert otlp.TraceParent.parse(str(made)) == made
        assert made.sampled is bool(flags % 2)


_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "text", [f" 00-{_TRACE}-{_SPAN}-01\t", f"cc-{_TRACE}-{_SPAN}-01-later", f"01-{_TRACE}-{_SPAN}-01"]
)
def test_a_traceparent_of_a_later_version_is_read_by_its_prefix(text: str) -> None:
    """W3C asks to read the parts that are known, and white space around a header's value says nothing."""
    assert otlp.TraceParent.parse(text) == otlp.TraceParent(_TRACE, _SPAN, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "reads 00-"),
        ("garbage", "reads 00-"),
        (f"ff-{_TRACE}-{_SPAN}-01", "version ff"),
        (f"00-{'0' * 32}-{_SPAN}-01", "trace ID .* not all zeros"),
        (f"00-{_TRACE}-{'0' * 16}-01", "parent ID .* not all zeros"),
        (f"00-{_TRACE.upper()}-{_SPAN}-01", "lower case"),
        (f"00-{_TRACE}-{_SPAN}-01-later", "nothing after"),
        (f"01-{_TRACE}-{_SPAN}-01later", "reads 00-"),
        (f"00-{_TRACE}-{_SPAN}", "reads 00-"),
        (f"00-{_TRACE}-{_SPAN}-01\n", "reads 00-"),
        (f"00-{_TRACE[:-1]}٣-{_SPAN}-01", "reads 00-"),
    ],
)
def test_a_wrong_traceparent_is_refused_in_a_sentence(text: str, says: str) -> None:
    """Each rule of the specification has its words."""
    with pytest.raises(ValueError, match=says):
        otlp.TraceParent.parse(text)


# --- answers


def _recorded(exchange: dict[str, Any]) -> Answer:
    head, _, _ = exchange["answer"]["head"].partition("\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    body = base64.b64decode(exchange["answer"]["body_base64"])
    if headers.get("transfer-encoding") == "chunked":
        size, _, rest = body.partition(b"\r\n")
        body = rest[: int(size, 16)]
    return otlp.read_answer(Signal.TRACES, headers.get("content-type", ""), body)


_RECORDED = {
    "empty JSON request": Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON),
    "empty protobuf request": Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF),
    "good credential": Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON),
    "gzip announced, plain sent": Answer(AnswerKind.STATUS, Protocol.HTTP_JSON, code=3, message="unexpected EOF"),
    "JSON sent as protobuf": Answer(AnswerKind.STATUS, Protocol.HTTP_PROTOBUF, code=3, message="unexpected EOF"),
    "protobuf garbage": Answer(AnswerKind.STATUS, Protocol.HTTP_PROTOBUF, code=3, message="proto: illegal wireType 7"),
    "GET": Answer(AnswerKind.TEXT, message="405 method not allowed, supported: [POST]"),
    "no credential": Answer(AnswerKind.HTML, message="401 Authorization Required"),
    "HTML page with 200": Answer(AnswerKind.HTML, message="Grafana"),
    "plain HTTP spoken to a TLS port": Answer(
        AnswerKind.HTML, message="400 The plain HTTP request was sent to HTTPS port"
    ),
    "trace missing": Answer(AnswerKind.EMPTY),
}
_RECORDED_KINDS = {
    **{note: answer.kind for note, answer in _RECORDED.items()},
    **dict.fromkeys(
        [
            "JSON garbage",
            "empty body sent as JSON",
            "unknown content encoding",
            "trace id of 8 bytes",
            "span id of zeros",
        ],
        AnswerKind.STATUS,
    ),
    **dict.fromkeys(
        [
            "no content type",
            "wrong content type",
            "root",
            "metrics sent to a traces-only receiver",
            "logs sent to a traces-only receiver",
            "bad trace id",
            "echo",
            "ready",
            "TraceQL: unscoped service.name is a parse error",
            "TraceQL: select takes attributes, not a comparison",
            "not a metrics query",
            "path doubled",
        ],
        AnswerKind.TEXT,
    ),
    **dict.fromkeys(
        ["credential reversed", "/otlp missing", "redirect", "429 from a proxy", "body over client_max_body_size"],
        AnswerKind.HTML,
    ),
    **dict.fromkeys(
        [
            "trace found",
            "trace found, v2",
            "trace missing, v2: 200 with an empty trace",
            "buildinfo",
            "search by service",
            "TraceQL metrics query on the search path",
            "TraceQL metrics",
        ],
        AnswerKind.JSON_OTHER,
    ),
}


@pytest.mark.parametrize(
    "exchange",
    [exchange for exchange in transcripts() if exchange["answer"]["head"]],
    ids=lambda exchange: exchange["note"],
)
def test_every_recorded_answer_is_read_for_what_it_is(exchange: dict[str, Any]) -> None:
    """Tempo's and nginx's own bytes: OTLP is told from pages, text and other JSON."""
    answer = _recorded(exchange)
    assert answer.kind is _RECORDED_KINDS[exchange["note"]]
    if exchange["note"] in _RECORDED:
        assert answer == _RECORDED[exchange["note"]]


def test_http2_bytes_are_unreadable() -> None:
    """A gRPC port's SETTINGS frame is neither OTLP nor text, whatever type one takes it for."""
    (frame,) = [base64.b64decode(raw) for item in transcripts() if (raw := item["answer"]["raw_base64"])]
    for media_type in ("", PROTOBUF_TYPE, JSON_TYPE):
        assert otlp.read_answer(Signal.TRACES, media_type, frame).kind is AnswerKind.UNREADABLE


def _status(code: int, message: str) -> bytes:
    return otlp.encode_status(Protocol.HTTP_PROTOBUF, code, message)


@pytest.mark.parametrize(
    ("media_type", "body", "answer"),
    [
        # success
        (PROTOBUF_TYPE, b"", Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF)),
        ("application/protobuf", b"\x0a\x00", Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF)),
        ("", b"\x0a\x00", Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF)),
        (PROTOBUF_TYPE, b"\x0a\x02\x08\x00", Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF)),
        ("application/json; charset=utf-8", b"{}", Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON)),
        (JSON_TYPE, b'{"partialSuccess":{}}\n', Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON)),
        (JSON_TYPE, b'{"partialSuccess":null}', Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON)),
        (JSON_TYPE, b'{"partial_success":{"rejected_spans":"0"}}', Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON)),
        (PROTOBUF_TYPE, b'{"partialSuccess":{}}', Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON)),
        # empty, where that promises nothing
        ("", b"", Answer(AnswerKind.EMPTY)),
        (JSON_TYPE, b"", Answer(AnswerKind.EMPTY)),
        ("text/html", b"", Answer(AnswerKind.EMPTY)),
        (PROTOBUF_TYPE, b"\n", Answer(AnswerKind.EMPTY)),
        # errors
        (PROTOBUF_TYPE, _status(3, "no"), Answer(AnswerKind.STATUS, Protocol.HTTP_PROTOBUF, code=3, message="no")),
        (
            "application/octet-stream",
            _status(0, "as Loki"),
            Answer(AnswerKind.STATUS, Protocol.HTTP_PROTOBUF, message="as Loki"),
        ),
        (PROTOBUF_TYPE, _status(401, "x"), Answer(AnswerKind.STATUS, Protocol.HTTP_PROTOBUF, code=401, message="x")),
        (
            JSON_TYPE,
            b'{"code":16,"message":"a\\u0000\\u202eb\\n c"}',
            Answer(AnswerKind.STATUS, Protocol.HTTP_JSON, code=16, message="ab c"),
        ),
        # other people's JSON
        ("text/html", b"{}", Answer(AnswerKind.JSON_OTHER)),
        (JSON_TYPE, b"[]", Answer(AnswerKind.JSON_OTHER)),
        (JSON_TYPE, b'"ok"', Answer(AnswerKind.JSON_OTHER, message="ok")),
        (JSON_TYPE, b'{"partialSuccess":"yes"}', Answer(AnswerKind.JSON_OTHER)),
        (JSON_TYPE, b'{"partialSuccess":{"rejectedSpans":"many"}}', Answer(AnswerKind.JSON_OTHER)),
        (JSON_TYPE, b'{"code":404,"message":"no route"}', Answer(AnswerKind.JSON_OTHER, message="no route")),
        (JSON_TYPE, b'{"message":"Forbidden"}', Answer(AnswerKind.JSON_OTHER, message="Forbidden")),
        (JSON_TYPE, b'{"code":3,"message":"x","extra":1}', Answer(AnswerKind.JSON_OTHER, message="x")),
        (JSON_TYPE, b'{"error":{"message":"deep"}}', Answer(AnswerKind.JSON_OTHER, message="deep")),
        (
            JSON_TYPE,
            b'{"status":"error","error":"authentication error: invalid token"}',
            Answer(AnswerKind.JSON_OTHER, message="authentication error: invalid token"),
        ),
        # pages
        ("", b"<!-- a --><!DOCTYPE html><title>Sign&nbsp;in</title>", Answer(AnswerKind.HTML, message="Sign in")),
        (JSON_TYPE, b"\n<html><body>Hello <b>you</b>", Answer(AnswerKind.HTML, message="Hello you")),
        ("text/html", b"error code: 1016", Answer(AnswerKind.HTML, message="error code: 1016")),
        # text
        ("text/plain", b"error code: 1016", Answer(AnswerKind.TEXT, message="error code: 1016")),
        (PROTOBUF_TYPE, b"upstream failed", Answer(AnswerKind.TEXT, message="upstream failed")),
        (JSON_TYPE, b"{broken", Answer(AnswerKind.TEXT, message="{broken")),
        (
            "application/xml",
            b"<Error><Code>x</Code></Error>",
            Answer(AnswerKind.TEXT, message="<Error><Code>x</Code></Error>"),
        ),
        ("text/plain", b"\xff\x1b[31mred", Answer(AnswerKind.TEXT, message="\ufffd[31mred")),
        # protobuf that is not OTLP's
        (PROTOBUF_TYPE, b"\x12\x00\x1a\x00\x22\x00", Answer(AnswerKind.UNREADABLE)),
        (PROTOBUF_TYPE, b"\x0a\x03\x1a\x01\x01", Answer(AnswerKind.UNREADABLE)),
        (PROTOBUF_TYPE, b"\x08\x64", Answer(AnswerKind.UNREADABLE)),
        (JSON_TYPE, b"\x0a\x00", Answer(AnswerKind.UNREADABLE)),
        ("application/grpc", b"\x00\x00\x00\x00\x00", Answer(AnswerKind.UNREADABLE)),
    ],
)
def test_bytes_and_type_together_say_what_an_answer_is(media_type: str, body: bytes, answer: Answer) -> None:
    """Neither the type alone nor the bytes alone decide."""
    assert otlp.read_answer(Signal.TRACES, media_type, body) == answer


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("protocol", HTTP)
@pytest.mark.parametrize(("rejected", "message"), [(0, ""), (3, "too old"), (0, "deprecated"), (2**62, "all")])
def test_partial_success_is_read_for_each_signal(
    signal: Signal, protocol: Protocol, rejected: int, message: str
) -> None:
    """What a server rejects arrives in number and words; 0 rejected with a message is partial too."""
    body = otlp.encode_response(signal, protocol, rejected=rejected, message=message)
    kind = AnswerKind.PARTIAL if rejected or message else AnswerKind.SUCCESS
    answer = otlp.read_answer(signal, otlp.content_type(protocol), body)
    assert answer == Answer(kind, protocol, rejected=rejected, message=message)


@pytest.mark.parametrize("length", range(200))
def test_a_protobuf_answer_of_any_length_is_no_json(length: int) -> None:
    """A response of 91 or 123 bytes begins with a line break and a bracket, and is a response all the same."""
    body = otlp.encode_response(Signal.TRACES, Protocol.HTTP_PROTOBUF, rejected=1, message="m" * length)
    answer = otlp.read_answer(Signal.TRACES, PROTOBUF_TYPE, body)
    assert answer == Answer(AnswerKind.PARTIAL, Protocol.HTTP_PROTOBUF, rejected=1, message="m" * length)


def test_a_truncated_answer_is_never_otlp() -> None:
    """What was cut could have meant anything, nothing kept of it included."""
    assert otlp.read_answer(Signal.TRACES, PROTOBUF_TYPE, b"\x0a\x00", truncated=True).kind is AnswerKind.UNREADABLE
    assert otlp.read_answer(Signal.TRACES, PROTOBUF_TYPE, b"", truncated=True).kind is AnswerKind.UNREADABLE
    assert otlp.read_answer(Signal.TRACES, JSON_TYPE, b"{}", truncated=True).kind is AnswerKind.TEXT
    page = b"<html><title>T</title>" + "é".encode() * 100_000
    assert otlp.read_answer(Signal.TRACES, "", page, truncated=True) == Answer(AnswerKind.HTML, message="T")


def test_a_servers_text_is_bounded() -> None:
    """A message of a megabyte becomes one line of 500 characters."""
    body = otlp.encode_status(Protocol.HTTP_JSON, 3, "word\n" * 200_000)
    message = otlp.read_answer(Signal.TRACES, JSON_TYPE, body).message
    assert len(message) == 500
    assert message.endswith("…")
    assert "\n" not in message


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["", PROTOBUF_TYPE, JSON_TYPE, "text/html", "text/plain", "application/octet-stream"]),
    st.binary(max_size=60),
    st.booleans(),
)
def test_no_bytes_break_the_reader(media_type: str, body: bytes, truncated: bool) -> None:
    """Any bytes get a kind, and a message that is one clean line."""
    answer = otlp.read_answer(Signal.TRACES, media_type, body, truncated=truncated)
    assert answer.message.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        b"<!-->" * 800_000,
        b"<title" * 700_000,
        b"<" * 4_000_000,
        b"<html>" + b"<" * 4_000_000,
        b"<!doctype" + b" " * 4_000_000,
        b"[" * 4_000_000,
        b"{" * 4_000_000,
        b" " * 4_000_000,
        b"\x0a" * 4_000_000,
    ],
    ids=lambda body: body[:10].decode(),
)
def test_four_hostile_megabytes_cost_little_time(body: bytes) -> None:
    """The largest body that is kept is read in well under a second, whatever it is made of."""
    start = time.perf_counter()
    for media_type in ("text/html", PROTOBUF_TYPE, ""):
        otlp.read_answer(Signal.TRACES, media_type, body)
    assert time.perf_counter() - start < 1.0


def test_importing_the_codec_imports_no_protobuf() -> None:
    """Commands that send nothing do not wait for the library."""
    script = "import sys, otelctl.otlp; print([name for name in sys.modules if name.startswith(('google', 'opentel'))])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
