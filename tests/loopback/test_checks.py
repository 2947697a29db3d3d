"""The table of checks over real sockets: the embedded gateway, servers that say what was recorded, and rude ones."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from otelctl.gateway import Gateway, Partial, Tenant
from otelctl.model import Certainty, Report, Severity, Status
from otelctl.secret import Secret
from otelctl.settings import Protocol, Signal
from tests.support.gateway import authorization, basic, tenant, transcripts
from tests.support.servers import Scripted, answering, hanging_up, http, resetting, silent, speaking
from tests.support.world import check, span, target

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY
PROTOCOLS = [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON]


@pytest.fixture(scope="module")
def stack() -> Tenant:
    """Return a stack whose token may write everything."""
    return tenant()


@pytest.fixture(scope="module")
def gateway(stack: Tenant) -> Iterator[Gateway]:
    """Run an embedded gateway with that stack and one whose token may write metrics alone."""
    with Gateway([stack, tenant(Signal.METRICS)]) as running:
        yield running
        assert running.crashes == ()


def header(stack: Tenant) -> str:
    """Return the right value of the variable."""
    return f"Authorization={authorization(stack)}"


def primary(report: Report) -> tuple[str, Certainty]:
    """Return the code and the certainty of what a report names first."""
    assert report.primary is not None, report
    return report.primary.code, report.primary.certainty


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_right_header_passes_and_leaves_nothing(gateway: Gateway, stack: Tenant, protocol: Protocol) -> None:
    """With the right header every signal is accepted, without a finding, by requests that hold nothing."""
    before = len(gateway.received)
    report = check(target(gateway.url, header(stack), signals=Signal, protocol=protocol))
    assert (report.findings, report.exit_code(Severity.NOTICE)) == ((), 0)
    assert [one.size for one in gateway.received[before:]] == [0, 0, 0]
    told = {result.check: result.detail for result in report.results}
    assert told["traces"] == "200, sent with the credential, an empty request was accepted"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_span_arrives(gateway: Gateway, stack: Tenant, protocol: Protocol) -> None:
    """The test span is at the gateway as it was sent, once."""
    sent = span()
    report = check(target(gateway.url, header(stack), protocol=protocol, trace=sent), send=True)
    assert report.findings == ()
    received = gateway.wait_for_trace(sent.trace_id, 5)
    assert received is not None
    assert received.message == sent.request


def test_headers_in_every_form_that_sdks_take(gateway: Gateway, stack: Tenant) -> None:
    """A space, %20, %20 with %3D, other cases and headers beside it: all reach the gateway as the same header."""
    packed = authorization(stack).removeprefix("Basic ")
    for text in (
        f"Authorization=Basic {packed}",
        f"Authorization=Basic%20{packed}",
        f"Authorization=Basic%20{packed.replace('=', '%3D')}",
        f"authorization=basic {packed}",
        f"x-a=1,AUTHORIZATION=Basic {packed},x-b=2",
    ):
        assert check(target(gateway.url, text)).findings == ()
        arrived = gateway.received[-1].header("authorization")
        assert isinstance(arrived, Secret)
        assert arrived.reveal().lower().startswith("basic ")
        assert arrived.reveal().endswith(packed)


def _faults(stack: Tenant) -> dict[str, tuple[str | None, str, Certainty]]:
    identity, token = stack.instance_id, stack.token.reveal()
    packed = base64.b64encode(f"{identity}:{token}".encode()).decode()
    return {
        "reversed": (f"Authorization={basic(token, identity)}", "AUTH-REVERSED", CERTAIN),
        "none": (None, "AUTH-WANTED", CERTAIN),
        "another token": (f"Authorization={basic(identity, tenant().token.reveal())}", "AUTH-INVALID", CERTAIN),
        "another id": (f"Authorization={basic('99', token)}", "AUTH-INVALID", CERTAIN),
        "bearer": (f"Authorization=Bearer {token}", "AUTH-SCHEME", LIKELY),
        "no scheme": (f"Authorization={packed}", "AUTH-SCHEME-MISSING", CERTAIN),
        "encoded twice": (
            f"Authorization=Basic {base64.b64encode(packed.encode()).decode()}",
            "AUTH-DOUBLE-ENCODED",
            CERTAIN,
        ),
        "without padding": (f"Authorization=Basic {_without_padding(identity, token)}", "AUTH-BASE64-VARIANT", LIKELY),
        "plus sign": (f"Authorization=Basic+{packed}", "AUTH-PERCENT-ENCODED", LIKELY),
        "line break in the pair": (
            f"Authorization={basic(identity, token + chr(10))}",
            "AUTH-TRAILING-NEWLINE",
            LIKELY,
        ),
        "space in the pair": (f"Authorization={basic(f' {identity}', token)}", "AUTH-STRAY-SPACE", LIKELY),
        "service account": (f"Authorization={basic(identity, 'glsa_abcdefgh1234')}", "AUTH-TOKEN-KIND", LIKELY),
        "truncated": (f"Authorization={basic(identity, token[:-9])}", "AUTH-TOKEN-TRUNCATED", LIKELY),
        "token alone": (
            f"Authorization=Basic {base64.b64encode(token.encode()).decode()}",
            "AUTH-HALF-MISSING",
            CERTAIN,
        ),
    }


def _without_padding(identity: str, token: str) -> str:
    # A longer ID until there is padding to lose; the ID of another stack would be refused for another reason.
    while not (packed := base64.b64encode(f"{identity}:{token}".encode()).decode()).endswith("="):
        token += " "
    return packed.rstrip("=")


@pytest.mark.parametrize("name", _faults(tenant()))
def test_a_wrong_header(gateway: Gateway, stack: Tenant, name: str) -> None:
    """A header that is wrong in this way is told so by the gateway's real refusal, or before anything is sent."""
    text, code, certainty = _faults(stack)[name]
    report = check(target(gateway.url, text))
    assert primary(report) == (code, certainty)
    assert report.exit_code() == 1


