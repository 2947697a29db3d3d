"""The context of a trace on its way from one service to the next, in each spelling that it travels in. Pure.

Sources: W3C Trace Context, section 3.2 (traceparent); AWS X-Ray developer guide, "Tracing header" (`Root=1-…;Parent=…`;
the W3C trace ID is Root without `1-` and hyphens); SQS API reference, MessageAttributeValue, and AWSTraceHeader among
the message system attributes; EventBridge API reference, PutEventsRequestEntry (TraceHeader).
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE)
_SPAN_ID = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
# The names under which a header is copied from a request, a log or a Lambda's environment.
_NAMED = re.compile(r"^(?:traceparent|x-amzn-trace-id|_x_amzn_trace_id|awstraceheader)\s*[:=]\s*", re.IGNORECASE)

W3C_KEY = "traceparent"
XRAY_KEYS = ("AWSTraceHeader", "TraceHeader", "X-Amzn-Trace-Id")
_LONGEST = 256 * 1024  # an SQS message, attributes included


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A W3C traceparent: ids in lower-case hex, the flags as a number."""

    trace_id: str
    span_id: str
    flags: int = 1

    @classmethod
    def parse(cls, text: str) -> TraceParent:
        """Read a traceparent by the rules of W3C Trace Context, section 3.2.2; a later version is read by its prefix.

        Raises ValueError with a sentence that says what is wrong.
        """
        text = text.strip(" \t")
        match = _TRACEPARENT.fullmatch(text)
        if match is None:
            if _TRACEPARENT.fullmatch(text.lower()):
                raise ValueError("a traceparent is written in lower case")
            raise ValueError("a traceparent reads 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")
        version, trace_id, span_id, flags, rest = match.groups()
        if version == "ff":
            raise ValueError("version ff of traceparent is not allowed")
        if version == "00" and rest is not None:
            raise ValueError("a traceparent of version 00 has nothing after the flags")
        if not int(trace_id, 16):
            raise ValueError("the trace ID of a traceparent is not all zeros")
        if not int(span_id, 16):
            raise ValueError("the parent ID of a traceparent is not all zeros")
        return cls(trace_id, span_id, int(flags, 16))

    @property
    def sampled(self) -> bool:
        """Whether the caller may have recorded its span."""
        return bool(self.flags & 1)

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


class Carrier(enum.StrEnum):
    """A spelling of a context, by what carries it."""

    TRACEPARENT = "traceparent"
    XRAY = "xray"
    SQS = "sqs"
    SQS_SYSTEM = "sqs-system"


@dataclass(frozen=True, slots=True)
class Carried:
    """A context as it was read: from which carrier, and whether the sampling decision was left open there."""

    carrier: Carrier
    context: TraceParent
    undecided: bool = False


def read(text: str) -> Carried:
    """Read a context from a traceparent, an X-Ray header, or a JSON object that holds either as a message does.

    Raises ValueError with a sentence that says what is wrong.
    """
    if len(text) > _LONGEST:
        raise ValueError("there is more than 256 KiB of it, which no message carries")
    text = text.strip()
    if not text:
        raise ValueError("it is empty; give a traceparent, an X-Ray header or the JSON of a message")
    if text.startswith(("{", "[")):
        return _read_json(text)
    return _read_header(_NAMED.sub("", text, count=1))


def _read_header(text: str) -> Carried:
    if "=" in text:
        return read_xray(text)
    return Carried(Carrier.TRACEPARENT, TraceParent.parse(text))


