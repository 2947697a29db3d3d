"""Every diagnosis of a receiver's answer: what must give it, as the primary and this sure, and what must not."""

from __future__ import annotations

import base64
import dataclasses
import re

import pytest

from otelctl import otlp
from otelctl.facts.wire import HttpAnswer, HttpRequest
from otelctl.model import Certainty, Report, Severity
from otelctl.secret import Secret
from otelctl.settings import Protocol, Setting, Signal, Source, SourceKind
from tests.cases.marks import case, near_miss
from tests.support.gateway import transcripts
from tests.support.world import (
    GATEWAY,
    NOT_FOUND,
    SUCCESS,
    Server,
    always,
    answer,
    check,
    receiver,
    span,
    status,
    target,
)

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY
OWN = "https://otel.example.com"
JSON, PROTOBUF, HTML, TEXT = "application/json", "application/x-protobuf", "text/html; charset=utf-8", "text/plain"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head></html>"
NGINX = {
    number: answer(
        number, f"<html>\r\n<head><title>{number} x</title></head></html>".encode(), "text/html", server="nginx/1.22.1"
    )
    for number in (404, 405, 413, 429, 502, 503, 504)
}


def partial(protocol: Protocol, rejected: int, message: str, signal: Signal = Signal.TRACES) -> HttpAnswer:
    """Return a 200 with a partial success."""
    body = otlp.encode_response(signal, protocol, rejected=rejected, message=message)
    return answer(200, body, otlp.content_type(protocol))


def primary(report: Report) -> tuple[str, Certainty]:
    """Return the code and the certainty of what a report names first."""
    assert report.primary is not None, report
    return report.primary.code, report.primary.certainty


BAD_IDS = "span ids must be 64 bit and not all zero, received 0 bits"
DELTA = 'otlp parse error: invalid temporality and type combination for metric "x"'