def test_a_scope_that_is_missing(gateway: Gateway) -> None:
    """A token that may write metrics alone is told its missing scope for traces, and passes for metrics."""
    limited = gateway.tenants[1]
    report = check(target(gateway.url, header(limited), signals=[Signal.TRACES, Signal.METRICS]))
    assert primary(report) == ("AUTH-SCOPE", CERTAIN)
    assert {result.check: result.status for result in report.results}["metrics"] is Status.PASSED


def test_paths(gateway: Gateway, stack: Tenant) -> None:
    """A missing /otlp, a doubled path and a last slash are found out by asking, and mended."""
    root = gateway.url.removesuffix("/otlp")
    for url, variable, code, mended in (
        (root, "OTEL_EXPORTER_OTLP_ENDPOINT", "URL-OTLP-MISSING", gateway.url),
        (f"{root}/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT", "URL-OTLP-MISSING", gateway.url),
        (f"{gateway.url}/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT", "URL-PATH-DOUBLED", gateway.url),
        (f"{gateway.url}/v1", "OTEL_EXPORTER_OTLP_ENDPOINT", "URL-PATH-DOUBLED", gateway.url),
        (gateway.url, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "URL-SIGNAL-PATH-MISSING", f"{gateway.url}/v1/traces"),
        (
            f"{gateway.url}/v1/traces/",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "URL-TRAILING-SLASH",
            f"{gateway.url}/v1/traces",
        ),
    ):
        report = check(target(url, header(stack), variable=variable))
        assert primary(report) == (code, CERTAIN), url
        assert report.primary is not None
        assert report.primary.fix[0].command == f"export {variable}={mended}"
        assert check(target(mended, header(stack), variable=variable)).findings == ()


def test_a_missing_path_is_told_without_a_credential_too(gateway: Gateway) -> None:
    """The gateway's own 401 at the other path is proof enough of where it is."""
    report = check(target(gateway.url.removesuffix("/otlp")))
    assert primary(report) == ("URL-OTLP-MISSING", CERTAIN)