def read_xray(text: str) -> Carried:
    """Read an X-Ray tracing header; fields other than Root, Parent and Sampled (Self, Lineage) are passed over.

    Without a decision (`Sampled=?`, or none) it counts as not sampled, as W3C's flags know no third state.
    Raises ValueError with a sentence that says what is wrong.
    """
    fields: dict[str, str] = {}
    for part in text.strip(" \t;").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or name.lower() in fields:
            raise ValueError("an X-Ray header reads Root=1-<8 hex digits>-<24>;Parent=<16 hex digits>;Sampled=<0 or 1>")
        fields[name.lower()] = value
    root = _ROOT.fullmatch(fields.get("root", ""))
    if root is None:
        raise ValueError("the Root of an X-Ray header reads 1-<8 hex digits>-<24 hex digits>")
    if "parent" not in fields:
        raise ValueError("the X-Ray header has no Parent, and a context without the caller's span cannot be handed on")
    if not _SPAN_ID.fullmatch(fields["parent"]):
        raise ValueError("the Parent of an X-Ray header is 16 hex digits")
    sampled = fields.get("sampled", "?")
    if sampled not in ("0", "1", "?"):
        raise ValueError("Sampled of an X-Ray header is 0, 1 or ?")
    trace_id, span_id = "".join(root.groups()).lower(), fields["parent"].lower()
    context = TraceParent.parse(f"00-{trace_id}-{span_id}-{'01' if sampled == '1' else '00'}")
    return Carried(Carrier.XRAY, context, undecided=sampled == "?")


def _read_json(text: str) -> Carried:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it begins as JSON and is none") from None
    found = list(_headers(_one_message(document)))
    if not found:
        raise ValueError(f"no {W3C_KEY} and no {XRAY_KEYS[0]} is among the attributes")
    carriers = {
        key: Carried(Carrier.SQS if key == W3C_KEY else Carrier.SQS_SYSTEM, one.context, undecided=one.undecided)
        for key, one in ((key, _read_header(value)) for key, value in found)
    }
    if len({one.context.trace_id for one in carriers.values()}) > 1:
        raise ValueError(f"{' and '.join(carriers)} name different traces, so one of them was not handed on")
    # Where both are there, the one that says more: X-Ray's decision may be open.
    return carriers.get(W3C_KEY) or next(iter(carriers.values()))


def _one_message(document: Any) -> dict[str, Any]:
    """Return the message of a document: itself, or the only one of a receive-message answer or of a Lambda event."""
    for key in ("Messages", "Records", "Entries"):
        if isinstance(document, dict) and isinstance(document.get(key), list):
            document = document[key]
    if isinstance(document, list):
        if len(document) != 1:
            raise ValueError(f"it holds {len(document)} messages; give one of them")
        document = document[0]
    if not isinstance(document, dict):
        raise ValueError("the JSON holds no object with message attributes")  # noqa: TRY004 - wrong text, not a wrong type
    return document


def _headers(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers among a message's attributes, in the spellings of SQS, of Lambda and of the AWS CLI."""
    places = [message]
    for name in ("MessageAttributes", "MessageSystemAttributes", "Attributes"):
        places += [message[key] for key in (name, name[0].lower() + name[1:]) if isinstance(message.get(key), dict)]
    for place in places:
        for key in (W3C_KEY, *XRAY_KEYS):
            value = place.get(key)
            if isinstance(value, dict):
                value = value.get("StringValue", value.get("stringValue"))
            if value is None:
                continue
            if not isinstance(value, str):
                raise ValueError(f"{key} is no string")  # noqa: TRY004 - as above
            yield key, value


def write(carried: Carried, carrier: Carrier) -> str:
    """Return a context as another carrier takes it; for SQS the JSON of `aws sqs send-message`'s options.

    `--message-attributes` takes W3C's form, `--message-system-attributes` X-Ray's, which Lambda continues by itself.
    """
    match carrier:
        case Carrier.XRAY:
            return _xray(carried)
        case Carrier.SQS:
            return _attribute(W3C_KEY, str(carried.context))
        case Carrier.SQS_SYSTEM:
            return _attribute(XRAY_KEYS[0], _xray(carried))
        case Carrier.TRACEPARENT:
            return str(carried.context)


def _xray(carried: Carried) -> str:
    context = carried.context
    sampled = "?" if carried.undecided else int(context.sampled)
    return f"Root=1-{context.trace_id[:8]}-{context.trace_id[8:]};Parent={context.span_id};Sampled={sampled}"


def _attribute(name: str, value: str) -> str:
    return json.dumps({name: {"DataType": "String", "StringValue": value}}, separators=(",", ":"))