# To whatever is sent, in the protocol that the settings name.
ANSWERS: list[tuple[HttpAnswer, str, Certainty]] = [
    (answer(200, PAGE, HTML), "OTLP-NOT-OTLP", CERTAIN),
    (answer(200, PAGE, ""), "OTLP-NOT-OTLP", CERTAIN),
    (answer(202, PAGE, HTML), "OTLP-NOT-OTLP", CERTAIN),
    (answer(200, b'{"status":"ok"}', JSON), "OTLP-NOT-OTLP", LIKELY),
    (answer(200, b"[]", JSON), "OTLP-NOT-OTLP", LIKELY),
    (answer(200, b"ok", TEXT), "OTLP-NOT-OTLP", LIKELY),
    (answer(200, b'{"code":16,"message":"no"}', JSON), "OTLP-NOT-OTLP", LIKELY),
    (answer(301, b"", location="https://other.example.com/v1/traces"), "OTLP-REDIRECT-AWAY", CERTAIN),
    (answer(302, b"", location="/login"), "OTLP-NOT-OTLP", LIKELY),
    (answer(302, b"", location="/oauth2/sign_in?rd=%2Fv1%2Ftraces"), "OTLP-NOT-OTLP", LIKELY),
    (answer(307, b"", location="//other.example.com/"), "OTLP-REDIRECT-AWAY", CERTAIN),
    (answer(308, b"", location="https://otel.example.com.evil.example/v1/traces"), "OTLP-REDIRECT-AWAY", CERTAIN),
    (answer(308, b"", location="https://OTEL.example.com/authors/v1/traces"), "OTLP-REDIRECT", CERTAIN),
    (answer(308, PAGE, HTML, location="v2"), "OTLP-REDIRECT", CERTAIN),
    (answer(405, b"405 method not allowed, supported: [POST]", TEXT), "OTLP-405", CERTAIN),
    (NGINX[405], "OTLP-405", CERTAIN),
    (NGINX[413], "OTLP-413", CERTAIN),
    (status(400, 3, "http: request body too large"), "OTLP-413", CERTAIN),
    (answer(415, b"415 unsupported media type, supported: [application/json]", TEXT), "OTLP-415", CERTAIN),
    (NGINX[429], "OTLP-429", CERTAIN),
    (status(429, 8, "too many"), "OTLP-429", CERTAIN),
    (answer(500, b"boom", TEXT), "OTLP-500", CERTAIN),
    (status(500, 13, "internal"), "OTLP-500", CERTAIN),
    (NGINX[502], "OTLP-503", CERTAIN),
    (NGINX[503], "OTLP-503", CERTAIN),
    (NGINX[504], "OTLP-503", CERTAIN),
    (status(503, 14, "unavailable"), "OTLP-503", CERTAIN),
    (status(401, 16, "no org id"), "OTLP-TENANT", CERTAIN),
    (answer(401, b"no org id", TEXT), "OTLP-TENANT", CERTAIN),
    (status(400, 3, "no org id"), "OTLP-TENANT", CERTAIN),
    (answer(500, b"rpc error: code = Unknown desc = no org id", TEXT), "OTLP-TENANT", CERTAIN),
    (status(400, 3, BAD_IDS), "OTLP-BAD-IDS", CERTAIN),
    (status(400, 3, "trace ids must be 128 bit, received 64 bits"), "OTLP-BAD-IDS", CERTAIN),
    (status(400, 3, "ID.UnmarshalJSONIter: length mismatch"), "OTLP-BAD-IDS", CERTAIN),
    (status(400, 3, "proto: invalid length for SpanID"), "OTLP-BAD-IDS", CERTAIN),
    (partial(Protocol.HTTP_PROTOBUF, 1, BAD_IDS), "OTLP-BAD-IDS", CERTAIN),
    (answer(400, DELTA.encode(), TEXT), "OTLP-TEMPORALITY", CERTAIN),
    (status(400, 3, DELTA), "OTLP-TEMPORALITY", CERTAIN),
    (status(400, 3, "entry for stream has timestamp too old: 2020"), "OTLP-TOO-OLD", CERTAIN),
    (answer(400, b"entry too far behind", TEXT), "OTLP-TOO-OLD", LIKELY),
    (answer(400, b"the sample has been rejected: timestamp out of bounds", TEXT), "OTLP-TOO-OLD", LIKELY),
    (status(429, 8, "RATE_LIMITED: ingestion rate limit (15000000 bytes) exceeded"), "OTLP-RATE-LIMITED", CERTAIN),
    (partial(Protocol.HTTP_PROTOBUF, 5, "over the limit"), "OTLP-PARTIAL", CERTAIN),
    (partial(Protocol.HTTP_JSON, 5, ""), "OTLP-PARTIAL", CERTAIN),
    (answer(200, b"", ""), "OTLP-UNCLEAR", CERTAIN),
    (answer(200, b"\x00\x01\x02\xff\xfe", ""), "OTLP-UNCLEAR", CERTAIN),
    (answer(302, b""), "OTLP-UNCLEAR", CERTAIN),
    (answer(302, b"", location="http://[bad"), "OTLP-UNCLEAR", CERTAIN),
    (answer(302, b"", location="javascript:alert(1)"), "OTLP-UNCLEAR", CERTAIN),
    (answer(400, b"bad", TEXT), "OTLP-UNCLEAR", CERTAIN),
    (answer(418, b"teapot", TEXT), "OTLP-UNCLEAR", CERTAIN),
    (answer(530, b"error code: 1016", TEXT), "OTLP-UNCLEAR", CERTAIN),
    (status(400, 16, "unauthenticated"), "OTLP-400", CERTAIN),
]


@pytest.mark.parametrize(("said", "code", "certainty"), ANSWERS)
@case(*{one[1] for one in ANSWERS})
def test_an_answer(said: HttpAnswer, code: str, certainty: Certainty) -> None:
    """This answer, to a probe in either protocol, is told as this and this sure."""
    for protocol in (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON):
        report = check(target(OWN, protocol=protocol), always(said))
        assert primary(report) == (code, certainty)
        assert report.exit_code() == (3 if code == "OTLP-UNCLEAR" else 1)


