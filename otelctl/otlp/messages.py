"""Requests and responses of OTLP/HTTP: messages to bytes and back.

Source: opentelemetry-proto, docs/specification.md (1.11), "Binary Protobuf Encoding" and "JSON Protobuf Encoding".
protobuf is imported inside functions only, so that importing this module costs nothing.
"""

from __future__ import annotations

import base64
import binascii
import functools
import importlib
import json
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otelctl.settings import Protocol, Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

JSON_DEPTH = 100
"""How many messages may nest in a request in JSON: as many as protobuf's own decoders allow."""

# A gzip file may be several in a row; no encoder of telemetry makes many, and each costs a copy of the rest.
_GZIP_MEMBERS = 16
_GZIP_HEADER = 10  # RFC 1952, section 2.3
_TEXT_LIMIT = 500
_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"


class DecodeError(ValueError):
    """Bytes that are not what they should be; says why in a sentence."""


class TooLargeError(DecodeError):
    """Bytes that grow beyond the limit when decompressed."""


@dataclass(frozen=True, slots=True)
class Names:
    """How one signal is spelled in opentelemetry-proto: its package, its service, and what a server may reject."""

    package: str
    service: str
    rejected: str
    rejected_json: str


NAMES = {
    Signal.TRACES: Names("trace", "Trace", "rejected_spans", "rejectedSpans"),
    Signal.METRICS: Names("metrics", "Metrics", "rejected_data_points", "rejectedDataPoints"),
    Signal.LOGS: Names("logs", "Logs", "rejected_log_records", "rejectedLogRecords"),
}


def message_type(signal: Signal, side: str) -> type[Message]:
    """Return the class of a signal's message; `side` is Request or Response."""
    names = NAMES[signal]
    module = importlib.import_module(f"opentelemetry.proto.collector.{names.package}.v1.{names.package}_service_pb2")
    found: type[Message] = getattr(module, f"Export{names.service}Service{side}")
    return found


@functools.cache
def status_type() -> type[Message]:
    """Return google.rpc.Status, built from its three fields: a package for one message would be a dependency more."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="otelctl/status.proto", package="otelctl", syntax="proto3")
    detail = file.message_type.add(name="Detail")  # google.protobuf.Any, as it is on the wire
    detail.field.add(name="type_url", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    detail.field.add(name="value", number=2, type=field.TYPE_BYTES, label=field.LABEL_OPTIONAL)
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    status.field.add(
        name="details", number=3, type=field.TYPE_MESSAGE, label=field.LABEL_REPEATED, type_name=".otelctl.Detail"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("otelctl.Status"))


def content_type(protocol: Protocol) -> str:
    """Return the Content-Type of a request; gRPC's is application/grpc+proto."""
    return {
        Protocol.HTTP_PROTOBUF: _PROTOBUF,
        Protocol.HTTP_JSON: _JSON,
        Protocol.GRPC: "application/grpc+proto",
    }[protocol]


def protocol_of(media_type: str) -> Protocol | None:
    """Return the OTLP/HTTP protocol that a Content-Type header names, with or without parameters."""
    return {_PROTOBUF: Protocol.HTTP_PROTOBUF, _JSON: Protocol.HTTP_JSON}.get(bare(media_type))


def empty_request(protocol: Protocol) -> bytes:
    """Return a request without telemetry, the same for every signal: it should succeed, and leaves nothing behind."""
    return b"{}" if protocol is Protocol.HTTP_JSON else b""


def encode(message: Message, protocol: Protocol, *, gzip: bool = False) -> bytes:
    """Return the body that carries a request or a response, for gRPC without its five-byte frame.

    OTLP's JSON differs from protobuf's: ids are hex, enums integers (specification.md, JSON Protobuf Encoding).
    """
    if protocol is Protocol.HTTP_JSON:
        from google.protobuf import json_format  # noqa: PLC0415

        document = _ids_to_hex(json_format.MessageToDict(message, use_integers_for_enums=True))
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    else:
        body = message.SerializeToString()
    if not gzip:
        return body
    # wbits 31 is the gzip container; its header holds no time, so equal input gives equal bytes.
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body) + packer.flush()


def gunzip(data: bytes, limit: int) -> bytes:
    """Return what gzip holds, up to `limit` bytes.

    Raises TooLargeError beyond the limit, DecodeError for bytes that are not gzip or stop early.
    """
    pieces: list[bytes] = []
    size = 0
    while data or not pieces:
        if len(pieces) == _GZIP_MEMBERS:
            raise DecodeError(f"gzip: more than {_GZIP_MEMBERS} members")
        if len(data) < _GZIP_HEADER:
            raise DecodeError("unexpected EOF")
        unpacker = zlib.decompressobj(wbits=31)
        try:
            piece = unpacker.decompress(data, limit - size + 1)
        except zlib.error as error:
            raise DecodeError("gzip: invalid header or checksum") from error
        size += len(piece)
        if size > limit:
            raise TooLargeError(f"the body holds more than {limit} bytes when decompressed")
        if not unpacker.eof:
            raise DecodeError("unexpected EOF")
        pieces.append(piece)
        data = unpacker.unused_data
    return b"".join(pieces)


