"""OTLP over gRPC: what a call is named, and what its status says in the terms of OTLP/HTTP.

Sources: opentelemetry-proto docs/specification.md, "OTLP/gRPC Response" (what may be tried again, RetryInfo);
google/rpc/error_details.proto; for the statuses the Collector's own translation between its two receivers
(receiver/otlpreceiver/internal/errors/errors.go).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otelctl.facts.wire import HttpAnswer, RpcAnswer
from otelctl.otlp.answers import Answer, AnswerKind, read_answer
from otelctl.otlp.messages import NAMES, line, status_type
from otelctl.settings import Protocol, Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

_OK, _EXHAUSTED = 0, 8
# CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS: all that OTLP lets a client try again.
_RETRYABLE = (1, 4, 10, 11, 14, 15)
_STATUSES = {_OK: 200, 3: 400, 7: 403, _EXHAUSTED: 429, 12: 404, 16: 401} | dict.fromkeys(_RETRYABLE, 503)
_MOST_DETAILS = 16
_LONGEST_WAIT = 366 * 24 * 3600


def service(signal: Signal) -> str:
    """Return the full name of the gRPC service that takes a signal."""
    names = NAMES[signal]
    return f"opentelemetry.proto.collector.{names.package}.v1.{names.service}Service"


def method(signal: Signal) -> str:
    """Return the path of a signal's call, as gRPC puts it into `:path`."""
    return f"/{service(signal)}/Export"


@dataclass(frozen=True, slots=True)
class Details:
    """What a google.rpc.Status says besides its code and message.

    `retry_after` is in seconds, None where no RetryInfo came; `reasons` are violations of quotas or fields.
    """

    retry_after: int | None = None
    reasons: tuple[str, ...] = ()


def read_details(data: bytes) -> Details:
    """Read grpc-status-details-bin; bytes that are none give nothing."""
    from google.protobuf.message import DecodeError as ProtobufError  # noqa: PLC0415

    status: Any = status_type()()
    retry_after: int | None = None
    reasons: list[str] = []
    try:
        status.ParseFromString(data)
        for detail in status.details[:_MOST_DETAILS]:
            kind = detail.type_url.rpartition("/")[2]
            if kind == "google.rpc.RetryInfo":
                delay: Any = _detail_types()["RetryInfo"]()
                delay.ParseFromString(detail.value)
                seconds = delay.retry_delay.seconds + delay.retry_delay.nanos / 1e9
                retry_after = max(0, min(math.ceil(seconds), _LONGEST_WAIT))
            elif kind in ("google.rpc.QuotaFailure", "google.rpc.BadRequest"):
                failure: Any = _detail_types()["Failure"]()
                failure.ParseFromString(detail.value)
                reasons += [": ".join(filter(None, (one.subject, one.description))) for one in failure.violations[:4]]
    except ProtobufError:
        pass  # what was read up to there is as good as anything
    return Details(retry_after, tuple(line(reason) for reason in reasons[:_MOST_DETAILS] if reason))


@functools.cache
def _detail_types() -> dict[str, type[Message]]:
    """Return the details that are read, built here as google.rpc.Status is.

    QuotaFailure and BadRequest have the same form on the wire: repeated pairs of what it is about and why.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="otelctl/details.proto", package="otelctl.details", syntax="proto3")

    def message(name: str, **fields: tuple[int, int]) -> None:
        made = file.message_type.add(name=name)
        for each, (number, kind) in fields.items():
            made.field.add(name=each, number=number, type=kind, label=field.LABEL_OPTIONAL)

    def nested(name: str, each: str, kind: str, label: Any) -> None:
        file.message_type.add(name=name).field.add(
            name=each, number=1, type=field.TYPE_MESSAGE, label=label, type_name=f".otelctl.details.{kind}"
        )

    message("Duration", seconds=(1, field.TYPE_INT64), nanos=(2, field.TYPE_INT32))
    nested("RetryInfo", "retry_delay", "Duration", field.LABEL_OPTIONAL)
    message("Violation", subject=(1, field.TYPE_STRING), description=(2, field.TYPE_STRING))
    nested("Failure", "violations", "Violation", field.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"otelctl.details.{name}"))
        for name in ("RetryInfo", "Failure")
    }


def as_http(answer: RpcAnswer) -> HttpAnswer:
    """Return the answer that OTLP/HTTP would have given; its `shown` is the status as gRPC names it.

    RetryInfo becomes Retry-After. A server that answered by plain HTTP/2 keeps the status that it gave.
    """
    if answer.http_status is not None:
        status, reason = answer.http_status, f"HTTP {answer.http_status}"
    else:
        status, reason = _STATUSES.get(answer.code, 500), answer.name
        if answer.code == _EXHAUSTED and "larger than max" in answer.text:
            status = 413  # how gRPC servers refuse a message over their limit
    headers = list(answer.metadata)
    wait = read_details(answer.details).retry_after if answer.details else None
    if wait is not None:
        headers.insert(0, ("retry-after", str(wait)))
    body = answer.message if answer.code == _OK else answer.text.encode("utf-8", "replace")
    return HttpAnswer(status, reason, "gRPC", tuple(headers), body, answer.seconds, answer.truncated)


def read_rpc(signal: Signal, answer: RpcAnswer) -> Answer:
    """Say what a call brought, as read_answer does for HTTP."""
    if answer.http_status is not None:
        return Answer(AnswerKind.EMPTY)
    if answer.code == _OK:
        return read_answer(signal, "application/x-protobuf", answer.message, truncated=answer.truncated)
    reasons = read_details(answer.details).reasons if answer.details else ()
    return Answer(
        AnswerKind.STATUS,
        Protocol.GRPC,
        code=answer.code,
        message=line("; ".join(filter(None, (answer.text, *reasons)))),
    )
