"""What is told of a trace that is read back: its backend's URL, refusals, and what is missing of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from otelctl.backend import Backend
from otelctl.facts.wire import Fault, FaultKind, Stage
from otelctl.model import Certainty, Report
from tests.cases.marks import case, near_miss
from tests.support import backend
from tests.support.backend import CHILD, JAEGER_ABSENT, JAEGER_PAGE, MISSING, ROOT, TRACE, Recorded, Said, answer, look

TEMPO = backend.tempo()
V1, V2 = f"/api/traces/{TRACE}", f"/api/v2/traces/{TRACE}"
V3 = f"/api/v3/traces/{TRACE}"
FOUND, FOUND_V2 = TEMPO[V1], TEMPO[V2]
GONE, GONE_V2 = TEMPO[f"/api/traces/{MISSING}"], TEMPO[f"/api/v2/traces/{MISSING}"]
ECHO = {"/api/echo": TEMPO["/api/echo"]}
PAGE = answer(200, b"<!DOCTYPE html><title>Grafana</title>", "text/html; charset=UTF-8")
JAEGER = "http://jaeger.internal:16686"
SERVICES = answer(200, b'{"services":["shop"]}')
SCOPE = answer(401, b'{"status":"error","error":"authentication error: invalid scope requested"}')
INVALID = answer(401, b'{"status":"error","error":"authentication error: invalid authentication credentials"}')
NONE_SENT = answer(401, b'{"status":"error","error":"authentication error: no credentials provided"}')
NO_ORG = answer(401, b"no org id\n", "text/plain; charset=utf-8")
BASIC = "Authorization=Basic NjU0MzIxOmdsY19zZWNyZXQtcmVhZGluZw=="
BOTH = frozenset({ROOT, CHILD})


def changed(recorded: Recorded, **more: Any) -> Recorded:
    """Return a v2 answer with other keys."""
    return answer(200, json.dumps({**json.loads(recorded.body), **more}).encode())


def spans(*rows: tuple[str, str]) -> Recorded:
    """Return a v1 answer with these spans: (id, parent's id)."""
    found = [
        {"traceId": TRACE, "spanId": own, "parentSpanId": parent, "name": "x", "startTimeUnixNano": "1"}
        for own, parent in rows
    ]
    return answer(200, json.dumps({"batches": [{"scopeSpans": [{"spans": found}]}]}).encode())


PARTIAL = changed(
    FOUND_V2, status="PARTIAL", message="Trace exceeds maximum size of 100 bytes, a partial trace is returned"
)
ONE = spans((ROOT, ""))
A, B, C = "00000000000000aa", "00000000000000bb", "00000000000000cc"

REFUSALS = [
    pytest.param(
        SCOPE, BASIC, "TRACE-READ-SCOPE", marks=[case("TRACE-READ-SCOPE"), near_miss("TRACE-CREDENTIAL-REFUSED")]
    ),
    pytest.param(
        INVALID,
        BASIC,
        "TRACE-CREDENTIAL-REFUSED",
        marks=[case("TRACE-CREDENTIAL-REFUSED"), near_miss("TRACE-READ-SCOPE", "TRACE-NO-CREDENTIAL")],
    ),
    pytest.param(answer(403, b"Forbidden", "text/plain"), BASIC, "TRACE-CREDENTIAL-REFUSED", marks=[]),
    pytest.param(
        INVALID,
        None,
        "TRACE-NO-CREDENTIAL",
        marks=[case("TRACE-NO-CREDENTIAL"), near_miss("TRACE-CREDENTIAL-REFUSED")],
    ),
    pytest.param(NONE_SENT, None, "TRACE-NO-CREDENTIAL", marks=[]),
    pytest.param(NO_ORG, None, "TRACE-TENANT", marks=[case("TRACE-TENANT"), near_miss("TRACE-NO-CREDENTIAL")]),
    pytest.param(
        answer(503, b"upstream connect error", "text/plain"),
        None,
        "TRACE-BACKEND-FAILING",
        marks=[case("TRACE-BACKEND-FAILING"), near_miss("TRACE-ABSENT", "TRACE-URL-OTHER")],
    ),
    pytest.param(answer(429, b"too many requests", "text/plain"), None, "TRACE-BACKEND-FAILING", marks=[]),
    pytest.param(
        answer(200, b'{"trace":{"resourceSpans":{"no":"list"}}}'),
        None,
        "TRACE-ANSWER-UNREADABLE",
        marks=[case("TRACE-ANSWER-UNREADABLE"), near_miss("TRACE-ABSENT")],
    ),
    pytest.param(TEMPO["/api/traces/xyz"], None, "TRACE-ANSWER-UNREADABLE", marks=[near_miss("TRACE-URL-OTHER")]),
]


@pytest.mark.parametrize(("said", "header", "code"), REFUSALS)
def test_a_refusal_is_not_an_absence(said: Recorded, header: str | None, code: str) -> None:
    """A backend that did not answer the question is told as what it is, and nothing is said of the trace."""
    ended = look({V2: said, V1: said, **ECHO}, header=header)
    assert ended.codes == [code]
    assert ended.statuses["query"] in ("failed", "unknown")
    assert ended.statuses["trace"] == ended.statuses["whole"] == "skipped"


PRESENT: list[Any] = [
    pytest.param(
        {V2: FOUND_V2},
        {},
        [],
        marks=[near_miss("TRACE-ABSENT", "TRACE-PARTIAL", "TRACE-GAPS", "TRACE-ANSWER-UNREADABLE")],
        id="v2",
    ),
    pytest.param({V2: GONE, V1: FOUND}, {}, [], marks=[near_miss("TRACE-ABSENT", "TRACE-URL-PATH")], id="v1 alone"),
    pytest.param({V2: backend.NOT_FOUND, V1: FOUND}, {}, [], marks=[], id="v1, and v2 unknown to the server"),
    pytest.param({V2: GONE_V2}, {}, ["TRACE-ABSENT"], marks=[case("TRACE-ABSENT")], id="v2, empty"),
    pytest.param(
        {V2: GONE, V1: GONE, **ECHO}, {}, ["TRACE-ABSENT"], marks=[near_miss("TRACE-URL-OTHER")], id="both 404"
    ),
    pytest.param(
        {V2: GONE_V2},
        {"sent": BOTH, "within": 60},
        ["TRACE-NOT-FOUND"],
        marks=[case("TRACE-NOT-FOUND"), near_miss("TRACE-ABSENT", "TRACE-INCOMPLETE")],
        id="accepted, and not there",
    ),
    pytest.param(
        {V2: [GONE_V2, GONE_V2, FOUND_V2]},
        {"sent": BOTH, "within": 60},
        [],
        marks=[near_miss("TRACE-NOT-FOUND", "TRACE-INCOMPLETE")],
        id="accepted, and there a little later",
    ),
    pytest.param(
        {V2: [GONE_V2, ONE]},
        {"sent": BOTH, "within": 60},
        ["TRACE-INCOMPLETE"],
        marks=[case("TRACE-INCOMPLETE"), near_miss("TRACE-NOT-FOUND")],
        id="accepted, and half there",
    ),
    pytest.param(
        {V2: [ONE, FOUND_V2]},
        {"sent": BOTH, "within": 60},
        [],
        marks=[near_miss("TRACE-INCOMPLETE")],
        id="in two batches",
    ),
    pytest.param({V2: PARTIAL}, {}, ["TRACE-PARTIAL"], marks=[case("TRACE-PARTIAL")], id="partial"),
    pytest.param(
        {V2: changed(GONE_V2, status="PARTIAL", message="too large")},
        {},
        ["TRACE-PARTIAL"],
        marks=[near_miss("TRACE-ABSENT")],
        id="partial, and nothing of it",
    ),
    pytest.param({V2: changed(FOUND_V2, status="COMPLETE")}, {}, [], marks=[near_miss("TRACE-PARTIAL")], id="complete"),
    pytest.param(
        {V2: spans((A, ""), (C, B))},
        {},
        ["TRACE-GAPS"],
        marks=[case("TRACE-GAPS"), near_miss("TRACE-ROOT-ELSEWHERE", "TRACE-ANSWER-UNREADABLE")],
        id="a parent missing below the root",
    ),
    pytest.param(
        {V2: spans((A, B), (C, A))},
        {},
        ["TRACE-ROOT-ELSEWHERE"],
        marks=[case("TRACE-ROOT-ELSEWHERE"), near_miss("TRACE-GAPS")],
        id="begun by somebody else",
    ),
    pytest.param({V2: spans((A, ""), (C, A))}, {}, [], marks=[near_miss("TRACE-ROOT-ELSEWHERE")], id="root and child"),
    pytest.param(
        {V2: spans((A, B))},
        {"sent": frozenset({A})},
        [],
        marks=[near_miss("TRACE-ROOT-ELSEWHERE")],
        id="ours, under a parent that was given",
    ),
]


@pytest.mark.parametrize(("answers", "how", "codes"), PRESENT)
def test_what_is_there_of_the_trace(
    answers: Mapping[str, Said | Sequence[Said]], how: dict[str, Any], codes: list[str]
) -> None:
    """Neither version of Tempo's answers is misread, and what is missing of a trace is told by what was sent."""
    assert look(answers, **how).codes == codes


ABOVE: list[Any] = [
    pytest.param(
        "http://tempo.internal",
        {"/tempo/api/echo": TEMPO["/api/echo"]},
        "TRACE-URL-PATH",
        "http://tempo.internal/tempo",
        marks=[case("TRACE-URL-PATH"), near_miss("TRACE-URL-OTHER", "TRACE-ABSENT")],
        id="/tempo missing",
    ),
    pytest.param(
        "http://tempo.internal:3200/tempo",
        ECHO,
        "TRACE-URL-PATH",
        "http://tempo.internal:3200",
        marks=[],
        id="/tempo too many",
    ),
    pytest.param(
        "http://tempo.internal:3200/api/traces",
        ECHO,
        "TRACE-URL-PATH",
        "http://tempo.internal:3200",
        marks=[],
        id="the API's own path",
    ),
    pytest.param(
        JAEGER,
        {"/api/v3/services": SERVICES, V2: PAGE, "/api/echo": PAGE},
        "TRACE-URL-KIND",
        JAEGER,
        marks=[case("TRACE-URL-KIND"), near_miss("TRACE-URL-UI")],
        id="Jaeger as --tempo-url",
    ),
    pytest.param(
        "https://shop.grafana.net".replace("https", "http"),
        {V2: PAGE, V1: PAGE, "/api/echo": PAGE},
        "TRACE-URL-UI",
        None,
        marks=[case("TRACE-URL-UI"), near_miss("TRACE-URL-OTHER", "TRACE-URL-KIND")],
        id="a web page",
    ),
    pytest.param(
        "http://shop.internal",
        {V2: answer(302, b"", location="/login")},
        "TRACE-URL-UI",
        None,
        marks=[],
        id="a login",
    ),
    pytest.param(
        "http://shop.internal",
        {},
        "TRACE-URL-OTHER",
        None,
        marks=[case("TRACE-URL-OTHER"), near_miss("TRACE-ABSENT", "TRACE-URL-GATEWAY")],
        id="nothing there",
    ),
    pytest.param(
        "http://collector.internal:4318",
        {},
        "TRACE-URL-GATEWAY",
        None,
        marks=[case("TRACE-URL-GATEWAY")],
        id="a receiver's port",
    ),
    pytest.param(
        "http://collector.internal:4318/v1/traces", {}, "TRACE-URL-GATEWAY", None, marks=[], id="a receiver's path"
    ),
    pytest.param(
        "tempo.internal:3200", {}, "TRACE-URL-UNREADABLE", None, marks=[case("TRACE-URL-UNREADABLE")], id="no scheme"
    ),
]


@pytest.mark.parametrize(("url", "answers", "code", "right"), ABOVE)
def test_a_wrong_url_is_settled_on_its_host(
    url: str, answers: Mapping[str, Said], code: str, right: str | None
) -> None:
    """Where the URL is not the query API's, what stands there is named, and the path that answers is advised."""
    ended = look(answers, url)
    assert ended.codes == [code]
    if right is not None:
        (finding,) = ended.findings
        assert finding.certainty is Certainty.CERTAIN
        assert (finding.fix[0].command or "").endswith(f" {right}")


@near_miss("TRACE-URL-GATEWAY", "TRACE-URL-UNREADABLE", "TRACE-URL-PATH", "TRACE-URL-PLAINTEXT")
@pytest.mark.parametrize(
    "url", ["http://tempo.internal:3200", "http://tempo.internal:3200/", "http://127.0.0.1:4318/tempo"]
)
def test_an_unusual_url_that_answers_has_no_finding(url: str) -> None:
    """A port or a path that is another's by custom counts for nothing once the query API answers there."""
    base = "/tempo" if url.endswith("/tempo") else ""
    assert look({base + V2: FOUND_V2}, url, header=BASIC).codes == []


@case("TRACE-URL-GATEWAY")
def test_the_gateway_is_not_asked() -> None:
    """Grafana Cloud's OTLP gateway is known by its name, and gets no query with a credential for reading."""
    ended = look({}, "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp", header=BASIC)
    assert ended.codes == ["TRACE-URL-GATEWAY"]
    assert ended.wire.requests == []


@case("TRACE-URL-PLAINTEXT")
def test_a_credential_is_not_sent_in_the_clear() -> None:
    """To a public host over http:// nothing is sent where a credential would go along."""
    ended = look({V2: FOUND_V2}, "http://tempo-prod-10-prod-eu-west-2.grafana.net/tempo", header=BASIC)
    assert ended.codes == ["TRACE-URL-PLAINTEXT"]
    assert ended.wire.requests == []
    assert (ended.findings[0].fix[0].command or "").endswith("https://tempo-prod-10-prod-eu-west-2.grafana.net/tempo")


@case("TRACE-CREDENTIAL-UNREADABLE")
def test_a_credential_that_is_no_header() -> None:
    """A file of headers that holds none stops before anything is sent."""
    ended = look({V2: FOUND_V2}, header="nothing of use\n")
    assert ended.codes == ["TRACE-CREDENTIAL-UNREADABLE"]
    assert ended.wire.requests == []


@near_miss("TRACE-CREDENTIAL-UNREADABLE")
@pytest.mark.parametrize(
    "header", [BASIC, BASIC.replace("=", ": ", 1), BASIC.partition("=")[2], BASIC.replace(" ", "%20")]
)
def test_a_header_in_any_spelling_is_sent(header: str) -> None:
    """As a variable has it, as HTTP has it, or the value alone: what was meant goes out."""
    ended = look({V2: FOUND_V2}, header=header)
    assert ended.codes == []
    sent = {name.lower(): value.reveal() for name, value in ended.wire.requests[0].headers}
    assert sent["authorization"] == BASIC.partition("=")[2]


@near_miss("TRACE-CREDENTIAL-UNREADABLE", "TRACE-TENANT")
def test_other_headers_are_a_credential_too() -> None:
    """Headers without Authorization go along as they are, and a tenant is sent as X-Scope-OrgID."""
    ended = look({V2: FOUND_V2}, header="X-API-Key=abcdefgh", tenant="team-a")
    assert ended.codes == []
    sent = {name.lower(): value.reveal() for name, value in ended.wire.requests[0].headers}
    assert (sent["x-api-key"], sent["x-scope-orgid"]) == ("abcdefgh", "team-a")


@near_miss("TRACE-BACKEND-FAILING")
def test_what_passes_by_itself_is_asked_again() -> None:
    """A limit or a server that comes up is no finding where the answer comes in time."""
    busy = answer(503, b"starting", "text/plain")
    ended = look({V2: [busy, busy, FOUND_V2]}, within=30)
    assert ended.codes == []
    assert len(ended.wire.requests) == 3


def test_a_fault_on_the_way_is_told_as_the_network_s() -> None:
    """A connection that breaks while a query runs is NET-…, and advises the same question again."""
    fault = Fault(Stage.RECEIVE, FaultKind.TIMEOUT, "timed out", 10.0)
    ended = look({V2: fault})
    assert ended.codes == ["NET-TIMEOUT-ANSWER"]


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (answer(404, JAEGER_ABSENT, "text/plain; charset=utf-8"), ["TRACE-ABSENT"]),
        (answer(200, b'{"result":{"resourceSpans":[]}}', "text/plain"), ["TRACE-ABSENT"]),
        (answer(500, b'{"error":{"httpCode":500,"message":"no storage"}}'), ["TRACE-BACKEND-FAILING"]),
        (answer(200, JAEGER_PAGE, "text/html; charset=utf-8"), ["TRACE-URL-UI"]),
        (backend.NOT_FOUND, ["TRACE-URL-OTHER"]),
    ],
    ids=["absent", "empty", "failing", "its page", "nothing"],
)
def test_jaeger_s_answers(said: Recorded, codes: list[str]) -> None:
    """Jaeger's own 404 is an absence, its page is none, and another server's 404 is neither."""
    assert look({V3: said}, JAEGER, kind=Backend.JAEGER).codes == codes


def test_the_exit_code_tells_missing_from_unknown() -> None:
    """A trace that is not there gives 1, a backend that could not say gives 3, a trace with only a notice 0."""

    def code(answers: Mapping[str, Said]) -> int:
        return Report("find-trace", "", "", look(answers).results).exit_code()

    assert code({V2: GONE_V2}) == 1
    assert code({V2: answer(502, b"bad gateway", "text/plain")}) == 3
    assert code({V2: spans((A, B))}) == 0
    assert code({V2: FOUND_V2}) == 0