# To the test span alone, after an empty request was accepted.
TO_A_SPAN: list[tuple[HttpAnswer, str]] = [
    (status(400, 3, "something is wrong"), "OTLP-400"),
    (answer(400, b"\x08\x03\x12\x02no", PROTOBUF), "OTLP-400"),
    (partial(Protocol.HTTP_PROTOBUF, 2, "dropped"), "OTLP-PARTIAL"),
    (status(400, 3, BAD_IDS), "OTLP-BAD-IDS"),
    (NGINX[413], "OTLP-413"),
    (status(503, 14, "error exporting items: connection refused"), "OTLP-503"),
    (status(429, 8, "request to https://x responded with HTTP Status Code 429"), "OTLP-429"),
]


@pytest.mark.parametrize(("said", "code"), TO_A_SPAN)
@case(*{one[1] for one in TO_A_SPAN})
def test_an_answer_to_a_span(said: HttpAnswer, code: str) -> None:
    """This answer to a span, where an empty request is accepted, is told as this."""

    def server(request: HttpRequest) -> HttpAnswer:
        return said if request.body else SUCCESS

    report = check(target(OWN, trace=span()), server, send=True)
    assert primary(report) == (code, CERTAIN)
    assert [result.check for result in report.results if result.findings] == ["send"]


# What servers that take a request say.
ACCEPTED: list[HttpAnswer] = [
    answer(200, b"", PROTOBUF),
    answer(200, b"\x0a\x00", PROTOBUF),
    answer(200, b"\x0a\x00", "application/protobuf"),
    answer(200, b'{"partialSuccess":{}}', JSON),
    answer(200, b"{}", "application/json; charset=utf-8"),
    answer(200, b'{"partialSuccess":{"rejectedSpans":"0"}}', JSON),
    answer(200, b'{"partialSuccess":null}', JSON),
    answer(202, b"{}", JSON),
    answer(204),
    answer(204, b"", PROTOBUF),
]


@pytest.mark.parametrize("said", ACCEPTED)
@pytest.mark.parametrize("protocol", [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON])
@near_miss(
    "OTLP-PARTIAL", "OTLP-PARTIAL-WARNING", "OTLP-NOT-OTLP", "OTLP-UNCLEAR", "OTLP-REDIRECT", "OTLP-REDIRECT-AWAY"
)
def test_an_acceptance(said: HttpAnswer, protocol: Protocol) -> None:
    """Each form of a full success gives no finding, for each signal and for a span."""
    report = check(target(OWN, protocol=protocol, signals=Signal), always(said))
    assert (report.findings, report.exit_code(Severity.NOTICE)) == ((), 0)
    assert check(target(OWN, protocol=protocol, trace=span()), always(said), send=True).findings == ()


# Empty requests that a receiver has read past any authentication, and finds empty.
REACHED: list[HttpAnswer] = [
    status(400, 3, "empty request"),
    status(422, 3, "no log records"),
    answer(400, b"\x08\x03\x12\x0eunexpected EOF", PROTOBUF),
    answer(400, b"\x12\x05empty", PROTOBUF),
]


@pytest.mark.parametrize("said", REACHED)
@near_miss("OTLP-400", "OTLP-BAD-IDS", "OTLP-TENANT", "OTLP-413", "OTLP-TOO-OLD", "OTLP-TEMPORALITY")
def test_a_receiver_that_wants_content(said: HttpAnswer) -> None:
    """A 400 with an OTLP error to an empty request is a pass, and says nothing of a credential."""
    report = check(target(OWN, "Authorization=Bearer abc", signals=Signal), always(said))
    assert report.findings == ()
    assert not any("credential is accepted" in result.detail for result in report.results)


@near_miss("OTLP-UNCLEAR", "OTLP-415", "OTLP-400")
def test_json_settles_what_an_empty_protobuf_leaves_open() -> None:
    """A server that takes an empty protobuf body for none at all is asked with an empty JSON object."""

    def server(request: HttpRequest) -> HttpAnswer:
        return answer(200, b'{"partialSuccess":{}}', JSON) if request.body == b"{}" else answer(411, b"", TEXT)

    assert check(target(OWN), server).findings == ()