@pytest.mark.parametrize(
    ("partial", "code", "exit_code"),
    [(Partial(1, "dropped"), "OTLP-PARTIAL", 1), (Partial(0, "slow down"), "OTLP-PARTIAL-WARNING", 0)],
)
def test_partial_success(stack: Tenant, partial: Partial, code: str, exit_code: int) -> None:
    """A partial success for the span is told, as an error where anything was rejected; the probe passes."""
    with Gateway([stack], partial=partial) as running:
        report = check(target(running.url, header(stack), trace=span()), send=True)
    assert [one.code for one in report.findings] == [code]
    assert report.exit_code() == exit_code


def test_a_span_over_the_limit(stack: Tenant) -> None:
    """A span that is larger than the gateway takes is told by its 413."""
    with Gateway([stack], max_body=64) as running:
        report = check(target(running.url, header(stack), trace=span()), send=True)
    assert primary(report) == ("OTLP-413", CERTAIN)


RECORDED = [
    one
    for one in transcripts()
    if one["answer"]["head"] is not None and one["request"]["method"] == "POST" and "query API" not in one["server"]
]
TOLD = {
    "empty JSON request": None,
    "empty protobuf request": None,
    "good credential": None,
    "no content type": "OTLP-415",
    "wrong content type": "OTLP-415",
    "JSON garbage": None,
    "empty body sent as JSON": None,
    "protobuf garbage": None,
    "JSON sent as protobuf": None,
    "gzip announced, plain sent": None,
    "unknown content encoding": None,
    "path doubled": "URL-NOT-FOUND",
    "root": "URL-NOT-FOUND",
    "metrics sent to a traces-only receiver": "URL-NOT-FOUND",
    "logs sent to a traces-only receiver": "URL-NOT-FOUND",
    "/otlp missing": "URL-NOT-FOUND",
    "trace id of 8 bytes": "OTLP-BAD-IDS",
    "span id of zeros": "OTLP-BAD-IDS",
    "no credential": "AUTH-WANTED",
    "credential reversed": "AUTH-REVERSED",
    "redirect": "OTLP-REDIRECT-AWAY",
    "HTML page with 200": "OTLP-NOT-OTLP",
    "429 from a proxy": "OTLP-429",
    "body over client_max_body_size": "OTLP-413",
    "plain HTTP spoken to a TLS port": "NET-PLAIN-ON-TLS",
}


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: f"{one['server'][:5]} {one['note']}")
def test_a_recorded_answer(one: dict[str, Any]) -> None:
    """What Tempo and nginx were recorded to answer, byte for byte, is told as what it is to an empty request.

    A 400 in OTLP's form is a pass: the receiver has read the request. One that a body over the limit or a plain
    request to a TLS port gave is none.
    """
    head = one["answer"]["head"].encode("latin-1")
    recorded = head + b"\r\n\r\n" + base64.b64decode(one["answer"]["body_base64"])
    sent = one["request"]["headers"].get("Authorization")
    with Scripted(answering(recorded)) as server:
        report = check(target(f"http://127.0.0.1:{server.port}", sent and f"Authorization={sent}"))
    findings = [one.code for one in report.findings if not one.code.startswith("NET-CLOCK")]
    expected = TOLD[one["note"]]
    assert findings[:1] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (answering(http("200 OK", b"<html></html>", "Content-Type: text/html")), "OTLP-NOT-OTLP"),
        (answering(http("503 Service Unavailable", b"", "Retry-After: \xb2")), "OTLP-503"),
        (answering(http("429 Too Many Requests", b"", "Retry-After: \xb2")), "OTLP-429"),
        (answering(http("302 Found", b"", "Location: http://[")), "OTLP-UNCLEAR"),
        (answering(http("401 Unauthorized", b"\xff\xfe{", "WWW-Authenticate:  ")), "AUTH-WANTED"),
        (answering(http("401 Unauthorized", b"[" * 100_000, "Content-Type: application/json")), "AUTH-WANTED"),
        (hanging_up, "NET-RESET"),
        (resetting, "NET-RESET"),
        (speaking(b"SSH-2.0-OpenSSH_9.2\r\n"), "NET-NOT-HTTP"),
        (speaking(bytes.fromhex("000006040000000000000500004000")), "NET-HTTP-ON-GRPC-PORT"),
    ],
)
def test_a_server_that_is_none(script: Any, code: str) -> None:
    """Whatever a server does, the table comes to its end with one diagnosis of it and without a crash."""
    with Scripted(script) as server:
        report = check(target(f"http://127.0.0.1:{server.port}"))
    assert report.primary is not None
    assert report.primary.code == code
    assert not any(result.status is Status.CRASHED for result in report.results)


