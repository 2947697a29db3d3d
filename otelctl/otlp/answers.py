"""What the bytes of an HTTP answer are, for a client that sent OTLP. Whether that is good, others judge.

Source: opentelemetry-proto, docs/specification.md (1.11), "OTLP/HTTP Response".
"""

from __future__ import annotations

import enum
import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otelctl.otlp.messages import NAMES, Names, bare, line, load_json, message_type, status_type
from otelctl.settings import Protocol, Signal

if TYPE_CHECKING:
    from google.protobuf.message import Message

_JSON = "application/json"
# OTLP's own name for protobuf, and the others that servers give it.
_PROTOBUF_TYPES = frozenset({"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"})
_UNTYPED = frozenset({"", "application/octet-stream"})
# Field 1, a message of no bytes: partial_success without anything in it, as the Collector's receivers write success.
# Known as it is, so that protobuf, which takes 25 ms to load, need not read what a healthy receiver says.
_NOTHING_REJECTED = b"\x0a\x00"
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})


class AnswerKind(enum.StrEnum):
    """What the body of an answer is. Nothing here says whether that is good: the status has a say too.

    EMPTY is no body where none is promised to mean success; UNREADABLE is neither OTLP nor text.
    """

    SUCCESS = "success"
    PARTIAL = "partial"
    STATUS = "status"
    EMPTY = "empty"
    HTML = "html"
    JSON_OTHER = "json_other"
    TEXT = "text"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bytes of an answer are.

    `protocol` is the encoding of an OTLP body, as its bytes show it. `rejected` counts what a partial success
    dropped, and may be 0. `code` is google.rpc's, though some servers put an HTTP status there. `message` is the
    server's text on one line, bounded, without control characters: of the error, of a page its title.
    """

    kind: AnswerKind
    protocol: Protocol | None = None
    rejected: int = 0
    code: int = 0
    message: str = ""


def read_answer(signal: Signal, media_type: str, body: bytes, *, truncated: bool = False) -> Answer:
    """Say what the body of an HTTP answer is, from its bytes and its Content-Type together.

    The bytes lead: JSON is seen for what it is under any type, a page too. protobuf, into which nearly anything
    parses, needs a type that allows it and no field that OTLP does not know. A truncated body is never OTLP.
    """
    media = bare(media_type)
    if truncated:
        return _unstructured(media, body)
    if not body.strip():
        # An empty message is protobuf's way to write full success; any other type promises at least a character.
        if not body and media in _PROTOBUF_TYPES:
            return Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF)
        return Answer(AnswerKind.EMPTY)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") or _is_json(media):
        try:
            return _read_json(signal, media, load_json(body))
        except ValueError:
            pass  # 0a 7b begins a protobuf response as well
    if media in _PROTOBUF_TYPES or media in _UNTYPED:
        if body == _NOTHING_REJECTED:
            return Answer(AnswerKind.SUCCESS, Protocol.HTTP_PROTOBUF)
        return _read_protobuf(signal, body) or _unstructured(media, body)
    return _unstructured(media, body)


def _is_json(media: str) -> bool:
    return media == _JSON or media.endswith("+json")


def _read_json(signal: Signal, media: str, document: Any) -> Answer:
    """Judge parsed JSON. A page's type makes it foreign; `{}` alone is success only where JSON is announced."""
    if not isinstance(document, dict):
        return Answer(AnswerKind.JSON_OTHER, message=line(document) if isinstance(document, str) else "")
    foreign = Answer(AnswerKind.JSON_OTHER, message=_json_message(document))
    if media in _HTML_TYPES:
        return foreign
    if not document:
        return Answer(AnswerKind.SUCCESS, Protocol.HTTP_JSON) if _is_json(media) else foreign
    for key in ("partialSuccess", "partial_success"):  # the second is not OTLP's spelling, and met in the field
        if key in document:
            return _read_json_partial(NAMES[signal], document[key]) or foreign
    code, text = document.get("code"), document.get("message", "")
    # Many an API answers {"code": 404, "message": …} or a bare message; only google.rpc's own codes tell OTLP's apart.
    if document.keys() <= {"code", "message", "details"} and type(code) is int and 1 <= code <= 16:
        return Answer(AnswerKind.STATUS, Protocol.HTTP_JSON, code=code, message=line(text) if _is_text(text) else "")
    return foreign