@case("OTLP-PARTIAL-WARNING")
@near_miss("OTLP-PARTIAL", "OTLP-RATE-LIMITED")
@pytest.mark.parametrize("protocol", [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON])
def test_nothing_rejected_with_a_message_is_a_warning(protocol: Protocol) -> None:
    """A partial success that rejects nothing warns, breaks nothing, and is the primary of nothing."""
    report = check(target(OWN), always(partial(protocol, 0, "use fewer attributes")))
    assert [(one.code, one.severity) for one in report.findings] == [("OTLP-PARTIAL-WARNING", Severity.WARNING)]
    assert (report.primary, report.exit_code(), report.exit_code(Severity.WARNING)) == (None, 0, 1)


@case("OTLP-UNIMPLEMENTED")
@pytest.mark.parametrize("signal", Signal)
def test_a_signal_without_a_pipeline(signal: Signal) -> None:
    """404 on one signal while another is accepted on the same base: the receiver has no pipeline for it."""
    others = [f"/v1/{other}" for other in Signal if other is not signal]
    report = check(target(OWN, signals=[signal]), receiver(*others))
    assert primary(report) == ("OTLP-UNIMPLEMENTED", CERTAIN)
    report = check(target(OWN, signals=Signal), receiver(*others))
    assert [one.code for one in report.findings] == ["OTLP-UNIMPLEMENTED"]


@near_miss("OTLP-UNIMPLEMENTED")
@pytest.mark.parametrize("said", [NOT_FOUND, NGINX[404], answer(404)])
def test_404_everywhere_is_no_missing_pipeline(said: HttpAnswer) -> None:
    """404 for every signal at every path worth trying says that no receiver is there."""
    report = check(target(OWN, signals=Signal), always(said))
    assert {one.code for one in report.findings} == {"URL-NOT-FOUND"}


def _words(said: HttpAnswer, server: Server | None = None) -> str:
    report = check(target(OWN), server or always(said))
    assert report.primary is not None
    steps = " ".join(f"{step.text} {step.command}" for step in report.primary.fix)
    return f"{report.primary.summary} {report.primary.cause} {steps}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("30", "wait 30 s"),
        (" 0 ", "wait 0 s"),
        ("Fri, 20 Nov 2026 20:47:11 GMT", "wait until Fri, 20 Nov 2026 20:47:11 GMT"),
        ("", "for a time that it does not name"),
        ("soon", "for a time that it does not name"),
        ("²", "for a time that it does not name"),
        ("1e9", "for a time that it does not name"),
        ("-5", "for a time that it does not name"),
        ("9" * 400, "for a time that it does not name"),
        ("$(reboot)", "for a time that it does not name"),
    ],
)
@near_miss("OTLP-503", "OTLP-500")
def test_retry_after(value: str, words: str) -> None:
    """Retry-After is told in seconds or as a date; anything else is not repeated and breaks nothing."""
    assert words in _words(answer(429, b"", retry_after=value))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (NGINX[503], "A proxy before the receiver answered (nginx)"),
        (NGINX[502], "A proxy before the receiver answered (nginx)"),
        (answer(503, b"upstream connect error", TEXT, server="envoy"), "(envoy)"),
        (status(503, 14, "connection refused"), "The receiver itself says so"),
        (answer(503, b"", TEXT), "The receiver, or a proxy before it, answered"),
    ],
)
@near_miss("OTLP-500", "OTLP-429")
def test_who_is_unavailable(said: HttpAnswer, words: str) -> None:
    """A 502, 503 or 504 is told as the receiver's or the proxy's, as far as the answer shows it."""
    assert words in _words(said)


@pytest.mark.parametrize(
    ("location", "command"),
    [
        ("https://otel.example.com/v2/v1/traces", "https://otel.example.com/v2"),
        ("https://otel.example.com/otlp/v1/traces?x=1", "https://otel.example.com/otlp"),
        ("https://user:hunter2@otel.example.com:8443/v1/traces", "https://otel.example.com:8443"),
        ("/$(reboot)/v1/traces", "'https://otel.example.com/$(reboot)'"),
    ],
)
@near_miss("OTLP-NOT-OTLP", "OTLP-UNCLEAR")
def test_where_a_redirect_leads(location: str, command: str) -> None:
    """The address of a redirect, relative or absolute, becomes a base that can be checked, quoted for the shell."""
    words = _words(answer(301, b"", location=location))
    assert words.endswith(f"otelctl check-endpoint {command}")
    assert "hunter2" not in words