def test_nothing_listens() -> None:
    """A port at which nothing listens is told at TCP, and what needs it waits for it."""
    with Scripted(silent) as server:
        port = server.port
    report = check(target(f"http://127.0.0.1:{port}", signals=Signal))
    assert primary(report) == ("NET-REFUSED", CERTAIN)
    waiting = [result.reason for result in report.results if result.status is Status.SKIPPED and result.reason]
    assert waiting.count("waits for: the port takes connections") >= len(Signal)


def test_a_credential_in_an_echo_shows_nowhere(stack: Tenant) -> None:
    """A server that echoes the credential, in any part of its answer, gets none of it into the report."""
    packed = authorization(stack)
    token = stack.token.reveal()
    body = f'{{"code":13,"message":"you sent {packed} which is {token}"}}'.encode()
    echo = http(f"500 {token}", body, "Content-Type: application/json", f"Server: {packed}")
    redirect = http("302 Found", b"", f"Location: /x/{token}?auth={packed.partition(' ')[2]}")
    challenge = http("401 Unauthorized", token.encode(), f"WWW-Authenticate: {token}")
    for answer in (echo, redirect, challenge):
        with Scripted(answering(answer)) as server:
            report = check(target(f"http://127.0.0.1:{server.port}", f"Authorization={packed}"))
        assert report.primary is not None
        shown = repr([(one.summary, one.cause, one.fix) for one in report.findings]) + repr(report.results)
        for secret in (token, packed.partition(" ")[2]):
            runs = {secret[at : at + 12] for at in range(len(secret) - 11)}
            assert not [run for run in runs if run in shown]


def test_details_say_what_was_seen(gateway: Gateway, stack: Tenant) -> None:
    """Each check that passed says what it measured, the credential's public half included, and never the token."""
    report = check(target(gateway.url, header(stack)))
    told = {result.check: result.detail for result in report.results}
    assert told["endpoint"] == f"{gateway.url} from OTEL_EXPORTER_OTLP_ENDPOINT"
    assert told["credential"].startswith(f"instance ID {stack.instance_id}, token otelctl-invented, region ")
    assert re.fullmatch(r"127\.0\.0\.1 port \d+", told["tcp"])
    assert stack.token.reveal()[:12] not in repr(told)


def test_the_gateway_is_asked_for_tls_that_it_does_not_speak(gateway: Gateway, stack: Tenant) -> None:
    """https:// to the embedded gateway is told as what it is, and mended by http://."""
    report = check(target(gateway.url.replace("http:", "https:"), header(stack)))
    assert primary(report) == ("NET-TLS-ON-PLAIN", CERTAIN)
    assert report.primary is not None
    assert report.primary.fix[0].command == f"otelctl check-endpoint {gateway.url}"


def test_the_gateway_is_asked_for_grpc_that_it_does_not_speak(gateway: Gateway, stack: Tenant) -> None:
    """gRPC to the embedded gateway is told by that alone: what becomes of the path does not matter then."""
    report = check(target(gateway.url, header(stack), protocol=Protocol.GRPC))
    assert [(one.code, one.certainty) for one in report.findings] == [("NET-GRPC-ON-HTTP-PORT", CERTAIN)]
    assert report.primary is not None
    assert "505 HTTP Version Not Supported" in report.primary.summary


def test_a_path_for_grpc_is_told_where_grpc_is_spoken() -> None:
    """Where the port speaks HTTP/2, a path in the endpoint is a warning."""
    settings = bytes.fromhex("000006040000000000000500004000")
    with Scripted(speaking(settings)) as server:
        report = check(target(f"http://127.0.0.1:{server.port}/otlp", protocol=Protocol.GRPC, signals=()))
    assert [one.code for one in report.findings] == ["GRPC-PATH-DROPPED"]
