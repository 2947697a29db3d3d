"""Reading traces from the answers of backends, and drawing them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otelctl.backend import Backend, Found, bases_worth_trying, document_spans, read, trace_id
from otelctl.facts.wire import HttpAnswer
from otelctl.render import waterfall
from otelctl.render.line import columns, in_ascii, join

WANTED = "000000000000000087b88b25bc81d995"


def answer(document: Any, status: int = 200) -> HttpAnswer:
    """Return an answer with this JSON."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return HttpAnswer(status, "", "HTTP/1.1", (("content-type", "application/json"),), body, 0.0)


def span(
    number: int, parent: int = 0, *, start: int = 0, end: int = 10, name: str = "x", **more: Any
) -> dict[str, Any]:
    """Return a span in OTLP JSON."""
    made = {"traceId": WANTED, "spanId": f"{number:016x}", "name": name, **more}
    made |= {"startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}
    return made | ({"parentSpanId": f"{parent:016x}"} if parent else {})


def trace(*spans: dict[str, Any], service: str = "shop") -> dict[str, Any]:
    """Return a trace in OTLP JSON."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


@pytest.mark.parametrize("spelled", [WANTED, WANTED.lstrip("0"), "AAAAAAAAAACHuIslvIHZlQ==", "h7iLJbyB2ZU="])
def test_ids_are_read_in_every_spelling(spelled: str) -> None:
    """Hex and base64, with their leading zeros and without, are the same trace."""
    reading = read(Backend.TEMPO, WANTED, answer({"trace": trace({**span(1), "traceId": spelled})}))
    assert reading.found is Found.TRACE
    assert reading.document is not None
    assert reading.document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] == WANTED


@pytest.mark.parametrize("given_id", ["87b88b25bc81d995", " 87B88B25BC81D995 ", WANTED])
def test_a_trace_id_is_padded(given_id: str) -> None:
    """An ID is 32 digits in lower case, whatever was typed."""
    assert trace_id(given_id) == WANTED


@pytest.mark.parametrize("given_id", ["", "xyz", "0", "0" * 32, "1" * 33, "٣٣", "1-2"])
def test_what_is_no_trace_id(given_id: str) -> None:
    """Anything else is refused with a sentence."""
    with pytest.raises(ValueError, match="a trace ID"):
        trace_id(given_id)


def test_spans_of_another_trace_are_not_the_one_asked_for() -> None:
    """A server that answers every question with the same trace is not believed."""
    reading = read(Backend.TEMPO, "1".zfill(32), answer({"trace": trace(span(1))}))
    assert (reading.found, reading.spans) == (Found.OTHER, ())


def test_an_old_tempo_is_read() -> None:
    """Tempo before 2.0 called scopes instrumentation libraries."""
    old = json.loads(json.dumps(trace(span(1))).replace("scopeSpans", "instrumentationLibrarySpans"))
    assert read(Backend.TEMPO, WANTED, answer({"batches": old["resourceSpans"]})).found is Found.TRACE


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b'"trace"',
        b"{" * 100_000,
        b'{"trace":' * 500 + b"1" + b"}" * 500,
        b"\xff\xfe",
        {"trace": {"resourceSpans": 7}},
        {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "=", "spanId": 5}]}]}]}},
        {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "-1"}]}]}]}},
        {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\ud800"}]}]}]}},
        {"traces": [], "metrics": {}},
        {"trace": {"id": "1"}, "metrics": {}},
        {"result": "ok"},
    ],
    ids=range(14),
)
def test_what_is_no_trace_is_no_absence(document: Any) -> None:
    """Broken, foreign and hostile answers are neither a trace nor its absence."""
    assert read(Backend.TEMPO, WANTED, answer(document)).found is Found.OTHER


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["trace", "batches", "resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "parentSpanId", "name",
             "startTimeUnixNano", "status", "code", "kind", "resource", "attributes", "key", "value", "result"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300)
@given(JSON, st.sampled_from([200, 206, 404, 500]), st.sampled_from(Backend))
def test_no_answer_is_a_mistake_of_ours(document: Any, status: int, kind: Backend) -> None:
    """Whatever JSON comes is read without an exception, and what is shown as a trace can be drawn."""
    reading = read(kind, WANTED, answer(document, status))
    if reading.spans and reading.document is not None:
        waterfall.lines(reading.document)


def test_other_places_are_tried_once() -> None:
    """The places worth trying never hold the one that was asked, and none twice."""
    for kind in Backend:
        for path in ("", "/", "/tempo", "/jaeger/", "/api/traces", "/tempo/api", "/a/b"):
            places = bases_worth_trying(kind, path)
            assert len(places) == len(set(places))
            assert (kind, path.rstrip("/")) not in places


def drawn(document: dict[str, Any], width: int = 80, *, ascii_only: bool = False) -> list[str]:
    """Return a drawn trace as plain lines."""
    lines = waterfall.lines(document, width=width, ascii_only=ascii_only)
    return join([in_ascii(line) for line in lines] if ascii_only else lines).splitlines()


def test_a_waterfall_goes_from_parent_to_child() -> None:
    """Children stand below their parent in the order of time, whatever the order in which they came."""
    rows = drawn(
        trace(span(3, 1, start=5, name="late"), span(2, 1, start=1, name="early"), span(1, end=20, name="root"))
    )
    assert [row.split()[0] for row in rows] == ["root", "early", "late"]
    assert rows[0].endswith("█" * 20)
    assert "20 ns" in rows[0]


def test_an_error_is_marked_without_colour() -> None:
    """The span with an error has a sign, also where there is no colour, and in ASCII."""
    document = trace(span(1), span(2, 1, status={"code": 2}, name="bad"))
    assert drawn(document)[1].startswith("  ✗   bad")
    assert drawn(document, ascii_only=True)[1].startswith("  x   bad")
    assert all(row.isascii() for row in drawn(document, ascii_only=True))


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_rows_fit(width: int, ascii_only: bool) -> None:
    """However long, wide or steering the names, no row is wider than the screen."""
    names = ["a" * 500, "名前" * 100, "\x1b[31m\u202e\n\r\t", "", "e\u0301" * 200]
    document = trace(*(span(n, n - 1, name=name, end=n * 10**9) for n, name in enumerate(names, 1)), service="s" * 99)
    document["resourceSpans"] += trace(span(99, 5), service="名前" * 20)["resourceSpans"]
    rows = drawn(document, width, ascii_only=ascii_only)
    assert len(rows) == len(names) + 1
    assert max(map(columns, rows)) <= max(width, 60 if width < 60 else 0)
    assert not any("\x1b" in row or "\u202e" in row for row in rows)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 7), st.integers(0, 2**63), st.integers(0, 2**63)), max_size=12)
)
def test_every_span_is_drawn_once(rows: list[tuple[int, int, int, int]]) -> None:
    """Cycles, missing parents, equal ids and times that make no sense: each span has its row, of bounded width."""
    document = trace(*(span(own, parent, start=start, end=end) for own, parent, start, end in rows))
    lines = drawn(document)
    assert len(lines) == len(rows)
    assert all(columns(line) <= 80 for line in lines)


def test_a_long_trace_is_cut_and_quick() -> None:
    """Of ten thousand spans, each the child of the one before, a hundred are drawn, and the rest is counted."""
    began = time.monotonic()
    rows = drawn(trace(*(span(n, n - 1, start=n) for n in range(1, 10_001))))
    assert len(rows) == waterfall.MOST + 1
    assert "9900 more spans" in rows[-1]
    assert time.monotonic() - began < 3


def test_the_spans_of_a_document_are_those_that_were_read() -> None:
    """What is drawn from the report's JSON is what was judged."""
    reading = read(Backend.JAEGER, WANTED, answer({"result": trace(span(1), span(2, 1, status={"code": 2}))}))
    assert reading.document is not None
    assert tuple(document_spans(reading.document)) == reading.spans
