"""The context of a trace between W3C's header, X-Ray's and the attributes of SQS messages."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.propagation import Carried, Carrier, TraceParent, read, write
from tests.support.program import run

W3C = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
OTHER = "Root=1-5759e988-bd862e3fe1be46a994272794;Parent=53995c3f42cd8ad8;Sampled=1"


def attribute(name: str, value: str) -> dict[str, Any]:
    """Return a message attribute as SQS has it."""
    return {name: {"DataType": "String", "StringValue": value}}


MESSAGES: list[Any] = [
    attribute("traceparent", W3C),
    attribute("AWSTraceHeader", XRAY),
    {"MessageAttributes": attribute("traceparent", W3C)},
    {"Attributes": {"AWSTraceHeader": XRAY, "SentTimestamp": "1"}},
    {"Messages": [{"Body": "{}", "MessageAttributes": attribute("traceparent", W3C)}]},
    {"Records": [{"messageAttributes": {"traceparent": {"stringValue": W3C, "dataType": "String"}}}]},
    {"Records": [{"attributes": {"AWSTraceHeader": XRAY}}]},
    {"Entries": [{"DetailType": "order", "TraceHeader": XRAY}]},
    {"MessageAttributes": attribute("traceparent", W3C), "Attributes": {"AWSTraceHeader": XRAY}},
]


@pytest.mark.parametrize(
    "text", [W3C, XRAY, f"traceparent: {W3C}", f"X-Amzn-Trace-Id: {XRAY}", f"_X_AMZN_TRACE_ID={XRAY}"]
)
def test_a_header_is_read(text: str) -> None:
    """A header is read by itself and with its name, and each spelling gives the other."""
    carried = read(f" {text}\n")
    assert write(carried, Carrier.TRACEPARENT) == W3C
    assert write(carried, Carrier.XRAY) == XRAY


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: json.dumps(message)[:40])
def test_a_message_is_read(message: Any) -> None:
    """The context is found wherever SQS, Lambda, EventBridge and the AWS CLI put it."""
    carried = read(json.dumps(message))
    assert str(carried.context) == W3C


@given(st.binary(min_size=16, max_size=16).filter(any), st.binary(min_size=8, max_size=8).filter(any), st.booleans())
def test_every_context_survives_every_carrier(trace_id: bytes, span_id: bytes, sampled: bool) -> None:
    """What a carrier takes is read back as the same trace, span and decision."""
    context = TraceParent(trace_id.hex(), span_id.hex(), int(sampled))
    for carrier in Carrier:
        assert read(write(Carried(Carrier.TRACEPARENT, context), carrier)).context == context


def test_an_open_decision_stays_open() -> None:
    """`Sampled=?` is kept for X-Ray, and counts as not sampled for W3C, which knows no third state."""
    for text in (XRAY.replace("Sampled=1", "Sampled=?"), XRAY.replace(";Sampled=1", "")):
        carried = read(text)
        assert carried.undecided
        assert write(carried, Carrier.XRAY).endswith("Sampled=?")
        assert write(carried, Carrier.TRACEPARENT).endswith("-00")


def test_other_fields_of_an_xray_header_are_passed_over() -> None:
    """A load balancer's Self and Lambda's Lineage do not matter, nor does the order."""
    text = "Self=1-67891234-12456789abcdef012345678f;Lineage=1:a2fcdd8a:0;" + ";".join(reversed(XRAY.split(";")))
    assert str(read(text).context) == W3C


WRONG = [
    ("", "empty"),
    ("garbage", "00-<32 hex digits>"),
    (W3C.upper(), "lower case"),
    (W3C.replace("5759e988bd862e3fe1be46a994272793", "0" * 32), "zeros"),
    (XRAY.replace("Root=1-", "Root=2-"), "Root"),
    (XRAY.replace("53995c3f42cd8ad8", "53995c3f"), "16 hex digits"),
    (XRAY.replace("53995c3f42cd8ad8", "0" * 16), "zeros"),
    (XRAY.replace(";Parent=53995c3f42cd8ad8", ""), "no Parent"),
    (XRAY.replace("Sampled=1", "Sampled=yes"), "Sampled"),
    (f"{XRAY};Root=1-5759e988-bd862e3fe1be46a994272793", "reads Root="),
    ("{not json", "JSON"),
    ("[" * 100_000, "JSON"),
    ("[]", "0 messages"),
    (json.dumps({"Messages": [{}, {}]}), "2 messages"),
    (json.dumps({"MessageAttributes": {}}), "no traceparent"),
    (json.dumps({"traceparent": 1}), "no string"),
    (json.dumps({"traceparent": W3C, "AWSTraceHeader": OTHER}), "different traces"),
    ("x" * 300_000, "256 KiB"),
]


@pytest.mark.parametrize(("text", "word"), WRONG, ids=[word for _, word in WRONG])
def test_what_is_wrong_is_said(text: str, word: str) -> None:
    """Anything else is refused with a sentence that names what is wrong."""
    with pytest.raises(ValueError, match=word):
        read(text)


@given(st.text())
def test_no_text_is_a_mistake_of_ours(text: str) -> None:
    """Whatever is given, it is read or refused with a ValueError."""
    with suppress(ValueError):
        read(text)


def test_the_command_prints_one_spelling() -> None:
    """`traceparent --as` prints the one that was asked for and nothing else, from an argument or standard input."""
    assert run("traceparent", XRAY, "--as", "traceparent").stdout == f"{W3C}\n"
    assert run("traceparent", "--as", "xray", stdin=f"{W3C}\n").stdout == f"{XRAY}\n"
    assert json.loads(run("traceparent", W3C, "--as", "sqs").stdout) == attribute("traceparent", W3C)
    assert json.loads(run("traceparent", W3C, "--as", "sqs-system").stdout) == attribute("AWSTraceHeader", XRAY)


@pytest.mark.parametrize("form", ["text", "json", "junit", "github", "markdown"])
def test_the_command_shows_all_spellings(form: str) -> None:
    """Without --as every spelling is shown, in every format that shows facts."""
    result = run("traceparent", W3C, "--format", form)
    assert result.code == 0
    if form in ("text", "json", "markdown"):
        assert "1-5759e988-bd862e3fe1be46a994272793" in result.stdout


def test_the_command_refuses_in_one_line() -> None:
    """Bad input ends with 2 and one line."""
    result = run("traceparent", "00-xyz")
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