def _read_json_partial(names: Names, partial: Any) -> Answer | None:
    if partial is None:
        partial = {}
    if not isinstance(partial, dict):
        return None
    rejected = partial.get(names.rejected_json, partial.get(names.rejected)) or 0
    text = partial.get("errorMessage", partial.get("error_message")) or ""
    # 64-bit integers travel as strings; a number is taken too, as protobuf's JSON allows.
    if isinstance(rejected, str) and re.fullmatch(r"-?[0-9]{1,19}", rejected, re.ASCII):
        rejected = int(rejected)
    if type(rejected) is not int or not _is_text(text):
        return None
    return _success(Protocol.HTTP_JSON, rejected, text)


def _success(protocol: Protocol, rejected: int, text: str) -> Answer:
    kind = AnswerKind.PARTIAL if rejected or text else AnswerKind.SUCCESS
    return Answer(kind, protocol, rejected=rejected, message=line(text))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _json_message(document: dict[Any, Any]) -> str:
    """Return the text of an error in the forms that servers give it, or an empty string."""
    for key in ("error", "message", "detail", "errorMessage", "msg"):
        value = document.get(key)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value:
            return line(value)
    return ""


def _read_protobuf(signal: Signal, body: bytes) -> Answer | None:
    """Read a response or a google.rpc.Status; None where the bytes hold anything that neither knows.

    The two never overlap: field 1 of a response is a message, of a status a number.
    """
    response: Any = _strictly(message_type(signal, "Response"), body)
    if response is not None:
        partial = response.partial_success
        rejected = getattr(partial, NAMES[signal].rejected)
        return _success(Protocol.HTTP_PROTOBUF, rejected, partial.error_message)
    status: Any = _strictly(status_type(), body)
    # A code may be left out (specification.md, "Failures"), as Loki does, and an HTTP status may stand in its place.
    if status is None or not (0 <= status.code <= 16 or 400 <= status.code <= 599):
        return None
    return Answer(AnswerKind.STATUS, Protocol.HTTP_PROTOBUF, code=status.code, message=line(status.message))


def _strictly(kind: type[Message], body: bytes) -> Message | None:
    """Parse bytes and return None where they do not parse, or hold unknown fields at any depth."""
    from google.protobuf.message import DecodeError as ProtobufError  # noqa: PLC0415

    message = kind()
    try:
        message.ParseFromString(body)
    except ProtobufError:
        return None
    size = message.ByteSize()
    message.DiscardUnknownFields()
    return message if message.ByteSize() == size else None


# Each of these runs over bytes that a stranger chose, and takes time linear in them.
_PAGE = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _unstructured(media: str, body: bytes) -> Answer:
    """Judge bytes that are not OTLP: a page, text, or neither."""
    head = body.removeprefix(b"\xef\xbb\xbf")[:65_536]
    page = media in _HTML_TYPES or (head.lstrip().startswith(b"<") and _PAGE.search(head) is not None)
    if page or media.startswith("text/"):
        text = head.decode("utf-8", "replace")
    else:
        try:
            # The cut may fall inside a character, which is not the server's fault.
            text = head.decode("utf-8", "strict" if len(head) < 65_536 else "ignore")
        except UnicodeDecodeError:
            return Answer(AnswerKind.UNREADABLE)
        if _BINARY.search(text) or not text:
            return Answer(AnswerKind.UNREADABLE)
    if not page:
        return Answer(AnswerKind.TEXT, message=line(text))
    title = _TITLE.search(text)
    return Answer(AnswerKind.HTML, message=line(html.unescape(title[1]) if title else _TAG.sub(" ", text)))