def test_a_redirect_is_not_followed() -> None:
    """A probe that is redirected makes one request, and sends no credential anywhere else."""
    seen: list[HttpRequest] = []

    def server(request: HttpRequest) -> HttpAnswer:
        seen.append(request)
        return answer(307, b"", location="https://elsewhere.example.com/v1/traces")

    check(target(OWN, "Authorization=Bearer abc"), server)
    assert len(seen) == 1


# Texts that hold the words of a diagnosis and do not mean it.
WORDS_ALONE: list[tuple[HttpAnswer, str]] = [
    (answer(500, b"panic: index out of bounds", TEXT), "OTLP-500"),
    (answer(500, b"<html><title>no org id</title></html>", "text/html"), "OTLP-500"),
    (status(429, 8, "rate limited"), "OTLP-429"),
    (status(400, 3, "ids are fine, the name is not"), ""),
    (answer(413, b"temporality", TEXT), "OTLP-413"),
    (answer(415, b"use POST", TEXT), "OTLP-415"),
    (answer(405, b"415 unsupported media type", TEXT), "OTLP-405"),
    (answer(408, b"", TEXT), "OTLP-UNCLEAR"),
]


@pytest.mark.parametrize(("said", "code"), WORDS_ALONE)
@near_miss(
    "OTLP-TOO-OLD", "OTLP-TENANT", "OTLP-RATE-LIMITED", "OTLP-BAD-IDS", "OTLP-TEMPORALITY", "OTLP-405", "OTLP-413"
)
@near_miss("OTLP-413", "OTLP-415", "OTLP-429", "OTLP-500", "OTLP-503")
def test_words_alone(said: HttpAnswer, code: str) -> None:
    """An answer that shares a word with a diagnosis is told by its status."""
    report = check(target(OWN), always(said))
    assert [one.code for one in report.findings] == ([code] if code else [])


@near_miss("OTLP-TENANT")
def test_a_tenant_that_is_named() -> None:
    """With X-Scope-OrgID alone, and no credential, a multi-tenant backend that accepts is healthy."""

    def server(request: HttpRequest) -> HttpAnswer:
        sent = {name: value.reveal() for name, value in request.headers}
        return SUCCESS if sent.get("x-scope-orgid") == "tenant-1" else status(401, 16, "no org id")

    assert check(target("http://tempo:4318", "X-Scope-OrgID=tenant-1"), server).findings == ()
    assert primary(check(target("http://tempo:4318"), server)) == ("OTLP-TENANT", CERTAIN)


@near_miss("OTLP-UNCLEAR", "OTLP-400", "OTLP-UNIMPLEMENTED", "OTLP-REDIRECT", "OTLP-NOT-OTLP")
def test_what_servers_were_recorded_with() -> None:
    """Each recorded answer is told as what it is: 200 with OTLP as nothing, the others by name."""
    expected = {
        "empty JSON request": None,
        "empty protobuf request": None,
        "good credential": None,
        "wrong content type": "OTLP-415",
        "redirect": "OTLP-REDIRECT-AWAY",
        "HTML page with 200": "OTLP-NOT-OTLP",
        "429 from a proxy": "OTLP-429",
        "GET": "OTLP-405",
        "trace id of 8 bytes": "OTLP-BAD-IDS",
        "span id of zeros": "OTLP-BAD-IDS",
        "metrics sent to a traces-only receiver": "URL-NOT-FOUND",
        "credential reversed": "AUTH-REFUSED",
        "no credential": "AUTH-WANTED",
    }
    told: dict[str, str | None] = {}
    for one in transcripts():
        if one["note"] not in expected or one["answer"]["head"] is None:
            continue
        first, *lines = one["answer"]["head"].split("\r\n")
        said = answer(
            int(first.split()[1]),
            base64.b64decode(one["answer"]["body_base64"]),
            **{name.lower().replace("-", "_"): value for name, _, value in (line.partition(": ") for line in lines)},
        )
        headers = "Authorization=Basic YWxpY2U6c2VjcmV0" if "Authorization" in one["request"]["headers"] else None
        report = check(target(OWN, headers), always(said))
        told[one["note"]] = report.primary.code if report.primary else None
    assert told == expected


