"""Reading a trace back: the query APIs of Tempo and Jaeger, and what their answers hold. Pure.

Sources: Tempo's HTTP API (`/api/traces/{id}`, `/api/v2/traces/{id}`, `/api/echo`; tempopb.TraceByIDResponse), Jaeger's
api_v3 HTTP gateway (`/api/v3/traces/{id}`, `/api/v3/services`), and recorded answers of both.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from otelctl import otlp
from otelctl.facts.wire import HttpAnswer
from otelctl.settings import Protocol, Signal

LARGEST = 16 * 1024 * 1024
"""How many bytes of a trace are read. Tempo's own limit of a trace is 5 MB by default."""


class Backend(enum.StrEnum):
    """What answers queries for traces."""

    TEMPO = "Tempo"
    JAEGER = "Jaeger"


def trace_id(text: str) -> str:
    """Return a trace ID as 32 hex digits in lower case; leading zeros, which Tempo leaves out, are put back.

    Raises ValueError with a sentence that says what is wrong.
    """
    digits = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        raise ValueError("a trace ID is up to 32 hex digits")
    if not digits.strip("0"):
        raise ValueError("a trace ID is not all zeros")
    return digits.zfill(32)


def trace_paths(backend: Backend, base: str, wanted: str) -> tuple[str, ...]:
    """Return the paths at which a trace is asked for, the better API first, below the path of the base URL.

    Tempo's second version tells a partial answer from a whole one; the first is all that Tempo before 2.6 has.
    """
    base = base.rstrip("/")
    if backend is Backend.JAEGER:
        return (f"{base}/api/v3/traces/{wanted}",)
    return (f"{base}/api/v2/traces/{wanted}", f"{base}/api/traces/{wanted}")


def probe_path(backend: Backend, base: str) -> str:
    """Return a path that shows whether the backend's query API is below a path; nothing is looked up there."""
    return base.rstrip("/") + {Backend.TEMPO: "/api/echo", Backend.JAEGER: "/api/v3/services"}[backend]


def is_api(backend: Backend, answer: HttpAnswer) -> bool:
    """Tell whether the answer to a probe is the backend's: `echo` of Tempo, an object with services of Jaeger."""
    if answer.status != 200:
        return False
    if backend is Backend.TEMPO:
        return answer.body.strip() == b"echo"
    document = _object(answer.body)
    return document is not None and "services" in document


def bases_worth_trying(backend: Backend, path: str) -> tuple[tuple[Backend, str], ...]:
    """Return where else on the same host a query API may be, given the path where it is not, the likeliest first."""
    path = path.rstrip("/")
    cut = re.sub(r"/api(?:/.*)?$", "", path)
    own = {Backend.TEMPO: "/tempo", Backend.JAEGER: "/jaeger"}
    other = Backend.JAEGER if backend is Backend.TEMPO else Backend.TEMPO
    found = [
        (backend, cut),
        (backend, cut + own[backend]),
        (backend, cut.removesuffix(own[backend])),
        (other, cut),
        (other, cut + own[other]),
        (backend, ""),
    ]
    return tuple(dict.fromkeys(one for one in found if one != (backend, path)))


class Found(enum.StrEnum):
    """What an answer to a query for a trace says of it.

    ABSENT is a backend's own word for not having it. SILENT is a 404 or an object without a trace, which a backend
    gives as well as a server that has no such path: only another question settles it. OTHER is anything else.
    """

    TRACE = "trace"
    ABSENT = "absent"
    SILENT = "silent"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Span:
    """One span as a backend returned it: ids in hex, times in nanoseconds since the epoch."""

    span_id: str
    parent_id: str
    name: str
    service: str
    start_ns: int
    end_ns: int
    error: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from an answer.

    `document` is the trace as OTLP JSON, `spans` are those in it. `partial` says that the backend itself marked the
    answer as a part; `text` is what it said, on one line, bounded.
    """

    found: Found
    document: Mapping[str, Any] | None = None
    spans: tuple[Span, ...] = ()
    partial: bool = False
    text: str = ""

    @property
    def span_ids(self) -> frozenset[str]:
        """The ids of the spans."""
        return frozenset(span.span_id for span in self.spans)

    @property
    def parents_missing(self) -> tuple[str, ...]:
        """The parents that spans name and that are not there, each once, in the order of the spans."""
        here = self.span_ids
        return tuple(dict.fromkeys(one.parent_id for one in self.spans if one.parent_id and one.parent_id not in here))

    @property
    def rooted(self) -> bool:
        """Whether a span without a parent is there."""
        return any(not span.parent_id for span in self.spans)


def read(backend: Backend, wanted: str, answer: HttpAnswer) -> Reading:
    """Read an answer to a query for a trace, whatever version of the API gave it. `wanted` is as from `trace_id`."""
    text = _text(answer)
    if answer.status == 404:
        return Reading(Found.ABSENT if _says_absent(backend, answer) else Found.SILENT, text=text)
    document = None if answer.truncated else _object(answer.body)
    if answer.status not in (200, 206) or document is None:
        return Reading(Found.OTHER, text=text)
    if document.keys() <= _AROUND:
        return Reading(Found.SILENT, text=text)
    holder = _holder(document)
    if holder is None:
        return Reading(Found.OTHER, text=text)
    partial = str(document.get("status", "")).upper() in ("PARTIAL", "1")
    message = document.get("message")
    said = _line(message) if isinstance(message, str) else ""
    try:
        canonical, found = _canonical(holder, wanted)
    except ValueError as error:
        return Reading(Found.OTHER, text=_line(str(error)))
    if found:
        return Reading(Found.TRACE, canonical, found, partial=partial, text=said)
    if _holds_spans(holder):
        return Reading(Found.OTHER, text="the spans in it belong to another trace")
    # A trace that is too large to be returned at all is there nevertheless.
    return Reading(Found.TRACE if partial else Found.ABSENT, canonical if partial else None, partial=partial, text=said)


_HOLDS = frozenset({"batches", "resourceSpans"})
_AROUND = frozenset({"metrics", "status", "message"})


def _holder(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the object that holds the resources' spans: Tempo's v1 and v2, Jaeger's v3, or plain OTLP; else None.

    An object with anything else in it is somebody else's.
    """
    holder: Any = document
    for key in ("trace", "result"):
        if key in document:
            holder = {} if document[key] is None else document[key]
    known = isinstance(holder, dict) and holder.keys() <= (_HOLDS if holder is not document else _HOLDS | _AROUND)
    return holder if known else None