def decode_request(signal: Signal, media_type: str, body: bytes) -> Message:
    """Return the request that a body holds, read as its Content-Type says.

    JSON: ids in hex of any case, unknown fields and snake_case spellings ignored, as the specification asks.
    Ids are returned at whatever length they have. Raises DecodeError.
    """
    message = message_type(signal, "Request")()
    protocol = protocol_of(media_type)
    if protocol is None:
        raise DecodeError(f"unsupported content type {line(media_type) or 'none'}")
    from google.protobuf import json_format  # noqa: PLC0415
    from google.protobuf.message import DecodeError as ProtobufError  # noqa: PLC0415

    if protocol is Protocol.HTTP_PROTOBUF:
        try:
            message.ParseFromString(body)
        except ProtobufError as error:
            raise DecodeError(f"the body is not a protobuf message of {signal}") from error
        return message
    try:
        document = load_json(body)
    except ValueError as error:
        raise DecodeError(f"the body is not JSON: {line(str(error))}") from error
    if not isinstance(document, dict):
        raise DecodeError("the body is JSON, but not an object")
    try:
        json_format.ParseDict(_as_protobuf_json(document, message.DESCRIPTOR, 0), message, ignore_unknown_fields=True)
    except (json_format.ParseError, TypeError, AttributeError, RecursionError) as error:
        raise DecodeError(f"the JSON is not a request of {signal}: {line(str(error))}") from error
    return message


def load_json(body: bytes) -> Any:
    """Return the JSON in UTF-8 bytes; raises ValueError for anything else, NaN and endless nesting included."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


_HEX_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def _ids_to_hex(value: Any) -> Any:
    """Return protobuf's JSON with ids as hex. OTLP has no maps, so these keys are always the fields."""
    if isinstance(value, list):
        return [_ids_to_hex(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: base64.b64decode(item).hex() if key in _HEX_IDS else _ids_to_hex(item) for key, item in value.items()}


def _as_protobuf_json(document: dict[str, Any], descriptor: Any, depth: int) -> dict[str, Any]:
    """Return OTLP's JSON as protobuf's, guided by the message's descriptor: known camelCase keys, ids in base64."""
    if depth > JSON_DEPTH:
        raise DecodeError(f"the JSON nests more than {JSON_DEPTH} messages")

    def message(field: Any, item: Any) -> Any:
        if not isinstance(item, dict):
            raise DecodeError(f"{field.camelcase_name} holds something else than objects")
        return _as_protobuf_json(item, field.message_type, depth + 1)

    known: dict[str, Any] = {}
    for key, item in document.items():
        field = descriptor.fields_by_camelcase_name.get(key)
        # The look-up finds snake_case as well, which OTLP does not.
        if field is None or field.camelcase_name != key or item is None:
            continue
        if key in _HEX_IDS and isinstance(item, str):
            try:
                known[key] = base64.b64encode(binascii.unhexlify(item)).decode()
            except ValueError as error:
                raise DecodeError(f"{key} is not hex: {line(item)}") from error
        elif field.message_type is None:
            known[key] = item
        elif isinstance(item, list):
            known[key] = [message(field, one) for one in item]
        else:
            known[key] = message(field, item)
    return known


def iter_spans(request: Message) -> Iterator[tuple[str, Span]]:
    """Yield the spans of a trace request, each with the service.name of its resource ("" where it has none)."""
    for part in getattr(request, "resource_spans", ()):
        names = [item.value.string_value for item in part.resource.attributes if item.key == "service.name"]
        for scope in part.scope_spans:
            for span in scope.spans:
                yield (names[0] if names else ""), span


def trace_ids(request: Message) -> frozenset[str]:
    """Return the trace ids, in hex, that a request of any signal names in spans, log records or exemplars."""
    found = {span.trace_id for _, span in iter_spans(request)}
    for part in getattr(request, "resource_logs", ()):
        found |= {record.trace_id for scope in part.scope_logs for record in scope.log_records}
    for part in getattr(request, "resource_metrics", ()):
        for metric in (metric for scope in part.scope_metrics for metric in scope.metrics):
            points = getattr(getattr(metric, metric.WhichOneof("data") or "", None), "data_points", ())
            found |= {exemplar.trace_id for point in points for exemplar in getattr(point, "exemplars", ())}
    return frozenset(trace_id.hex() for trace_id in found if trace_id)


def encode_response(signal: Signal, protocol: Protocol, *, rejected: int = 0, message: str = "") -> bytes:
    """Return the body of a 200 as the Collector writes it: partial success is always there, empty when all is well."""
    response: Any = message_type(signal, "Response")()
    response.partial_success.SetInParent()
    setattr(response.partial_success, NAMES[signal].rejected, rejected)
    response.partial_success.error_message = message
    return encode(response, protocol)


def encode_status(protocol: Protocol, code: int, message: str) -> bytes:
    """Return the body of a 4xx or 5xx: a google.rpc.Status in the request's encoding."""
    if protocol is Protocol.HTTP_JSON:
        return json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
    return status_type()(code=code, message=message).SerializeToString()


def bare(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def line(text: str) -> str:
    """Return a server's text on one line of at most 500 characters, without control and formatting characters."""
    kept = " ".join(text[: 4 * _TEXT_LIMIT].split())
    kept = "".join(char for char in kept if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return kept if len(kept) <= _TEXT_LIMIT else kept[: _TEXT_LIMIT - 1] + "…"
