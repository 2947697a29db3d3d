"""The read side of the embedded gateway: Tempo's query API for traces by ID, as recorded from Tempo 3.1.

Of the API it has `/api/echo`, `/api/traces/{id}` and `/api/v2/traces/{id}`, in JSON; it searches nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from otelctl import otlp

if TYPE_CHECKING:
    from google.protobuf.message import Message

PREFIX = "/tempo"
"""The path below which Grafana Cloud has it."""

_TRACE = re.compile(r"/api/(?P<second>v2/)?traces/(?P<id>[^/]+)")
_JSON, _TEXT = "application/json", "text/plain; charset=utf-8"


def answer(path: str, requests: Iterable[Message]) -> tuple[int, str, bytes]:
    """Return status, content type and body for a path below PREFIX, from the trace requests that were accepted."""
    if path == "/api/echo":
        return 200, _TEXT, b"echo\n"
    match = _TRACE.fullmatch(path)
    if match is None:
        return 404, _TEXT, b"404 page not found\n"
    odd = re.search(r"[^0-9a-fA-F]", match["id"])
    if odd is not None:
        where = f"invalid character '{odd[0]}' at position {odd.start() + 1}"
        return 400, _TEXT, f"trace IDs can only contain hex characters: {where}".encode()
    wanted = match["id"].lower().zfill(32)
    resources = [part for request in requests for part in _parts(request, wanted)]
    if match["second"]:
        trace = {"resourceSpans": resources} if resources else {}
        return 200, _JSON, _compact({"trace": trace, "metrics": {}})
    if not resources:
        return 404, "", b""
    return 200, _JSON, _compact({"batches": resources})


def _parts(request: Message, wanted: str) -> Iterable[Any]:
    """Yield a request's resources with the spans of one trace, in protobuf's JSON: ids in base64, enums by name."""
    if wanted not in otlp.trace_ids(request):
        return
    from google.protobuf import json_format  # noqa: PLC0415  as heavy here as in the codec

    part: Any = type(request)()
    part.CopyFrom(request)
    for resource in part.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if span.trace_id.hex().zfill(32) == wanted]
            del scope.spans[:]
            scope.spans.extend(kept)
        if any(scope.spans for scope in resource.scope_spans):
            yield json_format.MessageToDict(resource)


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