def _holds_spans(holder: dict[str, Any]) -> bool:
    return any(holder.get(key) for key in _HOLDS)


def _says_absent(backend: Backend, answer: HttpAnswer) -> bool:
    """Tell whether a 404 is the query API's own: Jaeger's is JSON with its code; Tempo's has no body at all."""
    document = _object(answer.body)
    error = document.get("error") if document else None
    return backend is Backend.JAEGER and isinstance(error, dict) and error.get("httpCode") == 404


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _text(answer: HttpAnswer) -> str:
    read_ = otlp.read_answer(Signal.TRACES, answer.header("content-type"), answer.body, truncated=answer.truncated)
    return read_.message or answer.reason


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text[:500]).split())[:300]


def _canonical(holder: dict[str, Any], wanted: str) -> tuple[dict[str, Any], tuple[Span, ...]]:
    """Return a trace as OTLP JSON and its spans; raises ValueError for what is no OTLP.

    The way goes through the messages of OTLP themselves, so that a field which they do not know, or a number where
    they have a text, cannot get further.
    """
    resources = holder.get("resourceSpans", holder.get("batches"))
    try:
        body = json.dumps({"resourceSpans": _in_otlp(resources, 0)}).encode()
    except RecursionError:
        raise ValueError("the trace nests too deep") from None
    request = otlp.decode_request(Signal.TRACES, otlp.content_type(Protocol.HTTP_JSON), body)
    spans = tuple(
        Span(
            span.span_id.hex(),
            span.parent_span_id.hex() if any(span.parent_span_id) else "",
            span.name,
            service,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            error=span.status.code == _ERROR,
        )
        for service, span in otlp.iter_spans(request)
        if span.trace_id.hex() == wanted
    )
    document: dict[str, Any] = json.loads(otlp.encode(request, Protocol.HTTP_JSON))
    return document, spans


_DEPTH = 300  # as deep as otlp's hundred messages can go in JSON
_ERROR = 2  # opentelemetry.proto.trace.v1.Status.StatusCode
_ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
_RENAMED = {"instrumentationLibrarySpans": "scopeSpans", "instrumentationLibrary": "scope"}  # Tempo before 2.0


def _in_otlp(value: Any, depth: int) -> Any:
    """Return JSON as protobuf or OTLP writes it, with ids in OTLP's hex."""
    if depth > _DEPTH:
        raise ValueError("the trace nests too deep")
    if isinstance(value, list):
        return [_in_otlp(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        _RENAMED.get(key, key): _hex(item, _ID_BYTES[key])
        if key in _ID_BYTES and isinstance(item, str)
        else _in_otlp(item, depth + 1)
        for key, item in value.items()
    }


def _hex(text: str, size: int) -> str:
    """Return an id in hex, padded to its size. protobuf's JSON has it in base64, which ends in = at either size."""
    if text.endswith("="):
        try:
            return base64.b64decode(text, validate=True).rjust(size, b"\0").hex()
        except binascii.Error:
            raise ValueError("an id is neither hex nor base64") from None
    return text.lower().zfill(2 * size) if text else ""


def describe(reading: Reading) -> str:
    """Say in a few words what was found."""
    services = len({span.service for span in reading.spans})
    spans = len(reading.spans)
    return f"{_plural(spans, 'span')} of {_plural(services, 'service')}" if spans else "no spans"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def document_spans(document: Mapping[str, Any]) -> Iterator[Span]:
    """Yield the spans of a trace in OTLP JSON as `read` returns it, or as otlp.encode writes it."""
    for resource in document.get("resourceSpans", ()):
        names = [
            item.get("value", {}).get("stringValue", "")
            for item in resource.get("resource", {}).get("attributes", ())
            if item.get("key") == "service.name"
        ]
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                yield Span(
                    span.get("spanId", ""),
                    span.get("parentSpanId", "").strip("0") and span.get("parentSpanId", ""),
                    span.get("name", ""),
                    names[0] if names else "",
                    int(span.get("startTimeUnixNano", 0)),
                    int(span.get("endTimeUnixNano", 0)),
                    error=span.get("status", {}).get("code", 0) == _ERROR,
                )