def test_the_text_of_a_server_is_bounded_and_plain() -> None:
    """What a server says is shown on one line, bounded, without control characters and without what was sent."""
    header = "Authorization=Bearer s3cr3ts3cr3ts3cr3t"

    def server(request: HttpRequest) -> HttpAnswer:
        echo = next(value.reveal() for name, value in request.headers if name == "authorization")
        return answer(500, f"\x1b[31m[bold]{echo}\r\n{'x' * 9999}".encode(), TEXT)

    report = check(target(OWN, header), server)
    assert report.primary is not None
    shown = report.primary.evidence["text"]
    assert len(shown) <= 160
    assert re.fullmatch(r"[^\x00-\x1f\x7f]+", shown)
    assert "s3cr3ts3cr3t" not in shown


def test_the_gateway_is_named_when_a_page_answers() -> None:
    """200 with HTML is no success at Grafana Cloud's own host either."""
    report = check(target(GATEWAY, "Authorization=Basic MTIzNDU2OmdsY18="), always(answer(200, PAGE, HTML)))
    assert report.exit_code() == 1


@near_miss("OTLP-REDIRECT-AWAY", "OTLP-NOT-OTLP")
def test_no_command_sends_the_credential_to_a_host_that_a_server_chose() -> None:
    """A redirect on the same host is advised as it is; another host is in no command, and neither is a login page."""

    def commands(location: str) -> list[str]:
        report = check(target(OWN, "Authorization=Bearer abc"), always(answer(308, location=location)))
        return [step.command for one in report.findings for step in one.fix if step.command]

    assert commands(f"{OWN}/v2/v1/traces") == [f"otelctl check-endpoint {OWN}/v2"]
    assert not any("evil" in command for command in commands("https://evil.example.com/v1/traces"))
    assert not any("login" in command for command in commands("/login"))


def test_a_credential_is_accepted_where_it_is_known_to_be_looked_at() -> None:
    """Grafana's gateway looks at every credential; a success elsewhere says only that one was sent."""
    for url, words in ((GATEWAY, "the credential is accepted"), (OWN, "sent with the credential")):
        report = check(target(url, "Authorization=Basic MTIzOmFiYw=="), always(SUCCESS))
        (probe,) = (result for result in report.results if result.check == "traces")
        assert words in probe.detail


@pytest.mark.parametrize(
    ("name", "kind", "command"),
    [
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            SourceKind.VARIABLE,
            'export OTEL_EXPORTER_OTLP_HEADERS="$OTEL_EXPORTER_OTLP_HEADERS,X-Scope-OrgID=TENANT"',
        ),
        (
            "GRAFANA_INSTANCE_ID and GRAFANA_API_TOKEN",
            SourceKind.VARIABLE,
            'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl encode-auth),X-Scope-OrgID=TENANT"',
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            SourceKind.ENV_FILE,
            'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl inspect-auth --fix),X-Scope-OrgID=TENANT"',
        ),
        (None, None, "export OTEL_EXPORTER_OTLP_HEADERS=X-Scope-OrgID=TENANT"),
    ],
)
@case("OTLP-TENANT")
def test_the_tenant_comes_beside_the_credential(name: str | None, kind: SourceKind | None, command: str) -> None:
    """The header of a tenant is added to the headers that are configured, wherever they came from."""
    headers = Setting(Secret("Authorization=Basic MTIzOmFiYw=="), Source(kind, name)) if name and kind else None
    report = check(dataclasses.replace(target(OWN), headers=headers), always(status(401, 16, "no org id")))
    assert report.primary is not None
    assert (report.primary.code, report.primary.fix[0].command) == ("OTLP-TENANT", command)


@pytest.mark.parametrize("said", [answer(405), answer(500), answer(418)])
def test_where_no_command_mends_a_sentence_comes_first(said: HttpAnswer) -> None:
    """The failing command again is no mend: what to do comes before it, as a sentence."""
    report = check(target(OWN), always(said))
    assert report.primary is not None
    assert report.primary.fix[0].command is None
